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
import { type Among, BUCKET_MS, type Bucket, percentileOf, phaseSpans, requestsOf, shardsAmong, slidingBuckets } from '../timeline/phases.ts';
import { type Timeline, WINDOW_MS } from '../timeline/types.ts';
import { leastForPercentile, tooFew } from './evidence.ts';

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

/**
 * - `back`: from `atMs` on everything was normal, and stayed so for `heldMs` at least.
 * - `unseen`: from `atMs` on everything was normal, but the load ended before that had lasted long enough.
 * - `never`: it was not normal when the load ended, at `atMs`.
 */
export type Return = { readonly state: 'back'; readonly atMs: number; readonly heldMs: number } | { readonly state: 'unseen' | 'never'; readonly atMs: number };

/**
 * The first moment from `sinceMs` on from which every bucket is normal for `holdsMs`. What comes back counts as lost again
 * when every bucket is abnormal for as long as it takes to believe in a return: otherwise a fault that bites only after
 * a while would count as overcome at once. Such a loss counts when it began before `untilMs`.
 */
export function findReturn(isNormal: readonly boolean[], sinceMs: number, untilMs: number, holdsMs: number): Return {
  const run = Math.max(1, Math.ceil((holdsMs - BUCKET_MS) / WINDOW_MS) + 1);
  const firstRun = (wanted: boolean, from: number): number => {
    for (let start = from; start + run <= isNormal.length; start++) {
      const breaks = isNormal.slice(start, start + run).lastIndexOf(!wanted);
      if (breaks < 0) return start;
      start += breaks;
    }
    return -1;
  };
  let from = Math.floor(sinceMs / WINDOW_MS);
  for (;;) {
    const back = firstRun(true, from);
    if (back < 0) break;
    const lost = firstRun(false, back + run);
    // What makes the first of these buckets abnormal lies in its last window.
    if (lost < 0 || lost * WINDOW_MS + BUCKET_MS - WINDOW_MS >= untilMs) {
      const next = isNormal.indexOf(false, back);
      const end = next < 0 ? isNormal.length : next;
      return { state: 'back', atMs: Math.max(sinceMs, back * WINDOW_MS), heldMs: (end - 1 - back) * WINDOW_MS + BUCKET_MS };
    }
    from = lost + run;
  }
  const tail = Math.max(from, isNormal.lastIndexOf(false) + 1);
  if (tail < isNormal.length) return { state: 'unseen', atMs: Math.max(sinceMs, tail * WINDOW_MS) };
  return { state: 'never', atMs: Math.max(0, isNormal.length - 1) * WINDOW_MS };
}
