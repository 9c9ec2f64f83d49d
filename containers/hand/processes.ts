/** The processes in this hand's namespace, as the kernel tells of them, and signals to them. In a sidecar of a node these are the node's. */
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Process } from '../../harness/cluster/types.ts';
import type { ToolResult } from './tool.ts';

/** A signal to these very processes: a process id that is somebody else's by now is left alone. */
export interface SignalCall {
  /** 'SIGCONT' */
  readonly signal: NodeJS.Signals;
  readonly to: readonly Pick<Process, 'pid' | 'startTicks'>[];
}

export function processesIn(proc = '/proc'): Process[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => processAt(`${proc}/${pid}`, Number(pid)) ?? []);
}

/** Exit code 0 when all got it; 1, and which did not, otherwise. The others get it all the same. */
export function sendSignal({ signal, to }: SignalCall): ToolResult {
  const missed = to.flatMap(({ pid, startTicks }) => {
    if (processAt(`/proc/${pid}`, pid)?.startTicks !== startTicks) return [`process ${pid} is gone`];
    try {
      process.kill(pid, constants.signals[signal]);
      return [];
    } catch (thrown) {
      return [`process ${pid} does not take ${signal}: ${(thrown as Error).message}`];
    }
  });
  return { code: missed.length > 0 ? 1 : 0, out: '', err: missed.join('; ') };
}

/** Undefined for one that has ended while it was read. */
function processAt(folder: string, pid: number): Process | undefined {
  try {
    const stat = readFileSync(`${folder}/stat`, 'latin1');
    // The second field, the name, may hold spaces and parentheses: what follows is counted from its last one.
    const close = stat.lastIndexOf(')');
    const [state = '', parent, ...rest] = stat.slice(close + 2).split(' ');
    const command = readFileSync(`${folder}/cmdline`, 'utf8').split('\0').slice(0, -1);
    // Field 22 of the line; the state is its third.
    return { pid, parent: Number(parent), startTicks: Number(rest[17]), state, name: stat.slice(stat.indexOf('(') + 1, close), command };
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw thrown;
  }
}
