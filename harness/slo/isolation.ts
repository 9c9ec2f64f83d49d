/**
 * isolation: who has nothing to do with the fault does not feel it. The p99 of requests for healthy shards, those
 * that no fault of the run stands before, while the fault lasts.
 */
import type { Duration, Factor } from '../core/units.ts';
import type { Timeline } from '../timeline/types.ts';
import { durationField, factorField, fieldsOf, graceField } from './fields.ts';
import { judgePercentile } from './percentile.ts';
import type { Verdict } from './types.ts';

export interface IsolationTerms {
  readonly p99Under: Duration;
  /** The limit is at least so many times the same p99 before the fault. */
  readonly orTimesBaseline?: Factor;
  /** Cut from the front of the fault: the time that the system is given to react. */
  readonly grace?: Duration;
}

export interface Isolation extends IsolationTerms {
  readonly kind: 'isolation';
}

/** `isolation({ p99Under: '25ms', grace: '1s' })`: healthy shards answer 99% under 25 ms during the fault, from its second second on. */
export const isolation = (terms: IsolationTerms): Isolation => ({ kind: 'isolation', ...terms });

export const isolationSchema = fieldsOf('isolation', {
  p99Under: durationField,
  orTimesBaseline: factorField.exactOptional(),
  grace: graceField.exactOptional(),
});

/** Figures as of a percentile of 99. */
export function judgeIsolation({ p99Under, orTimesBaseline, grace }: Isolation, timeline: Timeline): Verdict {
  return judgePercentile(
    {
      percent: 99,
      under: p99Under,
      when: 'during',
      among: 'healthy shards',
      ...(orTimesBaseline !== undefined && { orTimesBaseline }),
      ...(grace !== undefined && { grace }),
    },
    timeline,
  );
}
