/**
 * k6 stamps its samples by the wall clock, and a run counts on the monotonic one. This keeps the offset between the two known: a wall clock is slewed
 * all the time, and set now and then.
 */
import { monotonicMs } from '../../../harness/core/clock.ts';

/** A clock that is slewed moves by half a thousandth at most; one that has moved more than this between two looks was set. */
const SET_MS = 5;
/** Each waits for a millisecond at most. */
const MOST_ATTEMPTS = 5;
const GOOD_MS = 0.1;

export class WallClock {
  readonly #wallMs: () => number;
  readonly #monotonicMs: () => number;
  /** Wall clock minus monotonic clock, ms. */
  #offsetMs: number;

  constructor(wallMs: () => number = Date.now, monotonic: () => number = monotonicMs) {
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonic;
    this.#offsetMs = this.#measure();
  }

  /** Measures again. Answers by how much the wall clock was set since the last time, ms; 0 when it was not. */
  look(): number {
    const before = this.#offsetMs;
    this.#offsetMs = this.#measure();
    const movedMs = this.#offsetMs - before;
    return Math.abs(movedMs) > SET_MS ? movedMs : 0;
  }

  toMonotonic(wallMs: number): number {
    return wallMs - this.#offsetMs;
  }

  toWall(monotonic: number): number {
    return monotonic + this.#offsetMs;
  }

  /**
   * `Date.now` tells whole milliseconds, so the moment in which it goes over to the next one is waited for. Between the looks before and behind it this
   * process may have stood still, on a busy machine for many milliseconds: of a few such moments, the one that is known best is taken.
   */
  #measure(): number {
    let best = { offsetMs: 0, withinMs: Number.POSITIVE_INFINITY };
    for (let attempt = 0; attempt < MOST_ATTEMPTS && best.withinMs > GOOD_MS; attempt++) {
      const before = this.#wallMs();
      let earliestMs = this.#monotonicMs();
      let wallMs = this.#wallMs();
      let latestMs = this.#monotonicMs();
      while (wallMs === before) {
        earliestMs = latestMs;
        wallMs = this.#wallMs();
        latestMs = this.#monotonicMs();
      }
      const withinMs = latestMs - earliestMs;
      if (withinMs < best.withinMs) best = { offsetMs: wallMs - (earliestMs + latestMs) / 2, withinMs };
    }
    return best.offsetMs;
  }
}
