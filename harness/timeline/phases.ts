/**
 * The three phases of a run, as its marks tell them, and the requests that belong to each.
 *
 *     0 ........ | injecting  injected ........ healing  healed | ........ end of the load
 *       before   |                    during                    |   after
 *
 * `during` begins a window before the injection, because what was due then was under way when the fault struck, and ends with the window in which it was
 * healed: every request belongs to one phase. With a grace it begins that long after the fault was in. Windows are keyed by when
 * requests were due, and a window counts only where all of it lies within the phase.
 */
import { formatMs } from '../core/units.ts';
import { Histogram } from './histogram.ts';
import { type Mark, SEVERAL, type Timeline, WINDOW_MS, type Window } from './types.ts';

export const PHASES = ['before', 'during', 'after'] as const;
export type Phase = (typeof PHASES)[number];

/**
 * Whose requests: by the shard that owns the key. Affected are the shards that any fault of the run stands before. A request for several shards,
 * or for none (a connection), belongs to neither side: it counts among all requests only.
 */
export const AMONG = ['all requests', 'healthy shards', 'affected shards'] as const;
export type Among = (typeof AMONG)[number];

/** From `fromMs` up to and without `toMs`. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** When the faults of a run began, held and were over, ms. */
export interface FaultTimes {
  /** When the first fault began to be put in, and when the first one was in; absent when none was. */
  readonly injectingMs?: number;
  readonly injectedMs?: number;
  /** When the last fault had been taken back; absent while one is still in force, and when there was none. */
  readonly healedMs?: number;
  /** When at least one fault was in force, injected to healed: ascending, apart from each other, within the load. */
  readonly inForce: readonly Span[];
  /** The same with the windows at both edges that it was felt in: from a window before injecting to the end of the window of healed. */
  readonly felt: readonly Span[];
}

/** What the marks say of all faults together. */
export function faultTimes(timeline: Timeline): FaultTimes {
  const spans: Span[] = [];
  const felt: Span[] = [];
  const since = new Map<string, number>();
  const feltSince = new Map<string, number>();
  const unhealed = new Set<string>();
  let healedMs: number | undefined;
  const marks = timeline.marks.toSorted((a, b) => a.at - b.at);
  for (const mark of marks) {
    const fault = faultOf(mark);
    const from = since.get(fault);
    if (mark.event === 'injecting') feltSince.set(fault, mark.at);
    if (mark.event === 'injected') {
      since.set(fault, mark.at);
      unhealed.add(fault);
    } else if (from !== undefined && mark.event === 'healed') {
      spans.push({ fromMs: from, toMs: mark.at });
      felt.push(feltBetween(feltSince.get(fault) ?? from, mark.at));
      since.delete(fault);
    }
    if (mark.event === 'healed') {
      unhealed.delete(fault);
      healedMs = mark.at;
    }
  }
  for (const [fault, from] of since) {
    spans.push({ fromMs: from, toMs: timeline.durationMs });
    felt.push(feltBetween(feltSince.get(fault) ?? from, timeline.durationMs));
  }
  const injecting = marks.find((mark) => mark.event === 'injecting') ?? marks[0];
  const injected = marks.find((mark) => mark.event === 'injected');
  return {
    ...(injecting && { injectingMs: injecting.at }),
    ...(injected && { injectedMs: injected.at }),
    ...(healedMs !== undefined && unhealed.size === 0 && { healedMs }),
    inForce: union(spans, timeline.durationMs),
    felt: union(felt, timeline.durationMs),
  };
}

/** Whole windows, so that `before`, `during` and `after` leave none out. */
function feltBetween(injectingMs: number, healedMs: number): Span {
  return { fromMs: Math.floor((injectingMs - WINDOW_MS) / WINDOW_MS) * WINDOW_MS, toMs: Math.ceil(healedMs / WINDOW_MS) * WINDOW_MS };
}

/** One fault on one target: its four marks belong together. */
export function faultOf(mark: Mark): string {
  return `${mark.step} ${mark.target}`;
}

/** Spans that overlap or touch become one; nothing reaches beyond the end of the load. */
function union(spans: readonly Span[], endMs: number): Span[] {
  const merged: Span[] = [];
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const span = { fromMs, toMs: Math.min(toMs, endMs) };
    const last = merged.at(-1);
    if (span.toMs <= span.fromMs) continue;
    if (last && span.fromMs <= last.toMs) merged[merged.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) };
    else merged.push(span);
  }
  return merged;
}

/**
 * When a phase was, as spans (none when it never was). `graceMs` is cut from the front of each span of `during` and
 * `after`: the time that the system is given to react.
 *
 * `before` ends a window early: what was due just before the fault was under way when it struck, and would count the fault
 * among what is normal. A run without any fault is all `before`.
 */
export function phaseSpans(timeline: Timeline, phase: Phase, graceMs = 0): Span[] {
  const times = faultTimes(timeline);
  const endMs = timeline.durationMs;
  const later = ({ fromMs, toMs }: Span): Span => ({ fromMs: fromMs + graceMs, toMs });
  const spans = {
    before: () => [{ fromMs: 0, toMs: times.injectingMs === undefined ? endMs : Math.min(times.injectingMs - WINDOW_MS, endMs) }],
    during: () => (graceMs > 0 ? times.inForce.map(later) : [...times.felt]),
    after: () => (times.healedMs === undefined ? [] : [later({ fromMs: times.healedMs, toMs: endMs })]),
  }[phase]();
  return spans.filter((span) => span.toMs > span.fromMs);
}

