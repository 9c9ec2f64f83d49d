/**
 * ripple: a fault on one shard makes the others slow. The median of requests for all other shards, while the fault lasts
 * over before: the half of all users who have nothing to do with the slow node.
 */
import { type Duration, type Factor, factor, formatFactor, milliseconds } from '../core/units.ts';
import { gather, type Phase, phaseInWords, phaseSpans, type Requests, timeToKnowMs, windowsWithin } from '../timeline/phases.ts';
import { SEVERAL, type Timeline } from '../timeline/types.ts';
import { finite, formatCount, leastForPercentile, unknownVerdict } from './evidence.ts';
import { factorField, fieldsOf, graceField, nodeField } from './fields.ts';
import type { Verdict } from './types.ts';

export interface RippleTerms {
  /** The shard that the fault stands before. */
  readonly from: string;
  readonly atLeast: Factor;
  /** Cut from the front of the fault: queues need time to fill. A second when it is left out. */
  readonly grace?: Duration;
}

export interface Ripple extends RippleTerms {
  readonly kind: 'ripple';
}

/** `ripple({ from: 'mc-3', atLeast: '20x' })`: the median of all shards but mc-3 grows at least twentyfold. */
export const ripple = (terms: RippleTerms): Ripple => ({ kind: 'ripple', ...terms });

export const rippleSchema = fieldsOf('ripple', { from: nodeField, atLeast: factorField, grace: graceField.exactOptional() });

const MEDIAN = 50;

/** Figures: factor, limitFactor, p50Ms, baselineMs, samples. */
export function judgeRipple(objective: Ripple, timeline: Timeline): Verdict {
  const { from } = objective;
  const limitFactor = factor(objective.atLeast, 'atLeast');
  const graceMs = milliseconds(objective.grace ?? '1s', 'grace');
  const limit = `p50 of shards other than ${from} at least ${formatFactor(limitFactor)} its baseline ${phaseInWords('during', graceMs)}`;

  const shards = new Set(timeline.windows.map((window) => window.series.shard));
  if (!shards.has(from)) return unknownVerdict(limit, `no request was for shard '${from}'; there were ${[...shards].toSorted().join(', ') || 'none at all'}`);
  // A request for several shards may well wait for the slow one: it is not another's.
  const isOther = (shard: string) => shard !== from && shard !== SEVERAL;
  const othersIn = (phase: Phase, cutMs: number): Requests => gather(windowsWithin(timeline, phaseSpans(timeline, phase, cutMs), isOther));
  const before = othersIn('before', 0);
  const during = othersIn('during', graceMs);
  const least = leastForPercentile(MEDIAN);
  const had = Math.min(before.due, during.due);
  const baselineMs = timeToKnowMs(before, MEDIAN);
  const p50Ms = timeToKnowMs(during, MEDIAN);
  if (had < least || !baselineMs || p50Ms === undefined) {
    return unknownVerdict(
      limit,
      `a median needs ${least} requests for other shards in each phase; there were ${formatCount(before.due)} ${phaseInWords('before')} and ${formatCount(during.due)} ${phaseInWords('during', graceMs)}`,
      { samples: had },
    );
  }
  const grown = p50Ms / baselineMs;
  return {
    status: grown >= limitFactor ? 'met' : 'missed',
    limit,
    measured: formatFactor(grown),
    figures: finite({ factor: grown, limitFactor, p50Ms, baselineMs, samples: during.due }),
  };
}
