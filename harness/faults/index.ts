/** The faults that a scenario can inject. A new fault is a file beside this one and a line in each list here. */
import { z } from 'zod';
import { type Down, downKind } from './down.ts';
import type { FaultKind } from './fault.ts';
import { type Kill, killKind } from './kill.ts';
import { type Latency, latencyKind } from './latency.ts';
import { type Loss, lossKind } from './packet/loss.ts';
import { type Pause, pauseKind } from './pause.ts';
import { type Silence, silenceKind } from './silence.ts';

export { down } from './down.ts';
export { kill } from './kill.ts';
export { latency } from './latency.ts';
export { loss } from './packet/loss.ts';
export { pause } from './pause.ts';
export { silence } from './silence.ts';

export type Fault = Latency | Silence | Down | Kill | Pause | Loss;

const KINDS = { latency: latencyKind, silence: silenceKind, down: downKind, kill: killKind, pause: pauseKind, loss: lossKind } as const;

export const faultSchema: z.ZodType<Fault> = z.discriminatedUnion('kind', [
  latencyKind.schema,
  silenceKind.schema,
  downKind.schema,
  killKind.schema,
  pauseKind.schema,
  lossKind.schema,
] as never) as unknown as z.ZodType<Fault>;

/** The kind of a fault. The cast is the one place where the union's members are told apart by their tag. */
export function faultKind(fault: Fault): FaultKind<Fault> {
  return KINDS[fault.kind] as unknown as FaultKind<Fault>;
}
