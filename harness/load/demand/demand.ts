/** Who asks for requests and when they fall due: a schedule that owes nothing to the answers, or workers who each wait for theirs. */
import type { Pacer } from './pacer.ts';

export interface Demand {
  /** When the next request falls due, ms since time zero; infinite when none is known of now. */
  readonly nextDueMs: number;
  /** Nothing will ever fall due any more, whatever is answered. */
  readonly isOver: boolean;
  /** Goes on behind the request that is due next, and tells which worker's it is; -1 when it belongs to none. */
  take(): number;
  /** A request of a worker has ended. */
  ended(worker: number, endedMs: number): void;
  /** No further requests. */
  stop(): void;
}

/** Open loop: requests fall due by the pacer whether or not the system answers. */
export class Schedule implements Demand {
  readonly #pacer: Pacer;
  #hits = 0;
  nextDueMs: number;

  constructor(pacer: Pacer) {
    this.#pacer = pacer;
    this.nextDueMs = pacer(0) ?? Number.POSITIVE_INFINITY;
  }

  get isOver(): boolean {
    return this.nextDueMs === Number.POSITIVE_INFINITY;
  }

  take(): number {
    this.nextDueMs = this.#pacer(++this.#hits) ?? Number.POSITIVE_INFINITY;
    return -1;
  }

  ended(): void {
    // Answers change nothing about what is due.
  }

  stop(): void {
    this.nextDueMs = Number.POSITIVE_INFINITY;
  }
}
