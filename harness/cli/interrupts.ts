/**
 * Ctrl-C, and being told to end. The first stops the run in order: faults healed, cluster taken down, report written as aborted. The
 * second leaves the cluster standing, never a fault in force.
 */
import { AftershockError, EXIT } from '../core/errors.ts';
import type { Interrupts } from '../run/execute.ts';

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.terminated } as const;

let stopNow: ((reason: AftershockError) => void) | undefined;

/** Stops the run that is under way for a reason other than a signal; false when there is none, or when it is being stopped already. */
export function stopRun(reason: AftershockError): boolean {
  if (!stopNow) return false;
  stopNow(reason);
  stopNow = undefined;
  return true;
}

export function listenForInterrupts(say: (text: string) => void): Interrupts & { close(): void } {
  const stop = new AbortController();
  let count = 0;
  const onSignal = (name: NodeJS.Signals) => {
    count++;
    if (count === 1) {
      say(`${name}: stopping in order: healing, taking down, writing the report; once more leaves the cluster standing`);
      stop.abort(new AftershockError(`stopped by ${name}`, CODES[name as keyof typeof CODES]));
    } else if (count === 2) {
      say(`${name} again: faults are healed, a cluster that stands is left standing; 'npx aftershock clean' removes it`);
    }
  };
  stopNow = (reason) => stop.abort(reason);
  const names = Object.keys(CODES) as (keyof typeof CODES)[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: stop.signal,
    skipTearDown: () => count > 1,
    close: () => {
      stopNow = undefined;
      for (const name of names) process.off(name, onSignal);
    },
  };
}
