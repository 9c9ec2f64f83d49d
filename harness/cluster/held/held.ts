/**
 * What a fault still holds of a container when everything that could take it back was killed: less of the machine than it was given, or processes that are stopped. Imports nothing: the guard
 * reads it inside its own container.
 */

/** As the engine tells of a container's limits; absent and 0 both mean none. */
export interface Limits {
  readonly CpuQuota?: number | undefined;
  readonly NanoCpus?: number | undefined;
  /** Bytes. */
  readonly Memory?: number | undefined;
  /** Memory and swap together, bytes. */
  readonly MemorySwap?: number | undefined;
}

/** Processes as the engine's `top` tells of them, when asked with `PS_ARGUMENTS`. */
export interface Top {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[] | null;
}

/** No limit: a quota of 0 would be 'as it was' to the engine; the period is the kernel's own. */
export const ALL_PROCESSORS = { CpuPeriod: 100_000, CpuQuota: -1 };

/** The engine runs ps itself, so that a container needs no tool for it. */
export const PS_ARGUMENTS = '-eo pid,stat';

/** Lets every process go on that was stopped, but for the first, to which no process of its own namespace speaks this way. Needs a shell in the container. */
export const GO_ON = ['sh', '-c', 'kill -CONT -1'];

/** Nodes start with a limit on memory, as much again of swap, and none on processors; a fault leaves no swap. */
export function isLimited({ CpuQuota = 0, NanoCpus = 0, Memory = 0, MemorySwap = 0 }: Limits): boolean {
  return CpuQuota > 0 || NanoCpus > 0 || (Memory > 0 && MemorySwap === Memory);
}

/** What the engine is told so that a node is limited no more: all processors, and its memory, with as much again of swap, which is what the engine gives by itself. */
export function allGiven(memoryBytes: number) {
  return { ...ALL_PROCESSORS, Memory: memoryBytes, MemorySwap: 2 * memoryBytes };
}

/** Whether a process of it was stopped by a signal. ('t' is one that a debugger holds.) */
export function hasStopped({ Titles, Processes }: Top): boolean {
  const at = Titles.indexOf('STAT');
  return at >= 0 && (Processes ?? []).some((row) => row[at]?.startsWith('T'));
}
