/** What k6 has told of since the last look, for people who look on: windows become final much later, when no iteration of theirs can still be under way. */
import type { Tally } from '../../../harness/load/recording/recorder.ts';
import { Histogram } from '../../../harness/timeline/histogram.ts';

export class LiveTally {
  readonly #deadlineMs: number;
  #due = 0;
  #answered = 0;
  #good = 0;
  #failed = 0;
  #latency = new Histogram();

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  ended(tookMs: number, hasFailed: boolean): void {
    this.#due++;
    if (hasFailed) {
      this.#failed++;
      return;
    }
    this.#answered++;
    this.#latency.record(tookMs * 1_000);
    if (tookMs <= this.#deadlineMs) this.#good++;
  }

  dropped(): void {
    this.#due++;
    this.#failed++;
  }

  /** And begins anew. */
  take(): Tally {
    const told = { due: this.#due, answered: this.#answered, good: this.#good, failed: this.#failed, latency: this.#latency };
    this.#due = 0;
    this.#answered = 0;
    this.#good = 0;
    this.#failed = 0;
    this.#latency = new Histogram();
    return told;
  }
}
