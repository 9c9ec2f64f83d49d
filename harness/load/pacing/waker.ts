/**
 * How the engine sleeps until something is due.
 *
 * - `economical`: timers of the event loop, good to a millisecond. At 2,000/s, with 0.5 ms between requests, exact waking would mean to
 *   spin on a whole core beside the system under test; what this leaves of lateness, some tenths of a millisecond, is measured and reported.
 * - `exact`: a thread that sleeps in the kernel to some microseconds before the moment and then wakes the loop (see `ticker.ts`).
 */
import { monotonicMs } from '../../core/clock.ts';
import { Ticker } from './ticker.ts';

export type Pacing = 'economical' | 'exact';

export interface Waker {
  /** What it calls. */
  wake: () => void;
  /** Calls `wake` once, at this moment of the monotonic clock or soon after. A later call takes the place of an earlier one. */
  sleepUntil(clockMs: number): void;
  close(): void;
}

export function wakerOf(pacing: Pacing): Waker {
  return pacing === 'exact' ? new Ticker() : new Timers();
}

class Timers implements Waker {
  wake: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #wakeNow = () => this.wake();

  sleepUntil(clockMs: number): void {
    const aheadMs = clockMs - monotonicMs();
    clearTimeout(this.#timer);
    if (aheadMs > 0) this.#timer = setTimeout(this.#wakeNow, Math.max(1, Math.floor(aheadMs)));
    else setImmediate(this.#wakeNow);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
