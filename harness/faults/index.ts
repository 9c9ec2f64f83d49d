/** The faults that a scenario can inject. A new fault is a file beside this one (or in its family's folder) and a line in each list here. */
import { z } from 'zod';
import { type Evict, evictKind } from './cache/evict.ts';
import { type Flush, flushKind } from './cache/flush.ts';
import { type ClockSkew, clockSkewKind } from './clock/clock-skew.ts';
import { type Flood, floodKind } from './connection/flood.ts';
import type { FaultKind } from './fault.ts';
import { type PushConfig, pushConfigKind } from './human/push-config.ts';
import { type WrongCredential, wrongCredentialKind } from './human/wrong-credential.ts';
import { type Bandwidth, bandwidthKind } from './link/bandwidth.ts';
import { type Down, downKind } from './link/down.ts';
import { type Latency, latencyKind } from './link/latency.ts';
import { type LimitData, limitDataKind } from './link/limit-data.ts';
import { type Reset, resetKind } from './link/reset.ts';
import { type Silence, silenceKind } from './link/silence.ts';
import { type Slicer, slicerKind } from './link/slicer.ts';
import { type SlowClose, slowCloseKind } from './link/slow-close.ts';
import { type Misresolve, misresolveKind } from './names/misresolve.ts';
import { type NoAnswer, noAnswerKind } from './names/no-answer.ts';
import { type SlowNames, slowNamesKind } from './names/slow-names.ts';
import { type UnreachableName, unreachableNameKind } from './names/unreachable-name.ts';
import { type Corrupt, corruptKind } from './packet/corrupt.ts';
import { type DropNew, dropNewKind } from './packet/drop-new.ts';
import { type Duplicate, duplicateKind } from './packet/duplicate.ts';
import { type LimitConnections, limitConnectionsKind } from './packet/limit-connections.ts';
import { type Loss, lossKind } from './packet/loss.ts';
import { type PacketDelay, packetDelayKind } from './packet/packet-delay.ts';
import { type Partition, partitionKind } from './packet/partition.ts';
import { type Reject, rejectKind } from './packet/reject.ts';
import { type Reorder, reorderKind } from './packet/reorder.ts';
import { type CrashLoop, crashLoopKind } from './process/crash-loop.ts';
import { type Kill, killKind } from './process/kill.ts';
import { type Pause, pauseKind } from './process/pause.ts';
import { type Restart, restartKind } from './process/restart.ts';
import { type Stop, stopKind } from './process/stop.ts';
import { type CpuBurn, cpuBurnKind } from './resource/cpu-burn.ts';
import { type CpuLimit, cpuLimitKind } from './resource/cpu-limit.ts';
import { type Descriptors, descriptorsKind } from './resource/descriptors.ts';
import { type DiskFull, diskFullKind } from './resource/disk-full.ts';
import { type IoThrottle, ioThrottleKind } from './resource/io-throttle.ts';
import { type MemoryLimit, memoryLimitKind } from './resource/memory-limit.ts';
import { type Oom, oomKind } from './resource/oom.ts';

export { evict } from './cache/evict.ts';
export { flush } from './cache/flush.ts';
export { clockSkew } from './clock/clock-skew.ts';
export { flood } from './connection/flood.ts';
export { pushConfig } from './human/push-config.ts';
export { wrongCredential } from './human/wrong-credential.ts';
export { bandwidth } from './link/bandwidth.ts';
export { down } from './link/down.ts';
export { latency } from './link/latency.ts';
export { limitData } from './link/limit-data.ts';
export { reset } from './link/reset.ts';
export { silence } from './link/silence.ts';
export { slicer } from './link/slicer.ts';
export { slowClose } from './link/slow-close.ts';
export { misresolve } from './names/misresolve.ts';
export { noAnswer } from './names/no-answer.ts';
export { slowNames } from './names/slow-names.ts';
export { unreachableName } from './names/unreachable-name.ts';
export { corrupt } from './packet/corrupt.ts';
export { dropNew } from './packet/drop-new.ts';
export { duplicate } from './packet/duplicate.ts';
export { limitConnections } from './packet/limit-connections.ts';
export { loss } from './packet/loss.ts';
export { packetDelay } from './packet/packet-delay.ts';
export { partition } from './packet/partition.ts';
export { reject } from './packet/reject.ts';
export { reorder } from './packet/reorder.ts';
export { crashLoop } from './process/crash-loop.ts';
export { kill } from './process/kill.ts';
export { pause } from './process/pause.ts';
export { restart } from './process/restart.ts';
export { stop } from './process/stop.ts';
export { cpuBurn } from './resource/cpu-burn.ts';
export { cpuLimit } from './resource/cpu-limit.ts';
export { descriptors } from './resource/descriptors.ts';
export { diskFull } from './resource/disk-full.ts';
export { ioThrottle } from './resource/io-throttle.ts';
export { memoryLimit } from './resource/memory-limit.ts';
export { oom } from './resource/oom.ts';

