/**
 * percentile: so many of a hundred requests are answered within so long.
 *
 * It is taken over the answered and the failed together, and the failed rank last: with 2% failing there is no p99 to
 * be under a limit, however quickly they failed.
 */
import { type Duration, type Factor, factor, formatFactor, formatMs, formatShare, milliseconds } from '../core/units.ts';
import { type Among, type Phase, percentileOf, phaseInWords, requestsOf } from '../timeline/phases.ts';
import type { Timeline } from '../timeline/types.ts';
import { finite, formatCount, leastForPercentile, ofAmong, tooFew, unknownVerdict } from './evidence.ts';
import { amongField, durationField, factorField, fieldsOf, graceField, percentField, whenField } from './fields.ts';
import type { Verdict } from './types.ts';

export interface PercentileTerms {
  readonly under: Duration;
  readonly when: Phase;
  readonly among?: Among;
  /** The limit is at least so many times the same percentile before the fault. */
  readonly orTimesBaseline?: Factor;
  /** Cut from the front of the phase: the time that the system is given to react. */
  readonly grace?: Duration;
}

export interface Percentile extends PercentileTerms {
  readonly kind: 'percentile';
  readonly percent: number;
}

/** `percentile(99, { under: '25ms', when: 'before' })`: p99, due to answered, under 25 ms before the fault. */
export const percentile = (percent: number, terms: PercentileTerms): Percentile => ({ kind: 'percentile', percent, ...terms });

export const percentileSchema = fieldsOf('percentile', {
  percent: percentField,
  under: durationField,
  when: whenField,
  among: amongField.exactOptional(),
  orTimesBaseline: factorField.exactOptional(),
  grace: graceField.exactOptional(),
});

/** Figures: p99Ms (by its percent), limitMs, marginMs, samples, failedShare, and baselineMs where a baseline counts. */
export function judgePercentile(objective: Omit<Percentile, 'kind'>, timeline: Timeline): Verdict {
  const { percent, when, among = 'all requests' } = objective;
  const name = `p${percent}`;
  const underMs = milliseconds(objective.under, 'under');
  const graceMs = milliseconds(objective.grace ?? '0ms', 'grace');
  const times = objective.orTimesBaseline === undefined ? undefined : factor(objective.orTimesBaseline, 'orTimesBaseline');
  const least = leastForPercentile(percent);

  const baseline = times === undefined ? undefined : baselineMs(timeline, percent, among);
  const limitMs = Math.max(underMs, (times ?? 0) * (baseline ?? 0));
  const byBaseline = times !== undefined && limitMs > underMs ? ` (${formatFactor(times)} its baseline)` : '';
  const limit = `${name}${ofAmong(among)} under ${formatMs(limitMs)}${byBaseline} ${phaseInWords(when, graceMs)}`;

  const requests = requestsOf(timeline, when, among, graceMs);
  const samples = requests.latency.count + requests.gaveUp.count;
  const measured = percentileOf(requests, percent);
  if (measured === undefined || samples < least) return unknownVerdict(limit, tooFew(`a ${name}`, least, among, when, graceMs, samples), { samples, limitMs });

  const { ms, isFailure } = measured;
  const failedShare = requests.gaveUp.count / samples;
  const figures = finite({
    [`p${String(percent).replace('.', '_')}Ms`]: ms,
    limitMs,
    marginMs: limitMs - ms,
    samples,
    failedShare,
    baselineMs: baseline,
  });
  const isMet = !isFailure && ms < limitMs;
  if (!isMet && times !== undefined && baseline === undefined) {
    return unknownVerdict(
      limit,
      `there is no ${name} before the fault to compare with: it takes ${formatCount(least)} requests${ofAmong(among)}, few enough of them failed`,
      figures,
    );
  }
  return {
    status: isMet ? 'met' : 'missed',
    limit,
    measured: isFailure && ms < limitMs ? 'failed' : formatMs(ms),
    figures,
    ...(isFailure && { because: `${formatShare(failedShare)} of the requests failed, so the ${name} is a failure` }),
  };
}

/** The percentile before the fault; undefined where there is too little to tell, or where it is itself a failure. */
function baselineMs(timeline: Timeline, percent: number, among: Among): number | undefined {
  const before = requestsOf(timeline, 'before', among);
  const measured = percentileOf(before, percent);
  const isEnough = before.latency.count + before.gaveUp.count >= leastForPercentile(percent);
  return isEnough && measured && !measured.isFailure ? measured.ms : undefined;
}
