/**
 * Sums up what an engine reports, and turns each report into the lines that a load program would send: this is part of what full recording costs.
 */
import type { EngineReport } from '../../harness/load/engine.ts';
import { Histogram } from '../../harness/timeline/histogram.ts';

export class Totals {
  due = 0;
  answered = 0;
  failed = 0;
  readonly latency = new Histogram();
  /** Most requests are looked at within this many ms after they were due, in the worst window. */
  worstLatenessP99Ms = 0;
  #bytes = 0;

  add({ tally, windows, completions, generator }: EngineReport): void {
    this.due += tally.due;
    this.answered += tally.answered;
    this.failed += tally.failed;
    this.latency.merge(tally.latency);
    for (const { p99LatenessMs } of generator) this.worstLatenessP99Ms = Math.max(this.worstLatenessP99Ms, p99LatenessMs);
    this.#bytes += JSON.stringify({ frame: 'windows', windows, completions, generator }).length;
  }

  result() {
    const { due, answered, failed, latency } = this;
    const percentile = (percent: number): number | undefined => (latency.count > 0 ? latency.percentile(percent) : undefined);
    return { due, answered, failed, p50Us: percentile(50), p99Us: percentile(99), maxUs: percentile(100), recordedBytes: this.#bytes };
  }
}
