/** The faults that a scenario can inject. A new fault is a file beside this one (or in its family's folder) and a line in each list here. */
import { z } from 'zod';
import type { FaultKind } from './fault.ts';
import { type Down, downKind } from './link/down.ts';
import { type Latency, latencyKind } from './link/latency.ts';
import { type Reset, resetKind } from './link/reset.ts';
import { type Silence, silenceKind } from './link/silence.ts';
import { type DropNew, dropNewKind } from './packet/drop-new.ts';
import { type Loss, lossKind } from './packet/loss.ts';
import { type Partition, partitionKind } from './packet/partition.ts';
import { type Reject, rejectKind } from './packet/reject.ts';
import { type Kill, killKind } from './process/kill.ts';
import { type Pause, pauseKind } from './process/pause.ts';

export { down } from './link/down.ts';
export { latency } from './link/latency.ts';
export { reset } from './link/reset.ts';
export { silence } from './link/silence.ts';
export { dropNew } from './packet/drop-new.ts';
export { loss } from './packet/loss.ts';
export { partition } from './packet/partition.ts';
export { reject } from './packet/reject.ts';
export { kill } from './process/kill.ts';
export { pause } from './process/pause.ts';

export type Fault = Latency | Silence | Down | Kill | Pause | Loss | Partition | Reject | DropNew | Reset;

const KINDS = {
  latency: latencyKind,
  silence: silenceKind,
  down: downKind,
  reset: resetKind,
  kill: killKind,
  pause: pauseKind,
  loss: lossKind,
  partition: partitionKind,
  reject: rejectKind,
  'drop-new': dropNewKind,
} as const;

export const faultSchema: z.ZodType<Fault> = z.discriminatedUnion(
  'kind',
  Object.values(KINDS).map(({ schema }) => schema) as never,
) as unknown as z.ZodType<Fault>;

/** The kind of a fault. The cast is the one place where the union's members are told apart by their tag. */
export function faultKind(fault: Fault): FaultKind<Fault> {
  return KINDS[fault.kind] as unknown as FaultKind<Fault>;
}
