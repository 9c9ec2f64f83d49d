/**
 * What is normal for a run, and from when on it was normal again.
 *
 * Half-second buckets of requests, one starting every tenth of a second, are compared with the phase before the fault:
 *
 *     goodput at least   min(baseline - 1 point, its worst bucket), but no less than baseline - 5 points
 *     p99 at most        max(3 x baseline, baseline + 10 ms, its worst bucket), the last no more than baseline + 50 ms
 *
 * One point is one failure in a bucket of 100 (200 requests/s). Of a few hundred requests the p99 is nearly the slowest, so it spreads
 * far wider than the p99 of a whole phase: threefold, and by 10 ms where the baseline is itself a millisecond, are
 * what two busy cores show without any fault. The worst bucket counts too, so that a machine meets its own
 * baseline; but a stall of more than 50 ms is trouble, at which the generator would count as starved, and must not become
 * the definition of normal.
 */
import { milliseconds, share } from '../core/units.ts';
import { type Among, BUCKET_MS, type Bucket, gather, percentileOf, phaseSpans, requestsOf, shardsAmong, slidingBuckets } from '../timeline/phases.ts';
import { type Timeline, WINDOW_MS } from '../timeline/types.ts';
import { leastForPercentile, ROUNDING, tooFew } from './evidence.ts';
import type { Limits } from './fields.ts';

const NARROW_SHARE = 0.01;
const WIDEST_SHARE = 0.05;
const TIMES = 3;
const NARROW_MS = 10;
const WIDEST_MS = 50;

/** A bucket of fewer has nothing to say of shares: 20 requests/s. */
const LEAST_DUE_IN_BUCKET = 10;

/** The limits between which a bucket is normal. */
export interface Normal {
  readonly goodShare: number;
  readonly p99Ms: number;
}

/** All buckets of a run, and which are normal; `because` where there is too little to know what is. */
export type Judged = { readonly buckets: readonly Bucket[]; readonly isNormal: readonly boolean[]; readonly normal: Normal } | { readonly because: string };

export function judgeBuckets(timeline: Timeline, among: Among): Judged {
  const before = requestsOf(timeline, 'before', among);
  const least = leastForPercentile(99);
  if (before.due < least) return { because: tooFew('a baseline', least, among, 'before', 0, before.due) };
  const p99 = percentileOf(before, 99);
  if (!p99 || p99.isFailure) return { because: 'more than 1% of the requests failed before the fault, so there is no baseline to come back to' };

  const spans = phaseSpans(timeline, 'before');
  const buckets = slidingBuckets(timeline, shardsAmong(timeline, among));
  const own = buckets.filter(({ at }) => spans.some(({ fromMs, toMs }) => at >= fromMs && at + BUCKET_MS <= toMs));
  const thin = own.find(({ due }) => due < LEAST_DUE_IN_BUCKET);
  if (thin || own.length === 0) return { because: `a baseline needs ${LEAST_DUE_IN_BUCKET} requests in each half second; there were ${thin?.due ?? 0}` };

  const goodShare = before.good / before.due;
  const normal: Normal = {
    goodShare: Math.max(goodShare - WIDEST_SHARE, Math.min(goodShare - NARROW_SHARE, ...own.map((bucket) => bucket.goodShare))),
    p99Ms: Math.max(TIMES * p99.ms, p99.ms + NARROW_MS, Math.min(p99.ms + WIDEST_MS, Math.max(...own.map((bucket) => bucket.p99Ms)))),
  };
  // What 1 - 0.01 is as a number must not fail the 99 of 100 that it stands for.
  const isNormal = buckets.map((bucket) => bucket.goodShare >= normal.goodShare - 1e-9 && bucket.p99Ms <= normal.p99Ms);
  return { buckets, isNormal, normal };
}

/** As above, against limits that were written down: the requests before the fault do not matter. */
export function judgeLimits(timeline: Timeline, among: Among, limits: Limits, sinceMs: number): Judged {
  const hasShard = shardsAmong(timeline, among);
  const buckets = slidingBuckets(timeline, hasShard);
  const thin = buckets.find(({ at, due }) => at + BUCKET_MS > sinceMs && due < LEAST_DUE_IN_BUCKET);
  if (thin) return { because: `limits need ${LEAST_DUE_IN_BUCKET} requests in each half second; there were ${thin.due}` };
  const normal: Normal = {
    goodShare: limits.goodputAtLeast === undefined ? 0 : share(limits.goodputAtLeast, 'goodputAtLeast'),
    p99Ms: limits.p99Under === undefined ? Number.POSITIVE_INFINITY : milliseconds(limits.p99Under, 'p99Under'),
  };
  const slots = Map.groupBy(
    timeline.windows.filter((window) => hasShard(window.series.shard)),
    (window) => Math.floor(window.at / WINDOW_MS),
  );
  // Without a limit on goodput, a node that refuses everything at once would have the best p99 of all.
  const isUnder = (index: number): boolean => {
    const p99 = percentileOf(gather(Array.from({ length: BUCKET_MS / WINDOW_MS }, (_, offset) => slots.get(index + offset) ?? []).flat()), 99);
    return p99 !== undefined && !p99.isFailure && p99.ms < normal.p99Ms;
  };
  const isNormal = buckets.map(({ goodShare }, index) => goodShare >= normal.goodShare - ROUNDING && (limits.p99Under === undefined || isUnder(index)));
  return { buckets, isNormal, normal };
}

