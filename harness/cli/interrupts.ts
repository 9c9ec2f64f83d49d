/**
 * Ctrl-C, and being told to end. The first stops a run in order: faults healed, cluster taken down, report written as aborted. The
 * second leaves the cluster standing, never a fault in force. Other commands say for themselves what the two do.
 */
import { AftershockError, EXIT } from '../core/errors.ts';
import type { Interrupts } from '../run/execute.ts';

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.terminated } as const;

export interface InterruptWords {
  readonly first: string;
  readonly second: string;
}

const OF_A_RUN: InterruptWords = {
  first: 'stopping in order: healing, taking down, writing the report; once more leaves the cluster standing',
  second:
    "faults are healed, a cluster that stands is left standing; 'npx aftershock down' removes it, and 'npx aftershock clean' what is left of one that was being taken down",
};

let stopNow: ((reason: AftershockError) => void) | undefined;

/** Stops the run that is under way for a reason other than a signal; false when there is none, or when it is being stopped already. */
export function stopRun(reason: AftershockError): boolean {
  if (!stopNow) return false;
  stopNow(reason);
  stopNow = undefined;
  return true;
}

export function listenForInterrupts(say: (text: string) => void, words = OF_A_RUN): Interrupts & { close(): void } {
  const stop = new AbortController();
  let count = 0;
  const onSignal = (name: NodeJS.Signals) => {
    count++;
    if (count === 1) {
      say(`${name}: ${words.first}`);
      stop.abort(new AftershockError(`stopped by ${name}`, CODES[name as keyof typeof CODES]));
    } else if (count === 2) {
      say(`${name} again: ${words.second}`);
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