export type Fault =
  | Flood
  | Flush
  | Evict
  | PushConfig
  | WrongCredential
  | CpuLimit
  | CpuBurn
  | MemoryLimit
  | Oom
  | Descriptors
  | DiskFull
  | IoThrottle
  | Latency
  | Silence
  | Bandwidth
  | SlowClose
  | Slicer
  | LimitData
  | Down
  | Kill
  | Pause
  | Stop
  | Restart
  | CrashLoop
  | Loss
  | Partition
  | Reject
  | DropNew
  | PacketDelay
  | Duplicate
  | Reorder
  | Corrupt
  | LimitConnections
  | Reset
  | Misresolve
  | UnreachableName
  | NoAnswer
  | SlowNames
  | ClockSkew;

const KINDS = {
  latency: latencyKind,
  silence: silenceKind,
  down: downKind,
  reset: resetKind,
  bandwidth: bandwidthKind,
  'slow-close': slowCloseKind,
  slicer: slicerKind,
  'limit-data': limitDataKind,
  kill: killKind,
  pause: pauseKind,
  stop: stopKind,
  restart: restartKind,
  'crash-loop': crashLoopKind,
  loss: lossKind,
  partition: partitionKind,
  reject: rejectKind,
  'drop-new': dropNewKind,
  'packet-delay': packetDelayKind,
  duplicate: duplicateKind,
  reorder: reorderKind,
  corrupt: corruptKind,
  'limit-connections': limitConnectionsKind,
  'clock-skew': clockSkewKind,
  misresolve: misresolveKind,
  'unreachable-name': unreachableNameKind,
  'no-answer': noAnswerKind,
  'slow-names': slowNamesKind,
  'cpu-limit': cpuLimitKind,
  'cpu-burn': cpuBurnKind,
  'memory-limit': memoryLimitKind,
  oom: oomKind,
  descriptors: descriptorsKind,
  'disk-full': diskFullKind,
  'io-throttle': ioThrottleKind,
  flood: floodKind,
  flush: flushKind,
  evict: evictKind,
  'push-config': pushConfigKind,
  'wrong-credential': wrongCredentialKind,
} as const;

export const faultSchema: z.ZodType<Fault> = z.discriminatedUnion(
  'kind',
  Object.values(KINDS).map(({ schema }) => schema) as never,
) as unknown as z.ZodType<Fault>;

/** Every kind that there is. */
export const FAULT_KINDS = Object.values(KINDS) as unknown as readonly FaultKind<Fault>[];

/** The kind of a fault. The cast is the one place where the union's members are told apart by their tag. */
export function faultKind(fault: Fault): FaultKind<Fault> {
  return KINDS[fault.kind] as unknown as FaultKind<Fault>;
}

/** The field that names what a fault acts on: 'link', 'node', 'on'. */
export function targetFieldOf(fault: Fault): string {
  const { pattern } = faultKind(fault).target(fault);
  const [field] = Object.entries(fault).find(([name, value]) => name !== 'kind' && value === pattern) ?? [];
  if (field === undefined) throw new Error(`fault '${fault.kind}': no field of it names its target`);
  return field;
}
