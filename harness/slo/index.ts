/**
 * The promises and symptoms that a scenario can name. A new kind is a file beside this one (its data, its builder, its schema and its
 * pure judge) and a line in each list here.
 */
import { z } from 'zod';
import type { Timeline } from '../timeline/types.ts';
import { type Connections, connectionsSchema, judgeConnections } from './connections.ts';
import { type Errors, errorsSchema, judgeErrors } from './errors.ts';
import { type Goodput, goodputSchema, judgeGoodput } from './goodput.ts';
import { type Isolation, isolationSchema, judgeIsolation } from './isolation.ts';
import { judgePercentile, type Percentile, percentileSchema } from './percentile.ts';
import { judgeRecovery, type Recovery, recoverySchema } from './recovery.ts';
import { judgeRipple, type Ripple, rippleSchema } from './ripple.ts';
import type { Verdict } from './types.ts';

export { connections } from './connections.ts';
export { errors } from './errors.ts';
export { goodput } from './goodput.ts';
export { isolation } from './isolation.ts';
export { percentile } from './percentile.ts';
export { recovery } from './recovery.ts';
export { ripple } from './ripple.ts';

export type Objective = Percentile | Errors | Goodput | Isolation | Recovery | Ripple | Connections;

export const objectiveNames = [
  'percentile',
  'errors',
  'goodput',
  'isolation',
  'recovery',
  'ripple',
  'connections',
] as const satisfies readonly Objective['kind'][];

export const objectiveSchema: z.ZodType<Objective> = z.discriminatedUnion(
  'kind',
  [percentileSchema, errorsSchema, goodputSchema, isolationSchema, recoverySchema, rippleSchema, connectionsSchema],
  {
    error: (issue) =>
      issue.code === 'invalid_union'
        ? `unknown kind of objective; known: ${objectiveNames.join(', ')}`
        : `expected an objective: ${objectiveNames.join('(...), ')}(...)`,
  },
);

/** What the timeline says of an objective. Pure: the same two give the same verdict. */
export function judgeObjective(objective: Objective, timeline: Timeline): Verdict {
  switch (objective.kind) {
    case 'percentile':
      return judgePercentile(objective, timeline);
    case 'errors':
      return judgeErrors(objective, timeline);
    case 'goodput':
      return judgeGoodput(objective, timeline);
    case 'isolation':
      return judgeIsolation(objective, timeline);
    case 'recovery':
      return judgeRecovery(objective, timeline);
    case 'ripple':
      return judgeRipple(objective, timeline);
    case 'connections':
      return judgeConnections(objective, timeline);
  }
}
