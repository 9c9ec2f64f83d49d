/**
 * When requests fall due: a function of their number and the seed, so that a schedule is the same in every run and owes nothing to how fast the
 * system answers.
 */
import type { Random } from '../../core/random.ts';
import { type Arrivals, type Segment, type Stretch, stretchesOf } from './arrivals.ts';

/** When hit n (from 0) is due, ms since the start of the load; undefined when there is no such hit. Never falls as n grows. */
export type Pacer = (hits: number) => number | undefined;

/**
 * The due times of a load that lasts `forMs`; all are below it.
 *
 * Even spacing and replays can be asked for any hit at any time. Poisson is drawn as it goes: it may be asked for a hit again and may skip
 * some, and throws when it is asked for one before the last. It draws from a stream of `random`'s own by name, so that what was drawn from `random` before does not
 * matter, and every process that starts from the same seed has the same schedule.
 */
export function pacerOf(arrivals: Arrivals, forMs: number, random: Random): Pacer {
  if (arrivals.kind === 'replay') return replayed(arrivals.dueMs, forMs);
  const stretches = stretchesOf(arrivals.segments, forMs);
  return arrivals.spacing === 'poisson' ? poisson(stretches, forMs, random.fork('arrivals')) : even(stretches, forMs);
}

/** The same distance between any two hits: hit n is due at n x 1000 / rate ms, for all that is below `forMs`. */
export function constantRate(ratePerSecond: number, forMs: number): Pacer {
  return even(stretchesOf([{ kind: 'hold', ratePerSecond }], forMs), forMs);
}

/** What the index-th (from 0) of so many processes offers: hits index, index + of, index + 2 x of, ... All of them together offer every hit once. */
export function partOf(pacer: Pacer, index: number, of: number): Pacer {
  return (hits) => pacer(hits * of + index);
}

function replayed(list: readonly number[], forMs: number): Pacer {
  const due = Float64Array.from(list);
  return (hits) => {
    const dueMs = due[hits];
    return dueMs !== undefined && dueMs < forMs ? dueMs : undefined;
  };
}

/** Hit n is due when the integral of the rate reaches n. It is solved for each n anew: a sum of gaps would drift. */
function even(stretches: readonly Stretch[], forMs: number): Pacer {
  // Hits are asked for one after the other, so the stretch of the last one is the place to look first.
  let at = 0;
  return (hits) => {
    while (at < stretches.length - 1 && hits >= (stretches[at] as Stretch).endHit) at++;
    while (at > 0 && hits < (stretches[at] as Stretch).firstHit) at--;
    const stretch = stretches[at];
    if (!stretch || hits >= stretch.endHit) return undefined;
    const dueMs = dueIn(stretch, hits - stretch.firstHit);
    return dueMs < forMs ? dueMs : undefined;
  };
}

/**
 * A Poisson process whose rate changes, exactly: the hits of one with rate 1 (gaps are exponential with mean 1) are laid along the integral of the
 * rate instead of along time (E. Cinlar, Introduction to Stochastic Processes, 1975). What is still to wait for at the end of a stretch is
 * dropped, since a Poisson process has no memory.
 */
function poisson(stretches: readonly Stretch[], forMs: number, random: Random): Pacer {
  let at = 0;
  /** The integral of the rate from the start of the stretch to the last hit; in bursts, the number of the next hit. */
  let reached = 0;
  let number = -1;
  let dueMs: number | undefined = 0;

  const next = (lastMs: number): number | undefined => {
    for (; at < stretches.length; at++, reached = 0) {
      const stretch = stretches[at] as Stretch;
      const isBurst = stretch.segment.kind === 'burst';
      if (!isBurst) reached -= Math.log1p(-random.next());
      // A burst is whole, and the difference of two sums a billionth off.
      const hits = stretch.endHit - stretch.firstHit;
      if (reached >= (isBurst ? Math.round(hits) : hits)) continue;
      // Two hits can be closer than what is rounded off in a ramp's quadratic.
      const nextMs = Math.max(lastMs, dueIn(stretch, reached));
      if (isBurst) reached++;
      return nextMs < forMs ? nextMs : undefined;
    }
    return undefined;
  };

  return (hits) => {
    if (hits < number) throw new RangeError(`a poisson schedule is read forwards: hit ${hits} was asked for after hit ${number}`);
    for (; number < hits && dueMs !== undefined; number++) dueMs = next(dueMs);
    return dueMs;
  };
}

/** When the integral of the rate from the start of this stretch on reaches `hits`. */
function dueIn({ segment, startMs, endMs }: Stretch, hits: number): number {
  return Math.min(endMs, startMs + spanMs(segment, endMs - startMs, hits));
}

function spanMs(segment: Segment, lengthMs: number, hits: number): number {
  switch (segment.kind) {
    case 'hold':
      // One division of exact numbers for each hit.
      return (hits * 1_000) / segment.ratePerSecond;
    case 'ramp': {
      // from x t + slope x t^2 / 2 = hits, solved for t in the form in which nothing cancels: t = 2 x hits / (from + sqrt(from^2 + 2 x slope x hits)).
      const { fromPerSecond, toPerSecond } = segment;
      const slope = ((toPerSecond - fromPerSecond) * 1_000) / lengthMs;
      const reachedPerSecond = Math.sqrt(Math.max(0, fromPerSecond * fromPerSecond + 2 * slope * hits));
      // A ramp from zero has its first hit at its start, where this would be 0 / 0.
      return hits === 0 ? 0 : (2_000 * hits) / (fromPerSecond + reachedPerSecond);
    }
    case 'burst':
      return Math.floor(hits / segment.hits) * segment.everyMs;
  }
}
