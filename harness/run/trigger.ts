/** Waits until something is seen on the running timeline. */
import { look } from './conditions.ts';
import type { RunLog } from './log.ts';
import type { Running } from './running.ts';
import type { PlannedStep } from './types.ts';

/** Looked at with each news, which come ten times a second while a load runs, and this often where there are none. */
const LOOK_EVERY_MS = 250;

/** Whether it was seen in time, and else what was seen last, in words. */
export function awaitTrigger(
  { condition, byMs }: PlannedStep['trigger'] & object,
  running: Running,
  log: Pick<RunLog, 'now'>,
  signal: AbortSignal,
): Promise<{ seen: boolean; best: string }> {
  return new Promise((resolve) => {
    let best = 'nothing';
    let most = Number.NEGATIVE_INFINITY;
    const end = (seen: boolean) => {
      clearInterval(timer);
      forget();
      signal.removeEventListener('abort', stop);
      resolve({ seen, best });
    };
    const stop = () => end(false);
    const glance = () => {
      const { holds, seen, value } = look(condition, running);
      if (value > most) [most, best] = [value, seen];
      if (holds) end(true);
      else if (log.now() >= byMs) end(false);
    };
    const timer = setInterval(glance, LOOK_EVERY_MS);
    const forget = running.onNews(glance);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}
