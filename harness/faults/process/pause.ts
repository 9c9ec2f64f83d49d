/**
 * pause: all processes of a node are frozen.
 *
 * On the wire: the node's kernel still accepts connections and acknowledges bytes, and nothing is answered; what was sent meanwhile is answered late, after the thaw. By the engine's freezer, not
 * by a signal: a process cannot catch it, and children stand still too.
 *
 * It does not: lose anything.
 *
 * Proof: the engine says paused, and a probe straight to the node stays without an answer for 300 ms; after healing it is answered.
 */
import type { NodeState } from '../../cluster/types.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { processFault } from './kind.ts';

export interface Pause {
  readonly kind: 'pause';
  readonly node: string;
}

/** Freezes the nodes that `node` names ('mc-1', 'mc-*'). */
export const pause = (node: string): Pause => ({ kind: 'pause', node });

export const pauseKind = processFault<Pause>({
  kind: 'pause',
  summary: 'all processes of a node are frozen',
  example: pause('mc-1'),
  alters: ['answers', 'timing'],
  phrase: () => 'pause',
  provingMs: () => 2 * PATIENCE_MS,
  probed: (_fault, nodes) => {
    const count = async (of: (state: NodeState) => boolean) => (await Promise.all(nodes.map((node) => node.state()))).filter(of).length;
    const frozen = () => count(({ paused }) => paused);
    const running = () => count(({ running, paused }) => running && !paused);
    return {
      patienceMs: PATIENCE_MS,
      disturb: (node) => node.pause(),
      asked: `frozen, no answer within ${PATIENCE_MS} ms`,
      bites: async ({ all }) => all.every(({ kind }) => kind === 'silent') && (await frozen()) === nodes.length,
      told: async ({ all }) => `${await frozen()} of ${nodes.length} frozen; ${tally(all)}`,
      healed: { asked: 'running', holds: async () => (await running()) === nodes.length, told: async () => `${await running()} of ${nodes.length} running` },
    };
  },
});
