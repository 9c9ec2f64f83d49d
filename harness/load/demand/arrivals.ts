/**
 * When requests arrive, as plain data that a plan can hold: segments in which the rate is held, changes in a line or comes in bursts, one after
 * the other; or a recorded list of moments. What is asked of it without walking through it is here: how many, how many at worst, in which words.
 * `pacer.ts` turns it into due times.
 */
import { formatMs } from '../../core/units.ts';

/** The same rate for `forMs`; without it, to the end of the load. */
export interface Hold {
  readonly kind: 'hold';
  readonly ratePerSecond: number;
  readonly forMs?: number;
}

/** A rate that changes in a line from one to the other over `forMs`; without it, over all that is left of the load. */
export interface Ramp {
  readonly kind: 'ramp';
  readonly fromPerSecond: number;
  readonly toPerSecond: number;
  readonly forMs?: number;
}

/** So many hits at the same moment, at once and then each `everyMs`, for `forMs`; without it, to the end of the load. */
export interface Burst {
  readonly kind: 'burst';
  readonly hits: number;
  readonly everyMs: number;
  readonly forMs?: number;
}

/** Each begins where the one before it ends, so only the last can be without end. */
export type Segment = Hold | Ramp | Burst;

export interface Scheduled {
  readonly kind: 'segments';
  /**
   * - `even`: hits follow each other as evenly as the rate says.
   * - `poisson`: as from a great many callers who know nothing of each other; the rate is the mean. Bursts stay as they are written.
   */
  readonly spacing: 'even' | 'poisson';
  /** Nothing falls due behind the end of the last one. */
  readonly segments: readonly Segment[];
}

/** Recorded due times, ms since the start of the load; they never fall. */
export interface Replay {
  readonly kind: 'replay';
  readonly dueMs: readonly number[];
}

export type Arrivals = Scheduled | Replay;

/** A segment that has its place in a load. */
export interface Stretch {
  readonly segment: Segment;
  readonly startMs: number;
  /** Infinite in a load without end. */
  readonly endMs: number;
  /** The integral of the rate up to its start: hits from this number on (a fraction, where a rate does not come out even) are its own. */
  readonly firstHit: number;
  /** The integral of the rate up to its end. */
  readonly endHit: number;
}

/** The segments that begin within `forMs`, in their places. */
export function stretchesOf(segments: readonly Segment[], forMs: number): Stretch[] {
  const stretches: Stretch[] = [];
  let startMs = 0;
  let firstHit = 0;
  for (const segment of segments) {
    if (startMs >= forMs) break;
    const lengthMs = segment.forMs ?? forMs - startMs;
    const endMs = startMs + lengthMs;
    const endHit = settled(firstHit + hitsWithin(segment, lengthMs, lengthMs));
    stretches.push({ segment, startMs, endMs, firstHit, endHit });
    startMs = endMs;
    firstHit = endHit;
  }
  return stretches;
}

/**
 * How many requests fall due in a load of `forMs`: with even spacing and in a replay the very number, with poisson the mean, which may have
 * a fraction.
 */
export function hitsOf(arrivals: Arrivals, forMs: number): number {
  if (arrivals.kind === 'replay') return arrivals.dueMs.filter((dueMs) => dueMs < forMs).length;
  const last = stretchesOf(arrivals.segments, forMs).at(-1);
  if (!last) return 0;
  const { segment, startMs, endMs, firstHit, endHit } = last;
  const hits = endMs <= forMs ? endHit : settled(firstHit + hitsWithin(segment, endMs - startMs, forMs - startMs));
  return arrivals.spacing === 'even' ? Math.ceil(hits) : hits;
}

/**
 * The most requests a second that any one segment asks for: the highest rate, or what its bursts make in one second. In a replay, the most that
 * fall into any one second. With poisson it is a mean, and single seconds have more; a second across two segments may have the bursts of both.
 */
export function peakPerSecond(arrivals: Arrivals): number {
  if (arrivals.kind === 'replay') return mostWithin(arrivals.dueMs, 1_000);
  return arrivals.segments.reduce((peak, segment) => Math.max(peak, peakWithin(segment)), 0);
}

/** When the schedule is over, ms: behind its last segment, or its last moment; undefined where it goes on to the end of the load. */
export function endOf(arrivals: Arrivals): number | undefined {
  if (arrivals.kind === 'replay') return arrivals.dueMs.at(-1);
  return arrivals.segments.reduce<number | undefined>((sum, { forMs }) => (sum === undefined || forMs === undefined ? undefined : sum + forMs), 0);
}

const MINUTE_MS = 60_000;
/** Places of a minute that are looked at, beside the ends of segments. */
const MOST_PLACES = 4_000;

