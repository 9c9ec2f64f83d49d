/**
 * How much processor time a process used between two moments, read from the kernel's own account while it runs.
 *
 * Every generator is measured with this one instrument, ours too, and only in the window in which it is under steady load: what a program spends on
 * starting, on filling the cache or on printing its result belongs to none of the figures. The usual way, the resource usage of a child
 * that has ended, cannot tell these apart.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux reports the times of /proc/PID/stat in hundredths of a second, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;

export interface CpuReading {
  /** Nanoseconds on a processor by thread, from the scheduler. */
  readonly threads: ReadonlyMap<string, number>;
  /** The whole process with all threads that have ended, in hundredths of a second. */
  readonly ticks: number;
}

/** Reads a process's account; throws when it has ended. */
export function readCpu(pid: number): CpuReading {
  const threads = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const text = readIfThere(`/proc/${pid}/task/${thread}/schedstat`);
    if (text !== undefined) threads.set(thread, Number(text.split(' ')[0]));
  }
  return { threads, ticks: ticksOf(readFileSync(`/proc/${pid}/stat`, 'utf8')) };
}

/** Seconds on a processor between two readings, exact to microseconds; to 10 ms when a thread ended in between and took its account with it, or the kernel keeps none. */
export function cpuSecondsBetween(before: CpuReading, after: CpuReading): number {
  const complete = before.threads.size > 0 && [...before.threads.keys()].every((thread) => after.threads.has(thread));
  if (!complete) return (after.ticks - before.ticks) / TICKS_PER_SECOND;
  let nanoseconds = 0;
  for (const [thread, now] of after.threads) nanoseconds += now - (before.threads.get(thread) ?? 0);
  return nanoseconds / 1e9;
}

/** Seconds that all processors together were busy since the machine started, those that a hypervisor took away included. */
export function machineBusySeconds(stat = readFileSync('/proc/stat', 'utf8')): number {
  const [user = 0, nice = 0, system = 0, _idle, _iowait, irq = 0, softirq = 0, steal = 0] = (stat.split('\n')[0] ?? '').split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

/** utime + stime of /proc/PID/stat. The name of the program, in brackets, may hold spaces and brackets. */
export function ticksOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** A thread may end between the listing and the reading. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw thrown;
  }
}
