/**
 * When answers stopped, and when the first one came again, to the millisecond: completions carry the moments of the first and
 * the last answer of each window, so that a silence longer than a window is known exactly at both ends.
 */
import { type Among, shardsAmong } from '../timeline/phases.ts';
import { type Timeline, WINDOW_MS } from '../timeline/types.ts';

/** Two windows: a shorter silence is what any queue, and any busy machine, has. */
export const LEAST_OUTAGE_MS = 200;

/** So many requests must be due in the shortest outage for their silence to say anything: 10 in 200 ms is 50/s. */
const LEAST_DUE_IN_OUTAGE = 10;
export const LEAST_RATE = (LEAST_DUE_IN_OUTAGE / LEAST_OUTAGE_MS) * 1_000;

/**
 * - `none`: answers never stopped.
 * - `over`: they stopped at `fromMs`, and the first one came again at `toMs`.
 * - `open`: they stopped at `fromMs`, and had not come again when the load ended.
 */
export type Outage =
  | { readonly state: 'none' }
  | { readonly state: 'over'; readonly fromMs: number; readonly toMs: number }
  | { readonly state: 'open'; readonly fromMs: number };

export interface OutageQuestion {
  readonly among: Among;
  /** When the fault began to be put in: without an answer before it, a silence says nothing. */
  readonly beganMs: number;
  /** Silences that were over by then are not asked for. */
  readonly overAfterMs: number;
}

/**
 * The longest silence that lasted beyond `overAfterMs`, also when it had begun before the fault: whoever asks when answers
 * came again must not hear that they never stopped. One that the load's end cut off counts above all others, for nobody
 * knows its length. Answers of all the shards asked for count alike: the first one of any of them ends the silence.
 * Undefined when there was no answer at all before the fault, or too few requests to tell a silence from a pause between two.
 */
export function findOutage(timeline: Timeline, { among, beganMs, overAfterMs }: OutageQuestion): Outage | undefined {
  const answers = answersByWindow(timeline, among);
  const first = answers[0];
  const last = answers.at(-1);
  if (!first || !last || first.fromMs >= beganMs || dueRate(timeline, among, overAfterMs) < LEAST_RATE) return undefined;
  // The last answer may come after the load's end, when a queue drains.
  if (timeline.durationMs - last.toMs >= LEAST_OUTAGE_MS) return { state: 'open', fromMs: last.toMs };
  let longest: { fromMs: number; toMs: number } | undefined;
  for (const [index, next] of answers.entries()) {
    const fromMs = answers[index - 1]?.toMs ?? Number.NEGATIVE_INFINITY;
    const lasts = next.fromMs - fromMs;
    if (next.fromMs <= overAfterMs || lasts < LEAST_OUTAGE_MS) continue;
    if (!longest || lasts > longest.toMs - longest.fromMs) longest = { fromMs, toMs: next.fromMs };
  }
  return longest ? { state: 'over', ...longest } : { state: 'none' };
}

/** From the first to the last answer of each window that had any, ascending. */
function answersByWindow(timeline: Timeline, among: Among): { fromMs: number; toMs: number }[] {
  const hasShard = shardsAmong(timeline, among);
  const byWindow = new Map<number, { fromMs: number; toMs: number }>();
  for (const { at, series, firstAnswerAt, lastAnswerAt } of timeline.completions) {
    if (firstAnswerAt === undefined || lastAnswerAt === undefined || !hasShard(series.shard)) continue;
    const seen = byWindow.get(at);
    byWindow.set(at, { fromMs: Math.min(seen?.fromMs ?? firstAnswerAt, firstAnswerAt), toMs: Math.max(seen?.toMs ?? lastAnswerAt, lastAnswerAt) });
  }
  return [...byWindow.values()].toSorted((a, b) => a.fromMs - b.fromMs);
}

/** Requests due a second from a moment on. */
function dueRate(timeline: Timeline, among: Among, sinceMs: number): number {
  const hasShard = shardsAmong(timeline, among);
  const lasts = timeline.durationMs - sinceMs;
  if (lasts < LEAST_OUTAGE_MS) return 0;
  let due = 0;
  for (const window of timeline.windows) if (window.at >= sinceMs - WINDOW_MS && hasShard(window.series.shard)) due += window.due;
  return (due / lasts) * 1_000;
}