/**
 * The most requests in any minute, or in all of it where it is shorter: where a minute begins or ends with a segment, and each second or so in between. With poisson it
 * is a mean. A ramp over all that is left of a load is taken for its peak.
 */
export function mostPerMinute(arrivals: Arrivals): number {
  if (arrivals.kind === 'replay') return mostWithin(arrivals.dueMs, MINUTE_MS);
  const last = arrivals.segments.at(-1);
  if (last?.kind === 'ramp' && last.forMs === undefined) return peakPerSecond(arrivals) * 60;
  const before = (ms: number) => hitsOf({ ...arrivals, spacing: 'poisson' }, ms);
  const ends = [0];
  for (const { forMs = 2 * MINUTE_MS } of arrivals.segments) ends.push((ends.at(-1) as number) + forMs);
  const stepMs = Math.max(1_000, (ends.at(-1) as number) / MOST_PLACES);
  const places = [...ends, ...ends.map((ms) => ms - MINUTE_MS), ...Array.from({ length: Math.ceil((ends.at(-1) as number) / stepMs) }, (_, at) => at * stepMs)];
  return Math.max(...places.filter((ms) => ms >= 0).map((ms) => before(ms + MINUTE_MS) - before(ms)));
}

/** In few words, for titles: '2000/s', 'poisson 1000/s to 5000/s over 10 s, then 5000/s', 'bursts of 500 each 1 s', 'replay of 12,034 requests'. */
export function describe(arrivals: Arrivals): string {
  if (arrivals.kind === 'replay') return `replay of ${arrivals.dueMs.length.toLocaleString('en-US')} request${arrivals.dueMs.length === 1 ? '' : 's'}`;
  const words = arrivals.segments.map(wordsOf);
  // A title is one line: of a long list it shows the first three.
  const shown = words.length > 4 ? [...words.slice(0, 3), `${words.length - 3} more`] : words;
  return `${arrivals.spacing === 'poisson' ? 'poisson ' : ''}${shown.join(', then ')}`;
}

/** The integral of a segment's rate from its start to `atMs` behind it. Bursts at `atMs` itself are not in it. */
function hitsWithin(segment: Segment, lengthMs: number, atMs: number): number {
  switch (segment.kind) {
    case 'hold':
      return (segment.ratePerSecond * atMs) / 1_000;
    case 'ramp': {
      const { fromPerSecond, toPerSecond } = segment;
      // The mean of the rates at both ends of [0, atMs]. A ramp over an endless load never leaves its first rate.
      const reachedPerSecond = lengthMs === Number.POSITIVE_INFINITY ? fromPerSecond : fromPerSecond + ((toPerSecond - fromPerSecond) * atMs) / lengthMs;
      return (((fromPerSecond + reachedPerSecond) / 2) * atMs) / 1_000;
    }
    case 'burst':
      return segment.hits * Math.ceil(settled(atMs / segment.everyMs));
  }
}

/** 11001.000000000002 to 11001: sums of rates that are meant to come out whole do, so that the next segment's first hit falls on its start. */
function settled(hits: number): number {
  const whole = Math.round(hits);
  return Math.abs(hits - whole) < 1e-6 ? whole : hits;
}

function peakWithin(segment: Segment): number {
  switch (segment.kind) {
    case 'hold':
      return segment.ratePerSecond;
    case 'ramp':
      return Math.max(segment.fromPerSecond, segment.toPerSecond);
    case 'burst': {
      // Each 300 ms: at 0, 300, 600 and 900 ms, four in that second.
      const withinMs = Math.min(1_000, segment.forMs ?? 1_000);
      return segment.hits * Math.ceil(settled(withinMs / segment.everyMs));
    }
  }
}

/** The most of these moments in any stretch of that length, its end not in it. */
function mostWithin(dueMs: readonly number[], lengthMs: number): number {
  let peak = 0;
  let first = 0;
  for (let last = 0; last < dueMs.length; last++) {
    while ((dueMs[last] as number) - (dueMs[first] as number) >= lengthMs) first++;
    peak = Math.max(peak, last - first + 1);
  }
  return peak;
}

function wordsOf(segment: Segment): string {
  switch (segment.kind) {
    case 'hold':
      return `${segment.ratePerSecond}/s${forWords(segment)}`;
    case 'ramp':
      return `${segment.fromPerSecond}/s to ${segment.toPerSecond}/s ${segment.forMs === undefined ? 'until the end' : `over ${formatMs(segment.forMs)}`}`;
    case 'burst':
      return `bursts of ${segment.hits} each ${formatMs(segment.everyMs)}${forWords(segment)}`;
  }
}

function forWords({ forMs }: Segment): string {
  return forMs === undefined ? '' : ` for ${formatMs(forMs)}`;
}
