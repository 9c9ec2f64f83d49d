/**
 * When answers stopped, and when the first one came again, to the millisecond: completions carry the moments of the first and
 * the last answer of each window, so that a silence longer than a window is known exactly at both ends.
 */
import { type Among, type Span, shardsAmong } from '../timeline/phases.ts';
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
  /** Which silence is meant: the one that the fault brought, up to when it was last in force, or the one that its healing has to end. */
  readonly of: { readonly faultUntilMs: number } | { readonly healedMs: number };
}

/**
 * The one silence that the fault answers for, so that a hiccup at any other time is not taken for the outage.
 *
 * Of the fault: the first that began from one window before the injection on (the last answer before it is that old at
 * most, even where requests are sparse) and while the fault was in force. Where there is none, the silence in the middle
 * of which the fault struck, for whoever asks when answers came again must not hear that they never stopped. Of the
 * healing: the silence that began before the moment of healing and ended after it.
 *
 * Answers of all the shards asked for count alike: the first one of any of them ends the silence. A silence that the load's
 * end cut off is open. Undefined when there was no answer at all before the fault, or too few requests to tell a silence from a
 * pause between two.
 */
export function findOutage(timeline: Timeline, { among, beganMs, of }: OutageQuestion): Outage | undefined {
  const answers = answersByWindow(timeline, among);
  const first = answers[0];
  const sinceMs = 'healedMs' in of ? of.healedMs : beganMs;
  if (!first || first.fromMs >= beganMs || dueRate(timeline, among, sinceMs) < LEAST_RATE) return undefined;
  const silences = silencesOf(answers, timeline.durationMs);
  const inForceAt = (ms: number) => silences.find(({ fromMs, toMs }) => fromMs < ms && toMs > ms);
  const found =
    'healedMs' in of ? inForceAt(of.healedMs) : (silences.find(({ fromMs }) => fromMs > beganMs - WINDOW_MS && fromMs < of.faultUntilMs) ?? inForceAt(beganMs));
  if (!found) return { state: 'none' };
  return Number.isFinite(found.toMs) ? { state: 'over', ...found } : { state: 'open', fromMs: found.fromMs };
}

/** Every silence that is long enough, ascending; one that the load's end cut off ends never. */
function silencesOf(answers: readonly Span[], endMs: number): Span[] {
  const silences: Span[] = [];
  for (const [index, { toMs: fromMs }] of answers.entries()) {
    const next = answers[index + 1];
    // The last answer may come after the load's end, when a queue drains.
    if ((next?.fromMs ?? endMs) - fromMs >= LEAST_OUTAGE_MS) silences.push({ fromMs, toMs: next?.fromMs ?? Number.POSITIVE_INFINITY });
  }
  return silences;
}

/** From the first to the last answer of each window that had any, ascending. */
function answersByWindow(timeline: Timeline, among: Among): Span[] {
  const hasShard = shardsAmong(timeline, among);
  const byWindow = new Map<number, Span>();
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
