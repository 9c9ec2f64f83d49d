/**
 * recovery: how long it takes until things are well again, counted from a fault's beginning or end.
 *
 * Four clocks are reported, whichever of them is promised: `detectedMs`, from the injection to the end of the first half second that
 * was not normal; `firstSuccessMs`, to the answer that ended the outage; `baselineMs`, to the moment from which all was
 * normal, or within the limits that are asked for; and `heldMs`, how long it then stayed so. With several faults it counts from the first injected or the last healed.
 */
import { type Duration, formatMs, formatShare, milliseconds, share } from '../core/units.ts';
import { type Among, BUCKET_MS, type FaultTimes, faultTimes } from '../timeline/phases.ts';
import { type Timeline, WINDOW_MS } from '../timeline/types.ts';
import { findReturn, type Judged, judgeBuckets, judgeLimits, type Return } from './baseline.ts';
import { finite, ofAmong, unknownVerdict } from './evidence.ts';
import { amongField, durationField, fieldsOf, fromField, type Limits, toField } from './fields.ts';
import { findOutage, LEAST_OUTAGE_MS, LEAST_RATE, type Outage } from './outage.ts';
import type { Verdict } from './types.ts';

export interface RecoveryTerms {
  readonly within: Duration;
  readonly from: 'injected' | 'healed';
  /** What was normal before the fault, the first answer, or limits of its own, for which nothing need be known of the time before. */
  readonly to: 'baseline' | 'first success' | Limits;
  /** How long all must stay normal to count as back; 2 s when it is left out. A first success does not hold. */
  readonly holds?: Duration;
  readonly among?: Among;
}

export interface Recovery extends RecoveryTerms {
  readonly kind: 'recovery';
}

/** `recovery({ within: '5s', from: 'healed', to: 'baseline' })` */
export const recovery = (terms: RecoveryTerms): Recovery => ({ kind: 'recovery', ...terms });

export const recoverySchema = fieldsOf('recovery', {
  within: durationField,
  from: fromField,
  to: toField,
  holds: durationField.exactOptional(),
  among: amongField.exactOptional(),
}).refine(({ to, holds }) => to !== 'first success' || holds === undefined, {
  path: ['holds'],
  error: "goes with 'baseline' or limits; a first success does not hold",
});

/** What both ends of a recovery are judged from, ms. */
interface Evidence {
  readonly limit: string;
  /** 'back to baseline': what has to be reached, for people. */
  readonly goal: string;
  readonly from: Recovery['from'];
  readonly sinceMs: number;
  readonly withinMs: number;
  readonly holdsMs: number;
  readonly endMs: number;
  readonly healedMs: number | undefined;
  readonly figures: Readonly<Record<string, number>>;
}

/** Figures: withinMs, marginMs, detectedMs, firstSuccessMs, baselineMs, heldMs, outageMs, as far as they were seen. */
export function judgeRecovery(objective: Recovery, timeline: Timeline): Verdict {
  const { from, to, among = 'all requests' } = objective;
  const withinMs = milliseconds(objective.within, 'within');
  const holdsMs = milliseconds(objective.holds ?? '2s', 'holds');
  const held = to === 'first success' ? '' : `, for ${formatMs(holdsMs)}`;
  const goal = goalOf(to);
  const limit = `${goal}${ofAmong(among)} within ${formatMs(withinMs)} after ${from}${held}`;

  const times = faultTimes(timeline);
  const sinceMs = from === 'injected' ? times.injectedMs : times.healedMs;
  if (sinceMs === undefined) return unknownVerdict(limit, `no fault was ${from === 'injected' ? 'injected' : 'injected and healed'}`);
  if (sinceMs >= timeline.durationMs) return unknownVerdict(limit, `the load had ended when the fault was ${from}`);

  const beganMs = times.injectingMs ?? sinceMs;
  const inForceUntilMs = times.inForce.at(-1)?.toMs ?? timeline.durationMs;
  const outage = findOutage(timeline, { among, beganMs, of: from === 'injected' ? { faultUntilMs: inForceUntilMs } : { healedMs: sinceMs } });
  const judged = typeof to === 'object' ? judgeLimits(timeline, among, to, sinceMs) : judgeBuckets(timeline, among);
  // What was due in the last window of the fault may have been hit by its healing.
  const untilMs = from === 'injected' ? inForceUntilMs - WINDOW_MS : timeline.durationMs;
  const back = 'because' in judged ? undefined : findReturn(judged.isNormal, sinceMs, untilMs, holdsMs);
  const figures = finite({ withinMs, ...clocks(times, sinceMs, outage, judged, back) });
  const evidence: Evidence = { limit, goal, from, sinceMs, withinMs, holdsMs, endMs: timeline.durationMs, healedMs: times.healedMs, figures };
  if (to === 'first success') return judgeFirstSuccess(outage, evidence);
  return 'because' in judged ? unknownVerdict(limit, judged.because, figures) : judgeBaseline(back as Return, evidence);
}

