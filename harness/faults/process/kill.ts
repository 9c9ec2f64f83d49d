/**
 * kill: SIGKILL to a node's first process, and with it the whole node is gone between two instructions.
 *
 * Sent by the engine from outside: inside its own namespace a first process is immune to it. On the wire: connections are
 * reset or time out, new ones fail. Healing starts the node again, cold: a cache comes back empty. Proof: the
 * process (its id and start time) is gone and a probe gets no answer; after healing another process runs and answers.
 */
import { z } from 'zod';
import type { NodeState } from '../../cluster/types.ts';
import type { FaultKind } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { prepareProbed } from '../probed.ts';
import { tally } from '../probing.ts';
import { matchingNodes, namesOfMatching } from '../targets.ts';

export interface Kill {
  readonly kind: 'kill';
  readonly node: string;
}

/** Kills the nodes that `node` names ('mc-1', 'mc-*'). */
export const kill = (node: string): Kill => ({ kind: 'kill', node });

const PATIENCE_MS = 300;

export const killKind: FaultKind<Kill> = {
  kind: 'kill',
  summary: 'SIGKILL to a node; healing starts it again, cold',
  schema: z.strictObject({ kind: z.literal('kill'), node: nodeTarget }),
  target: (fault) => ({ kind: 'node', pattern: fault.node }),
  describe: (fault) => `kill ${fault.node}`,
  excludes: ['pause', 'loss', 'partition', 'reject', 'drop-new'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => namesOfMatching(fault.node, cluster),

  async prepare(fault, cluster) {
    const nodes = matchingNodes(fault.node, cluster.nodes);
    const before = await Promise.all(nodes.map((node) => node.state()));
    const anew = (states: readonly NodeState[]) => states.filter((state, index) => state.running && !sameProcess(state, before[index])).length;
    const states = () => Promise.all(nodes.map((node) => node.state()));
    return prepareProbed({
      targets: nodes,
      patienceMs: PATIENCE_MS,
      disturb: async (node) => {
        await node.kill();
        return { undo: () => node.start(), missing: async () => ((await node.state()).running ? `${node.name} runs again` : undefined) };
      },
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
    });
  },
};

function sameProcess(now: NodeState, then: NodeState | undefined): boolean {
  return then !== undefined && now.pid === then.pid && now.startedAt === then.startedAt;
}
