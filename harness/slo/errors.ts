/** errors: of all requests that were due, at most this share fails, by whatever kind of error. */
import { type Duration, formatShare, milliseconds, type Share, share } from '../core/units.ts';
import { type Among, type Phase, phaseInWords, requestsOf } from '../timeline/phases.ts';
import type { Timeline } from '../timeline/types.ts';
import { finite, LEAST_DUE, ofAmong, ROUNDING, tooFew, unknownVerdict } from './evidence.ts';
import { amongField, fieldsOf, graceField, shareField, whenField } from './fields.ts';
import type { Verdict } from './types.ts';

export interface ErrorsTerms {
  readonly atMost: Share;
  readonly when: Phase;
  readonly among?: Among;
  /** Cut from the front of the phase: the time that the system is given to react. */
  readonly grace?: Duration;
}

export interface Errors extends ErrorsTerms {
  readonly kind: 'errors';
}

/** `errors({ atMost: '1%', when: 'during', grace: '1s' })` */
export const errors = (terms: ErrorsTerms): Errors => ({ kind: 'errors', ...terms });

export const errorsSchema = fieldsOf('errors', { atMost: shareField, when: whenField, among: amongField.exactOptional(), grace: graceField.exactOptional() });

/** Figures: failedShare, limitShare, marginShare, failed, samples (requests due). */
export function judgeErrors(objective: Errors, timeline: Timeline): Verdict {
  const { when, among = 'all requests' } = objective;
  const limitShare = share(objective.atMost, 'atMost');
  const graceMs = milliseconds(objective.grace ?? '0ms', 'grace');
  const limit = `at most ${formatShare(limitShare)} of requests${ofAmong(among)} failed ${phaseInWords(when, graceMs)}`;
  const { due, failed } = requestsOf(timeline, when, among, graceMs);
  if (due < LEAST_DUE) return unknownVerdict(limit, tooFew('an error share', LEAST_DUE, among, when, graceMs, due), { samples: due });
  const failedShare = failed / due;
  return {
    status: failedShare <= limitShare + ROUNDING ? 'met' : 'missed',
    limit,
    measured: formatErrors(failedShare),
    figures: finite({ failedShare, limitShare, marginShare: limitShare - failedShare, failed, samples: due }),
  };
}

/** Rounded up where goodput is rounded down: three failures of a million are not '0%'. */
function formatErrors(failedShare: number): string {
  const percent = failedShare * 100;
  const digits = percent < 1 ? 1_000 : 10;
  return `${Math.ceil(percent * digits - 1e-9) / digits}%`;
}
