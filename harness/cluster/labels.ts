/**
 * How everything that a run makes is found again: by label. A container or network without our label is never touched.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

export const RUN_LABEL = 'io.aftershock.run';
export const NODE_LABEL = 'io.aftershock.node';
export const OWNER_LABEL = 'io.aftershock.owner';

/** On a container that is there for a fault or a look, and is nothing of the cluster itself. */
export const SIDECAR_LABEL = 'io.aftershock.sidecar';

/** On an empty volume beside a cluster that was left standing on purpose: labels of a container cannot be changed any more when that is known. */
export const KEPT_LABEL = 'io.aftershock.kept';
/** On the same volume, the cluster's specification and where it is from, as JSON: whoever comes later can disturb it. */
export const CLUSTER_LABEL = 'io.aftershock.cluster';

/** The process that a run belongs to: a process id alone could be somebody else's by now. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Boot id of the host and start time of the process, where the system tells them. */
  readonly boot: string;
  readonly start: string;
}

export function thisOwner(): Owner {
  return { host: hostname(), pid: process.pid, boot: bootId(), start: statOf(process.pid)?.start ?? '' };
}

/** A reaper is no part of the run that it removes, and bears a name beside it. */
export function reaperOf(runId: string): string {
  return `${runId}-reaper`;
}

/** The run that something with this label is there for. */
export function runOf(label: string): string {
  return label.replace(/-reaper$/, '');
}

export function runLabels(runId: string): Record<string, string> {
  return { [RUN_LABEL]: runId, [OWNER_LABEL]: JSON.stringify(thisOwner()) };
}

/** What a machine tells of its processes. */
export interface Processes {
  /** What stands at a path of /proc; undefined when there is nothing, or nothing that we may read. */
  read(path: string): string | undefined;
  /** Whether there is such a process, ours or not. */
  exists(pid: number): boolean;
}

const THIS_MACHINE: Processes = { read: readIfThere, exists: processExists };

/** Whether the run with this owner label may still be going on. What cannot be told from here counts as alive. */
export function ownerAlive(label: string | undefined, processes: Processes = THIS_MACHINE): boolean {
  let owner: Owner;
  try {
    owner = JSON.parse(label ?? '') as Owner;
  } catch (thrown) {
    // A label of another version: nobody can be asked whether it is still in use, so it counts as dead.
    if (thrown instanceof SyntaxError) return false;
    throw thrown;
  }
  if (owner.host !== hostname()) return true;
  if (owner.boot !== bootId(processes)) return false;
  const seen = statOf(owner.pid, processes);
  // No /proc, no such process, or one of somebody else that is hidden from us (hidepid).
  if (seen === undefined) return processes.exists(owner.pid);
  // One that has ended is there until its parent asks what became of it.
  return seen.start === owner.start && seen.state !== 'Z' && seen.state !== 'X';
}

function bootId(processes: Processes = THIS_MACHINE): string {
  return (processes.read('/proc/sys/kernel/random/boot_id') ?? '').trim();
}

/** State of a process, and clock ticks from boot to its start (fields 3 and 22 of proc(5) stat). */
function statOf(pid: number, processes: Processes = THIS_MACHINE): { readonly state: string; readonly start: string } | undefined {
  const stat = processes.read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field, the command, may hold spaces and parentheses: count from its last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: fields[19] ?? '' };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (thrown) {
    // No /proc (macOS, Windows), no such process, or one that is not ours to look at.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw thrown;
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
