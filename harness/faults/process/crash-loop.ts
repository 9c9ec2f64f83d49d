/**
 * crash-loop: a node, or a process in it, dies again and again, until healed: killed, started again at once, killed again when its turn comes.
 *
 * On the wire: at each death connections are closed and new ones fail for some tenths of a second; in between it answers, cold each time. With `process` it is whoever started that process who
 * starts it again, at his own pace.
 *
 * It does not: wait longer from death to death, as supervisors that back off do; it dies later than its turn only when it is not up again by then.
 *
 * Proof: processes (by id and start time) follow each other, and three of them start as far apart as was asked, one after the other; of a whole node a probe has met its death. Half as often is told from it, and twice as often. After
 * healing another process runs and answers, and the deaths that were each followed by another process are counted.
 *
 * Ends by itself: it is the harness that kills, so nothing dies any more when that is dead; the reaper removes all.
 *
 * Needs: a node that answers a probe. With `process`, a sidecar with the one capability KILL in the process namespace of the node, and somebody there who starts the process again.
 */
import type { Node } from '../../cluster/types.ts';
import { type Duration, milliseconds } from '../../core/units.ts';
import { wholeMs } from '../fields.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { processFault, processField } from './kind.ts';
import { Lives, livesAt } from './lives.ts';
import { type Loop, loopAt } from './loop.ts';

interface Options {
  /** From death to death. */
  readonly every: Duration;
  /** Of those under the first process: their name, or a pattern over their command line. */
  readonly process?: string;
}

export interface CrashLoop extends Options {
  readonly kind: 'crash-loop';
  readonly node: string;
}

/** Kills the nodes that `node` names ('mc-1', 'mc-*'), or processes in them, every so often. */
export const crashLoop = (node: string, options: Options): CrashLoop => ({ kind: 'crash-loop', node, ...options });

/** Shorter, and a node would hardly be up: to start one takes 0.4 s here. */
const LEAST_MS = 1_000;
const MOST_MS = 30_000;
/**
 * Starts are as far apart as deaths, but for what one start takes longer than the one before: up to 0.4 s here, which is 40% of the shortest turn. Half as often would be 200%, twice as
 * often 50%.
 */
const MOST = 1.5;
const LEAST = 0.6;
const STARTING_MS = 2_000;
const IN_A_ROW = 2;

export const crashLoopKind = processFault<CrashLoop>({
  kind: 'crash-loop',
  summary: 'a node, or a process in it, dies again whenever it has come up',
  example: crashLoop('mc-1', { every: '2s' }),
  fields: { every: wholeMs(LEAST_MS, MOST_MS), process: processField.optional() },
  alters: ['answers', 'connects', 'contents'],
  phrase: ({ every, process }) => `crash loop every ${every} of${process === undefined ? '' : ` ${process} in`}`,
  // Three deaths, and the start after the third.
  provingMs: ({ every }) => 2 * milliseconds(every) + STARTING_MS + 2 * PATIENCE_MS,
  proofLimitMs: ({ every }) => 4 * milliseconds(every) + 10_000,
  probed: ({ every, process }, nodes) => {
    const everyMs = milliseconds(every);
    const lives = new Lives(nodes, process);
    const loops = new Map<string, Loop>();
    const starts = new Map<string, Starts>();
    const met = new Set<string>();
    const watch = async (node: Node) => {
      const former = new Set(lives.before.map(({ id }) => id));
      starts.get(node.name)?.see((await livesAt(node, process)).filter(({ id }) => !former.has(id)));
    };
    const deaths = () => [...loops.values()].reduce((sum, loop) => sum + loop.deaths, 0);
    return {
      patienceMs: PATIENCE_MS,
      disturb: async (node) => {
        await lives.note(node);
        starts.set(node.name, new Starts());
        met.delete(node.name);
        const loop = await loopAt(node, everyMs, process);
        loops.set(node.name, loop);
        return loop;
      },
      asked: `one process after the other, ${every} apart`,
      bites: async ({ kept, fresh }) => {
        await Promise.all(nodes.map(watch));
        // A process under the first need not be the one that serves.
        for (const [index, node] of nodes.entries()) {
          if (process !== undefined || [kept[index], fresh[index]].some((answer) => answer?.kind !== 'answered')) met.add(node.name);
        }
        return nodes.every((node) => met.has(node.name) && isInTurn(starts.get(node.name)?.apartMs ?? [], everyMs));
      },
      told: async ({ all }) => `${nodes.map(({ name }) => `${name}: ${starts.get(name)?.inWords() ?? 'nothing'}`).join(', ')}; ${tally(all)}`,
      healed: { ...lives.healed, told: async () => `${deaths()} deaths, each with another process after it; ${await lives.healed.told()}` },
    };
  },
});

/**
 * Whether three processes that followed each other started as far apart as was asked, by the last two of the distances between starts; not when there were no three. One distance by itself may be right by chance: it is
 * looked at again and again, and a start that took long makes the next distance short.
 */
export function isInTurn(apartMs: readonly number[], everyMs: number): boolean {
  const last = apartMs.slice(-IN_A_ROW);
  return last.length === IN_A_ROW && last.every((ms) => ms >= everyMs * LEAST && ms <= everyMs * MOST);
}

/** When the processes of one node started that a probe has met, one after the other. */
class Starts {
  readonly #startedMs = new Map<string, number>();

  see(lives: readonly { readonly id: string; readonly startedMs: number }[]): void {
    for (const { id, startedMs } of lives) this.#startedMs.set(id, startedMs);
  }

  /** From each to the next; none until there are two. */
  get apartMs(): number[] {
    const starts = [...this.#startedMs.values()].toSorted((a, b) => a - b);
    return starts.slice(1).map((ms, index) => ms - (starts[index] ?? ms));
  }

  inWords(): string {
    const last = this.apartMs.slice(-IN_A_ROW).map((ms) => Math.round(ms));
    const seen = `${this.#startedMs.size} new processes seen`;
    return last.length === 0 ? seen : `${seen}, the last ${last.length + 1} ${last.join(' and ')} ms apart`;
  }
}