/**
 * - `back`: from `atMs` on everything was normal for `heldMs`, and what came later does not take that back.
 * - `unseen`: from `atMs` on it looks well, but the load ended before `neededMs` of that were seen.
 * - `never`: it was not normal when the load ended, at `atMs`.
 */
export type Return =
  | { readonly state: 'back'; readonly atMs: number; readonly heldMs: number }
  | { readonly state: 'unseen'; readonly atMs: number; readonly neededMs: number }
  | { readonly state: 'never'; readonly atMs: number };

const MOST_ABNORMAL_SHARE = 0.25;
const LEAST_LOSS_MS = 2_000;

/**
 * The first moment from `sinceMs` on from which every bucket is normal for `holdsMs`, and which holds:
 *
 * - Of all buckets from there to the end of the span, at most 25% are abnormal. The span ends at `untilMs` for a return before
 *   it, else with the load. A stall of s ms makes s / 100 + 4 buckets abnormal, for so many contain a part of it. Proxies that
 *   try an ejected node every 5 s stall for 0.3 s: 7 of 50 buckets, 14%, and count as back. Up for 2.1 s and down for 1 s
 *   is 14 of 31, 45%; 0.9 s down and 0.6 s up is 13 of 15, 87%.
 * - No unbroken loss follows that lasts as long as it takes to believe in a return, and 2 s at least: of a long load it
 *   may be less than 25%. It counts when it began before `untilMs`.
 * - After a return that did not hold, the next must be seen for longer: `holdsMs` and once more as long as the longest that was
 *   lost, which counts for 2 x `holdsMs` at most. Otherwise the last 2.1 s up before the load's end would count as back.
 */
export function findReturn(isNormal: readonly boolean[], sinceMs: number, untilMs: number, holdsMs: number): Return {
  const run = bucketsIn(holdsMs);
  const lossRun = bucketsIn(Math.max(holdsMs, LEAST_LOSS_MS));
  // What makes a bucket the first abnormal one lies in its last window: this is the first that may be due to what came after.
  const untilIndex = Math.ceil((untilMs - BUCKET_MS) / WINDOW_MS) + 1;
  const endMs = (isNormal.length - 1) * WINDOW_MS + BUCKET_MS;
  let neededMs = holdsMs;
  let from = Math.floor(sinceMs / WINDOW_MS);
  for (;;) {
    const back = firstRun(isNormal, true, from, run);
    if (back < 0) break;
    const next = isNormal.indexOf(false, back);
    const heldMs = ((next < 0 ? isNormal.length : next) - 1 - back) * WINDOW_MS + BUCKET_MS;
    const isBefore = back * WINDOW_MS < untilMs;
    const spanEnd = Math.max(isBefore ? untilIndex : isNormal.length, neededMs > holdsMs ? back + bucketsIn(neededMs) : 0);
    const span = isNormal.slice(back, spanEnd);
    const lost = firstRun(isNormal, false, back + run, lossRun);
    const holds = span.filter((normal) => !normal).length <= span.length * MOST_ABNORMAL_SHARE && (lost < 0 || lost >= untilIndex);
    const atMs = Math.max(sinceMs, back * WINDOW_MS);
    if (holds && back * WINDOW_MS + neededMs > endMs) return { state: 'unseen', atMs, neededMs };
    // Where no bucket is abnormal from here on, there is nowhere left to look.
    if (holds || next < 0) return { state: 'back', atMs, heldMs };
    neededMs = Math.max(neededMs, holdsMs + Math.min(heldMs, 2 * holdsMs));
    from = next;
  }
  const tail = Math.max(from, isNormal.lastIndexOf(false) + 1);
  if (tail < isNormal.length) return { state: 'unseen', atMs: Math.max(sinceMs, tail * WINDOW_MS), neededMs };
  return { state: 'never', atMs: Math.max(0, isNormal.length - 1) * WINDOW_MS };
}

/** How many sliding buckets cover so long a time. */
function bucketsIn(ms: number): number {
  return Math.max(1, Math.ceil((ms - BUCKET_MS) / WINDOW_MS) + 1);
}

/** Where the first `run` buckets in a row are all as wanted, from an index on; -1 when nowhere. */
function firstRun(isNormal: readonly boolean[], wanted: boolean, from: number, run: number): number {
  for (let start = from; start + run <= isNormal.length; start++) {
    const breaks = isNormal.slice(start, start + run).lastIndexOf(!wanted);
    if (breaks < 0) return start;
    start += breaks;
  }
  return -1;
}
