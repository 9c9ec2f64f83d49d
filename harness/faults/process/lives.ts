/** One process after the other at a node: which live now, which have gone, which have come. Each is told by its process id and its start time, since an id alone may be somebody else's by now. */
import type { Node } from '../../cluster/types.ts';

export interface Life {
  /** 'mc-1 pid 4711 since ...', for telling apart. */
  readonly id: string;
  readonly pid: number;
  /** On a clock of its own; only differences say something, ms. */
  readonly startedMs: number;
}

/** A clock tick of proc(5) is a hundredth of a second to every program, whatever the kernel's own is. */
const TICK_MS = 10;

/** A node's first process, by the engine; or those under it that fit a pattern, by the hand among them. None when there is none. */
export async function livesAt(node: Node, process?: string): Promise<Life[]> {
  if (process === undefined) {
    const { running, pid, startedAt } = await node.state();
    return running ? [{ id: `${node.name} pid ${pid} since ${startedAt}`, pid, startedMs: Date.parse(startedAt) }] : [];
  }
  const processes = await node.processes(process);
  return processes.map(({ pid, startTicks }) => ({ id: `${node.name} pid ${pid} since tick ${startTicks}`, pid, startedMs: startTicks * TICK_MS }));
}

/** What a fault ends at several nodes, from when it is told to. */
export class Lives {
  readonly #nodes: readonly Node[];
  readonly #process: string | undefined;
  readonly #before = new Map<string, readonly Life[]>();

  constructor(nodes: readonly Node[], process?: string) {
    this.#nodes = nodes;
    this.#process = process;
  }

  /** To be called before anything is done to the node. */
  async note(node: Node): Promise<void> {
    this.#before.set(node.name, await livesAt(node, this.#process));
  }

  /** Those that were there before, of all nodes together. */
  get before(): Life[] {
    return [...this.#before.values()].flat();
  }

  async now(): Promise<Life[]> {
    return (await Promise.all(this.#nodes.map((node) => livesAt(node, this.#process)))).flat();
  }

  /** Those from before that are still there. */
  async left(): Promise<Life[]> {
    const now = new Set((await this.now()).map(({ id }) => id));
    return this.before.filter(({ id }) => now.has(id));
  }

  /** Those that were not there before. */
  async come(): Promise<Life[]> {
    const before = new Set(this.before.map(({ id }) => id));
    return (await this.now()).filter(({ id }) => !before.has(id));
  }

  /** 'gone: 2 of 2 processes (pid 17, 18)', 'still the same process (pid 17)' */
  async goneInWords(): Promise<string> {
    const left = await this.left();
    const { before } = this;
    if (left.length === 0) return `${before.length} of ${before.length} processes gone (pid ${pids(before)})`;
    return left.length === 1 && before.length === 1
      ? `still the same process (pid ${pids(left)})`
      : `${before.length - left.length} of ${before.length} processes gone, still the same pid ${pids(left)}`;
  }

  /** What makes it gone: as many others as there were before. */
  get healed(): { asked: string; holds(): Promise<boolean>; told(): Promise<string> } {
    return {
      asked: 'another process',
      holds: async () => (await this.left()).length === 0 && (await this.come()).length >= this.before.length,
      told: async () => {
        const come = await this.come();
        return `${come.length} of ${this.before.length} running anew${come.length > 0 ? ` (pid ${pids(come)})` : ''}`;
      },
    };
  }
}

function pids(lives: readonly Life[]): string {
  return lives.map(({ pid }) => pid).join(', ');
}
