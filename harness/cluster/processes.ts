/** Which of the processes in a namespace are a node's, and which of them a pattern names. */
import { matches } from '../core/names.ts';
import type { Process } from './types.ts';

const FIRST = 1;

/** Undefined when there is none, as in a namespace that is about to go. */
export function firstOf(all: readonly Process[]): Process | undefined {
  return all.find(({ pid }) => pid === FIRST);
}

/** Those that descend from the first, and live. Whatever else is in the namespace (a sidecar of ours, a health check) was put there from outside, and has no parent in it. */
export function underFirst(all: readonly Process[]): Process[] {
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const descends = (pid: number): boolean => {
    // No line of descent is longer than there are processes; one read while it changed could be a ring.
    for (let at = parents.get(pid), steps = 0; at !== undefined && steps <= all.length; at = parents.get(at), steps++) if (at === FIRST) return true;
    return false;
  };
  return all.filter((process) => descends(process.pid) && lives(process));
}

/** By its name, by its program without the folder, or by its command line, its arguments joined by spaces. */
export function fits({ name, command }: Process, pattern: string): boolean {
  const program = (command[0] ?? '').replace(/^.*\//, '');
  return [name, program, command.join(' ')].some((text) => matches(pattern, text));
}

/** One that has ended is there until its parent asks what became of it. */
export function lives({ state }: Process): boolean {
  return state !== 'Z' && state !== 'X';
}

/** Why no process of a node was found, in one line; `under` is all that there is under its first. */
export function noneFits(node: string, pattern: string, first: readonly Process[], under: readonly Process[]): string {
  if (first.some((process) => fits(process, pattern))) return `'${pattern}' is the first process of ${node} and no child of it; leave out process`;
  const there = [...new Set(under.map(({ name }) => name))];
  return `no process '${pattern}' under the first process of ${node}; there is ${there.length > 0 ? there.join(', ') : 'none'}`;
}
