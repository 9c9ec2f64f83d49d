/**
 * pause: all processes of a node are frozen.
 *
 * On the wire: the node's kernel still accepts connections and acknowledges bytes, and nothing is
 * answered; what was sent meanwhile is answered late, after the thaw. By the engine's freezer (docker pause), not by a
 * signal: a process cannot catch it, and children stand still too. Proof: the engine says paused, and a
 * probe straight to the node stays without an answer for 300 ms; after healing it is answered.
 */
import { z } from 'zod';
import type { FaultKind } from './fault.ts';
import { nodeTarget } from './fields.ts';
import { asBefore, baselineOf, lookAt, onAll, openProbers, proof, tally, until } from './probing.ts';
import { matchingNodes, namesOfMatching } from './targets.ts';

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
  excludes: ['kill'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => namesOfMatching(fault.node, cluster),

  async prepare(fault, cluster) {
    const nodes = matchingNodes(fault.node, cluster.nodes);
    const probers = await openProbers(nodes);
    const baseline = await baselineOf(probers);
    return {
      close: probers.close,
      async inject() {
        const heal = await onAll(
          nodes.map((node) => async () => {
            await node.pause();
            return () => node.resume();
          }),
        );
        return {
          heal,
          prove: () =>
            until(async () => {
              const { answers, states } = await lookAt(nodes, probers, PATIENCE_MS);
              const paused = states.filter((state) => state.paused).length;
              const silent = answers.every((answer) => answer.kind === 'silent');
              return proof(
                silent && paused === nodes.length,
                `frozen, no answer within ${PATIENCE_MS} ms`,
                `${paused} of ${nodes.length} frozen; ${tally(answers)}`,
              );
            }),
          proveHealed: () =>
            until(async () => {
              const { answers, states } = await lookAt(nodes, probers, PATIENCE_MS);
              const running = states.filter((state) => state.running && !state.paused).length;
              const answered = asBefore(answers, baseline);
              return proof(answered && running === nodes.length, 'running, answers as before', `${running} of ${nodes.length} running; ${tally(answers)}`);
            }),
        };
      },
    };
  },
};