/** The shards that any fault of the run stands between the load and. */
export function affectedShards(timeline: Timeline): Set<string> {
  return new Set(timeline.marks.flatMap((mark) => mark.affects));
}

/** Tells for a shard whether its requests are among those asked for. */
export function shardsAmong(timeline: Timeline, among: Among): (shard: string) => boolean {
  if (among === 'all requests') return () => true;
  const affected = affectedShards(timeline);
  return (shard) => shard !== SEVERAL && affected.has(shard) === (among === 'affected shards');
}

/** The windows of certain shards that lie wholly within the spans. The last window of the load may be cut by its end. */
export function windowsWithin(timeline: Timeline, spans: readonly Span[], hasShard: (shard: string) => boolean): Window[] {
  const isWithin = (at: number) => spans.some(({ fromMs, toMs }) => at >= fromMs && (at + WINDOW_MS <= toMs || (toMs >= timeline.durationMs && at < toMs)));
  return timeline.windows.filter((window) => hasShard(window.series.shard) && isWithin(window.at));
}

/** Many requests as one: counts, and how long the answered and the failed took, us. */
export interface Requests {
  readonly due: number;
  readonly answered: number;
  readonly good: number;
  readonly failed: number;
  readonly latency: Histogram;
  readonly gaveUp: Histogram;
}

/** Adds windows up. */
export function gather(windows: Iterable<Window>): Requests {
  let due = 0;
  let answered = 0;
  let good = 0;
  let failed = 0;
  const latency = new Histogram();
  const gaveUp = new Histogram();
  for (const window of windows) {
    due += window.due;
    answered += window.answered;
    good += window.good;
    for (const count of Object.values(window.failed)) failed += count;
    latency.merge(window.latency);
    gaveUp.merge(window.gaveUp);
  }
  return { due, answered, good, failed, latency, gaveUp };
}

/** The requests of a phase. */
export function requestsOf(timeline: Timeline, phase: Phase, among: Among = 'all requests', graceMs = 0): Requests {
  return gather(windowsWithin(timeline, phaseSpans(timeline, phase, graceMs), shardsAmong(timeline, among)));
}

/** A percentile of how long requests took, ms. `isFailure`: the request at that rank was never answered. */
export interface PercentileOf {
  readonly ms: number;
  readonly isFailure: boolean;
}

/**
 * A percentile over the answered and the failed together; undefined when there were none.
 *
 * The failed rank after every answered one, however fast they failed: a request that is refused in a tenth of a millisecond
 * was not answered in a tenth of a millisecond, and no percentile may get better by failing. Where the rank falls on a
 * failure, `ms` is the percentile of the times after which clients knew, be it by answer or failure.
 */
export function percentileOf(requests: Requests, percent: number): PercentileOf | undefined {
  const { latency, gaveUp } = requests;
  const count = latency.count + gaveUp.count;
  if (count === 0) return undefined;
  const rank = Math.min(count, Math.max(1, Math.ceil((percent / 100) * count - 1e-9)));
  // Half a rank less, so that the histogram's own rounding up lands on the rank.
  if (rank <= latency.count) return { ms: latency.percentile(((rank - 0.5) / latency.count) * 100) / 1_000, isFailure: false };
  return { ms: timeToKnowMs(requests, percent) as number, isFailure: true };
}

/** A percentile of how long it took until clients knew, be it by answer or failure, ms; undefined when there were no requests. */
export function timeToKnowMs({ latency, gaveUp }: Requests, percent: number): number | undefined {
  const all = new Histogram();
  all.merge(latency);
  all.merge(gaveUp);
  return all.count === 0 ? undefined : all.percentile(percent) / 1_000;
}

/** Requests that were due within half a second. */
export interface Bucket {
  /** Start, ms; a whole number of windows. */
  readonly at: number;
  readonly due: number;
  /** Good over due; 0 when none was due. */
  readonly goodShare: number;
  /** Until clients knew, be it by answer or failure; infinite when none was due. */
  readonly p99Ms: number;
}

/** Five windows: at 200 requests/s a bucket holds 100, the fewest of which a p99 is not merely the slowest. */
export const BUCKET_MS = 500;
const WINDOWS_PER_BUCKET = BUCKET_MS / WINDOW_MS;

/** Every bucket that lies wholly within the load, one starting at each window: the bucket at index i starts at i x 100 ms. */
export function slidingBuckets(timeline: Timeline, hasShard: (shard: string) => boolean): Bucket[] {
  const slots: Window[][] = Array.from({ length: Math.floor(timeline.durationMs / WINDOW_MS) }, () => []);
  for (const window of timeline.windows) {
    if (hasShard(window.series.shard)) slots[Math.floor(window.at / WINDOW_MS)]?.push(window);
  }
  const buckets: Bucket[] = [];
  for (let first = 0; first + WINDOWS_PER_BUCKET <= slots.length; first++) {
    const requests = gather(slots.slice(first, first + WINDOWS_PER_BUCKET).flat());
    buckets.push({
      at: first * WINDOW_MS,
      due: requests.due,
      goodShare: requests.due > 0 ? requests.good / requests.due : 0,
      p99Ms: timeToKnowMs(requests, 99) ?? Number.POSITIVE_INFINITY,
    });
  }
  return buckets;
}

/** 'during the fault, after 1 s': a phase for people. */
export function phaseInWords(phase: Phase, graceMs = 0): string {
  return `${phase} the fault${graceMs > 0 && phase !== 'before' ? `, after ${formatMs(graceMs)}` : ''}`;
}
