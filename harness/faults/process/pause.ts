/**
 * pause: all processes of a node are frozen.
 *
 * On the wire: the node's kernel still accepts connections and acknowledges bytes, and nothing is
 * answered; what was sent meanwhile is answered late, after the thaw. By the engine's freezer (docker pause), not by a
 * signal: a process cannot catch it, and children stand still too. Proof: the engine says paused, and a
 * probe straight to the node stays without an answer for 300 ms; after healing it is answered.
 */
import { z } from 'zod';
import type { NodeState } from '../../cluster/types.ts';
import type { FaultKind } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { prepareProbed } from '../probed.ts';
import { tally } from '../probing.ts';
import { matchingNodes, namesOfMatching } from '../targets.ts';

export interface Pause {
  readonly kind: 'pause';
  readonly node: string;
}

/** Freezes the nodes that `node` names ('mc-1', 'mc-*'). */
export const pause = (node: string): Pause => ({ kind: 'pause', node });

const PATIENCE_MS = 300;

export const pauseKind: FaultKind<Pause> = {
  kind: 'pause',
  summary: 'all processes of a node are frozen',
  schema: z.strictObject({ kind: z.literal('pause'), node: nodeTarget }),
  target: (fault) => ({ kind: 'node', pattern: fault.node }),
  describe: (fault) => `pause ${fault.node}`,
  excludes: ['kill', 'loss', 'partition', 'reject', 'drop-new'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => namesOfMatching(fault.node, cluster),

  prepare(fault, cluster) {
    const nodes = matchingNodes(fault.node, cluster.nodes);
    const count = async (of: (state: NodeState) => boolean) => (await Promise.all(nodes.map((node) => node.state()))).filter(of).length;
    const frozen = () => count(({ paused }) => paused);
    const running = () => count(({ running, paused }) => running && !paused);
    return prepareProbed({
      targets: nodes,
      patienceMs: PATIENCE_MS,
      disturb: async (node) => {
        await node.pause();
        return { undo: () => node.resume(), missing: async () => ((await node.state()).paused ? undefined : `${node.name} is not frozen any more`) };
      },
      asked: `frozen, no answer within ${PATIENCE_MS} ms`,
      bites: async ({ all }) => all.every(({ kind }) => kind === 'silent') && (await frozen()) === nodes.length,
      told: async ({ all }) => `${await frozen()} of ${nodes.length} frozen; ${tally(all)}`,
      healed: { asked: 'running', holds: async () => (await running()) === nodes.length, told: async () => `${await running()} of ${nodes.length} running` },
    });
  },
};
