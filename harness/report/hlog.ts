/**
 * A run as an HdrHistogram log (.hlog): what HistogramLogAnalyzer, HistogramLogProcessor and the plotters of that family read.
 *
 * One line for each interval and series that had answers, tagged `operation/shard/tenant`, and one without a tag for all series together, which is what
 * the tools show when no tag is asked for. Requests that failed are under a tag of their own, `operation/shard/tenant/failed`, with the times after which
 * they were given up: among the answered they would make latencies better, or worse, than anybody saw.
 *
 * Intervals are those in which requests were due, as everywhere in a result. Values are nanoseconds and the maximum of a line is milliseconds, which is
 * what the tools take for granted.
 */
import { Histogram } from '../timeline/histogram.ts';
import type { Series, Timeline, Window } from '../timeline/types.ts';
import { hdrBase64 } from './hdr.ts';

export interface HlogOptions {
  /** Wall clock at time zero of the load. */
  readonly startedAt: Date;
  /** A whole number of windows, ms. */
  readonly intervalMs: number;
  /** What was run, for people: a line of its own at the head. */
  readonly title: string;
}

/** The lines of the log, each with its newline. */
export function* hlogLines(timeline: Timeline, { startedAt, intervalMs, title }: HlogOptions): Generator<string> {
  const startSeconds = (startedAt.getTime() / 1_000).toFixed(3);
  yield comment(title);
  yield comment('Due to answered, in nanoseconds, by the interval in which requests were due; Interval_Max in milliseconds.');
  yield comment('Tag=operation/shard/tenant: answered requests. The same with /failed: due to given up, of failed ones. Without a tag: all answered together.');
  for (const { severity, text } of timeline.findings) if (severity === 'invalid') yield comment(`This run cannot be judged: ${text}`);
  yield '#[Histogram log format version 1.3]\n';
  yield `#[BaseTime: ${startSeconds} (seconds since epoch)]\n`;
  yield `#[StartTime: ${startSeconds} (seconds since epoch), ${startedAt.toISOString()}]\n`;
  yield '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n';
  const interval = new Interval();
  let at = 0;
  for (const window of timeline.windows) {
    const windowAt = Math.floor(window.at / intervalMs) * intervalMs;
    if (windowAt !== at) {
      yield* interval.lines(at, intervalMs);
      at = windowAt;
    }
    interval.add(window);
  }
  yield* interval.lines(at, intervalMs);
}

/** What was due in one interval; used again for the next. */
class Interval {
  readonly #all = new Histogram();
  readonly #series = new Map<Series, { readonly tag: string; readonly latency: Histogram; readonly gaveUp: Histogram }>();

  add(window: Window): void {
    let series = this.#series.get(window.series);
    if (!series) {
      series = { tag: tagOf(window.series), latency: new Histogram(), gaveUp: new Histogram() };
      this.#series.set(window.series, series);
    }
    series.latency.merge(window.latency);
    series.gaveUp.merge(window.gaveUp);
    this.#all.merge(window.latency);
  }

  *lines(at: number, lengthMs: number): Generator<string> {
    const line = (histogram: Histogram, tag = '') => {
      const fields = [(at / 1_000).toFixed(3), (lengthMs / 1_000).toFixed(3), (histogram.max / 1_000).toFixed(3), hdrBase64(histogram)];
      histogram.clear();
      return `${tag}${fields.join(',')}\n`;
    };
    if (this.#all.count > 0) yield line(this.#all);
    for (const { tag, latency, gaveUp } of this.#series.values()) {
      if (latency.count > 0) yield line(latency, `Tag=${tag},`);
      if (gaveUp.count > 0) yield line(gaveUp, `Tag=${tag}/failed,`);
    }
  }
}

/** 'get/mc-3/main'. Commas and white space would end a tag, and a slash in a name would move its parts: they are written as in a URL. */
export function tagOf({ operation, shard, tenant }: Series): string {
  return [operation, shard, tenant].map((name) => name.replace(/[\s,/%]/g, encodeURIComponent)).join('/');
}

function comment(text: string): string {
  return `# ${text.replace(/\s+/g, ' ')}\n`;
}
