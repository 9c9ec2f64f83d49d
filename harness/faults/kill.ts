/**
 * kill: SIGKILL to a node's first process, and with it the whole node is gone between two instructions.
 *
 * Sent by the engine from outside: inside its own namespace a first process is immune to it. On the wire: connections are
 * reset or time out, new ones fail. Healing starts the node again, cold: a cache comes back empty. Proof: the
 * process (its id and start time) is gone and a probe gets no answer; after healing another process runs and answers.
 */
import { z } from 'zod';
import type { NodeState } from '../cluster/types.ts';
import type { FaultKind } from './fault.ts';
import { nodeTarget } from './fields.ts';
import { asBefore, baselineOf, lookAt, onAll, openProbers, proof, tally, until } from './probing.ts';
import { matchingNodes, namesOfMatching } from './targets.ts';

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
  excludes: ['pause'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => namesOfMatching(fault.node, cluster),

  async prepare(fault, cluster) {
    const nodes = matchingNodes(fault.node, cluster.nodes);
    const probers = await openProbers(nodes);
    const baseline = await baselineOf(probers);
    const before = await Promise.all(nodes.map((node) => node.state()));
    return {
      close: probers.close,
      async inject() {
        const heal = await onAll(
          nodes.map((node) => async () => {
            await node.kill();
            return () => node.start();
          }),
        );
        return {
          heal,
          prove: () =>
            until(async () => {
              const { answers, states } = await lookAt(nodes, probers, PATIENCE_MS);
              const gone = states.filter((state, index) => !sameProcess(state, before[index])).length;
              const dead = gone === nodes.length && states.every((state) => !state.running) && answers.every((answer) => answer.kind !== 'answered');
              return proof(
                dead,
                'process gone, no answer',
                `${gone} of ${nodes.length} processes gone (pid ${before.map((state) => state.pid).join(', ')}); ${tally(answers)}`,
              );
            }),
          proveHealed: () =>
            until(async () => {
              const { answers, states } = await lookAt(nodes, probers, PATIENCE_MS);
              const anew = states.filter((state, index) => state.running && !sameProcess(state, before[index])).length;
              const answered = asBefore(answers, baseline);
              return proof(
                answered && anew === nodes.length,
                'another process, answers as before',
                `${anew} of ${nodes.length} running anew (pid ${states.map((state) => state.pid).join(', ')}); ${tally(answers)}`,
              );
            }),
        };
      },
    };
  },
};

function sameProcess(now: NodeState, then: NodeState | undefined): boolean {
  return then !== undefined && now.pid === then.pid && now.startedAt === then.startedAt;
}