/** 'back to p99 under 25 ms and 99% in time'. */
function goalOf(to: Recovery['to']): string {
  if (to === 'first success') return to;
  if (to === 'baseline') return 'back to baseline';
  const p99 = to.p99Under === undefined ? [] : [`p99 under ${formatMs(milliseconds(to.p99Under, 'p99Under'))}`];
  const goodput = to.goodputAtLeast === undefined ? [] : [`${formatShare(share(to.goodputAtLeast, 'goodputAtLeast'))} in time`];
  return `back to ${[...p99, ...goodput].join(' and ')}`;
}

function clocks(times: FaultTimes, sinceMs: number, outage: Outage | undefined, judged: Judged, back: Return | undefined): Record<string, number | undefined> {
  const isNormal = 'because' in judged ? [] : judged.isNormal;
  const injectedMs = times.injectedMs ?? sinceMs;
  // The first bucket of which a part lies after the injection.
  const abnormal = isNormal.indexOf(false, Math.max(0, Math.floor((injectedMs - BUCKET_MS) / WINDOW_MS) + 1));
  return {
    detectedMs: abnormal < 0 ? undefined : abnormal * WINDOW_MS + BUCKET_MS - injectedMs,
    firstSuccessMs: outage?.state === 'over' ? Math.max(0, outage.toMs - sinceMs) : outage?.state === 'none' ? 0 : undefined,
    outageMs: outage?.state === 'over' ? outage.toMs - outage.fromMs : outage?.state === 'none' ? 0 : undefined,
    baselineMs: back?.state === 'back' ? back.atMs - sinceMs : undefined,
    heldMs: back?.state === 'back' ? back.heldMs : undefined,
    normalP99Ms: 'because' in judged ? undefined : judged.normal.p99Ms,
    normalGoodputShare: 'because' in judged ? undefined : judged.normal.goodShare,
  };
}

/** Counted to the millisecond. Where no silence had to end, the verdict says just that in place of a time. */
function judgeFirstSuccess(outage: Outage | undefined, evidence: Evidence): Verdict {
  const { limit, from, sinceMs, withinMs, endMs, figures } = evidence;
  if (outage === undefined) {
    return unknownVerdict(
      limit,
      `an outage of ${LEAST_OUTAGE_MS} ms shows only where there were answers before the fault, and ${LEAST_RATE} requests a second after it was ${from}`,
      figures,
    );
  }
  if (outage.state === 'open') return judgeNever(evidence, endMs, 'answers had not come back when the load ended');
  if (outage.state === 'none')
    return {
      status: 'met',
      limit,
      measured: from === 'injected' ? 'answers never stopped' : 'answers were there already',
      figures: { ...figures, marginMs: withinMs },
    };
  const ms = Math.max(0, outage.toMs - sinceMs);
  return {
    status: ms <= withinMs ? 'met' : 'missed',
    limit,
    measured: `${Math.round(ms)} ms after ${from}`,
    figures: { ...figures, marginMs: withinMs - ms },
    moments: [{ at: outage.toMs, label: 'first success' }],
  };
}

function judgeBaseline(back: Return, evidence: Evidence): Verdict {
  const { limit, goal, from, sinceMs, withinMs, endMs, figures } = evidence;
  if (back.state === 'never') return judgeNever(evidence, back.atMs, `it was not ${goal} when the load ended`);
  const ms = back.atMs - sinceMs;
  if (back.state === 'back') {
    return {
      status: ms <= withinMs ? 'met' : 'missed',
      limit,
      measured: `${formatMs(ms)} after ${from}`,
      figures: { ...figures, marginMs: withinMs - ms },
      moments: [{ at: back.atMs, label: goal }],
    };
  }
  const normalMs = endMs - back.atMs;
  const because = `the load ended after ${formatMs(normalMs)} of being normal, and ${formatMs(back.neededMs)} have to be seen`;
  // Even if it had held, it would have come too late.
  if (ms > withinMs)
    return { status: 'missed', limit, measured: `${formatMs(ms)} after ${from}, at the earliest`, figures: { ...figures, marginMs: withinMs - ms }, because };
  return unknownVerdict(limit, because, figures);
}

/**
 * It had not come back at `seenMs`, the last moment known of. Unknown while the time that was promised was not yet over.
 * Metastable when the fault was gone for long enough to tell, and the trouble stayed without it.
 */
function judgeNever({ limit, from, sinceMs, withinMs, holdsMs, endMs, healedMs, figures }: Evidence, seenMs: number, because: string): Verdict {
  if (seenMs < sinceMs + withinMs)
    return unknownVerdict(limit, `${because}, ${formatMs(endMs - sinceMs)} after ${from}; ${formatMs(withinMs)} are allowed`, figures);
  const isMetastable = healedMs !== undefined && endMs - healedMs >= holdsMs;
  return {
    status: 'missed',
    limit,
    measured: 'never',
    figures,
    because: isMetastable ? `${because}, ${formatMs(endMs - healedMs)} after the fault was healed: metastable` : because,
    ...(isMetastable && { cause: 'metastable' as const }),
  };
}
