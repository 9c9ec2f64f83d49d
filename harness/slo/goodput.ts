/** goodput: of all requests that were due, at least this share is answered correctly within its deadline, counted from due. */
import { type Duration, formatShare, milliseconds, type Share, share } from '../core/units.ts';
import { type Among, type Phase, phaseInWords, requestsOf } from '../timeline/phases.ts';
import type { Timeline } from '../timeline/types.ts';
import { finite, LEAST_DUE, ofAmong, ROUNDING, tooFew, unknownVerdict } from './evidence.ts';
import { amongField, fieldsOf, graceField, shareField, whenField } from './fields.ts';
import type { Verdict } from './types.ts';

export interface GoodputTerms {
  readonly atLeast: Share;
  readonly when: Phase;
  readonly among?: Among;
  /** Cut from the front of the phase: the time that the system is given to react. */
  readonly grace?: Duration;
}

export interface Goodput extends GoodputTerms {
  readonly kind: 'goodput';
}

/** `goodput({ atLeast: '95%', when: 'during', grace: '1s' })` */
export const goodput = (terms: GoodputTerms): Goodput => ({ kind: 'goodput', ...terms });

export const goodputSchema = fieldsOf('goodput', {
  atLeast: shareField,
  when: whenField,
  among: amongField.exactOptional(),
  grace: graceField.exactOptional(),
});

/** Figures: goodputShare, limitShare, marginShare, good, samples (requests due). */
export function judgeGoodput(objective: Goodput, timeline: Timeline): Verdict {
  const { when, among = 'all requests' } = objective;
  const limitShare = share(objective.atLeast, 'atLeast');
  const graceMs = milliseconds(objective.grace ?? '0ms', 'grace');
  const limit = `at least ${formatShare(limitShare)} of requests${ofAmong(among)} answered in time ${phaseInWords(when, graceMs)}`;
  const { due, good } = requestsOf(timeline, when, among, graceMs);
  if (due < LEAST_DUE) return unknownVerdict(limit, tooFew('goodput', LEAST_DUE, among, when, graceMs, due), { samples: due });
  const goodputShare = good / due;
  return {
    status: goodputShare >= limitShare - ROUNDING ? 'met' : 'missed',
    limit,
    measured: formatShare(goodputShare),
    figures: finite({ goodputShare, limitShare, marginShare: goodputShare - limitShare, good, samples: due }),
  };
}
