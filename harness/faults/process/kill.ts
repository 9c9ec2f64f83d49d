/**
 * kill: SIGKILL to a node's first process, and with it the whole node is gone between two instructions.
 *
 * On the wire: connections are reset or time out, new ones fail. Sent by the engine from outside: inside its own namespace a first process is immune to it. Healing starts the node again, cold: a
 * cache comes back empty.
 *
 * It does not: give the node any chance to say goodbye (stop does).
 *
 * Proof: the process (its id and start time) is gone and a probe gets no answer; after healing another process runs and answers.
 */
import type { NodeState } from '../../cluster/types.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { processFault } from './kind.ts';

export interface Kill {
  readonly kind: 'kill';
  readonly node: string;
}

/** Kills the nodes that `node` names ('mc-1', 'mc-*'). */
export const kill = (node: string): Kill => ({ kind: 'kill', node });

export const killKind = processFault<Kill>({
  kind: 'kill',
  summary: 'SIGKILL to a node; healing starts it again, cold',
  example: kill('mc-1'),
  alters: ['answers', 'connects', 'contents'],
  phrase: () => 'kill',
  provingMs: () => 2 * PATIENCE_MS,
  probed: async (_fault, nodes) => {
    const before = await Promise.all(nodes.map((node) => node.state()));
    const anew = (states: readonly NodeState[]) => states.filter((state, index) => state.running && !sameProcess(state, before[index])).length;
    const states = () => Promise.all(nodes.map((node) => node.state()));
    return {
      patienceMs: PATIENCE_MS,
      disturb: (node) => node.kill(),
      asked: 'process gone, no answer',
      bites: async ({ all }) => (await states()).every((state) => !state.running) && all.every(({ kind }) => kind !== 'answered'),
      told: async ({ all }) => {
        const gone = (await states()).filter((state, index) => !sameProcess(state, before[index])).length;
        return `${gone} of ${nodes.length} processes gone (pid ${before.map(({ pid }) => pid).join(', ')}); ${tally(all)}`;
      },
      healed: {
        asked: 'another process',
        holds: async () => anew(await states()) === nodes.length,
        told: async () => {
          const now = await states();
          return `${anew(now)} of ${nodes.length} running anew (pid ${now.map(({ pid }) => pid).join(', ')})`;
        },
      },
    };
  },
});

function sameProcess(now: NodeState, then: NodeState | undefined): boolean {
  return then !== undefined && now.pid === then.pid && now.startedAt === then.startedAt;
}
