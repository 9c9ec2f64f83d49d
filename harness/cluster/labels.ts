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
  return { host: hostname(), pid: process.pid, boot: bootId(), start: startTimeOf(process.pid) ?? '' };
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

/** Whether the run with this owner label may still be going on. What cannot be told from here counts as alive. */
export function ownerAlive(label: string | undefined): boolean {
  let owner: Owner;
  try {
    owner = JSON.parse(label ?? '') as Owner;
  } catch (thrown) {
    // A label of another version: nobody can be asked whether it is still in use, so it counts as dead.
    if (thrown instanceof SyntaxError) return false;
    throw thrown;
  }
  if (owner.host !== hostname()) return true;
  if (owner.boot !== bootId()) return false;
  const start = startTimeOf(owner.pid);
  if (start !== undefined) return start === owner.start;
  return owner.start === '' && processExists(owner.pid);
}

function bootId(): string {
  return readOr('/proc/sys/kernel/random/boot_id', '').trim();
}

/** Clock ticks from boot to the start of a process (field 22 of proc(5) stat); undefined when there is none, or no /proc. */
function startTimeOf(pid: number): string | undefined {
  const stat = readOr(`/proc/${pid}/stat`, '');
  // The second field, the command, may hold spaces and parentheses: count from its last one.
  return stat === '' ? undefined : stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (thrown) {
    // No /proc (macOS, Windows), or no such process.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT' || (thrown as NodeJS.ErrnoException).code === 'ESRCH') return otherwise;
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
