/**
 * wrong-credential: the password of a cache is changed, and its clients still have the former one.
 *
 * On the wire: who logs in from now on is told that the login has failed, and closes. Connections that have logged in before go on, which is why such a change shows only when connections are made anew.
 *
 * It does not: start the cache again, so it keeps what it holds; nor change anything for clients of other nodes.
 *
 * Proof: the login that its builder made is refused, on a new connection straight to the node, and questions that need no login are answered as before; after healing that login is accepted.
 *
 * Ends by itself: the warden, a container with the engine's socket and nothing else, sets the former password when our words stop, as it was changed; the reaper removes the node. With all three dead it stays until the
 * cluster is removed.
 *
 * Needs: a node that serves only who logs in: memcached({ sasl }).
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Node } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import { ANSWERING, type FaultKind } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { prepareProbed } from '../probed.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { matchingNodes, misfitOf, namesOfMatching } from '../targets.ts';

export interface WrongCredential {
  readonly kind: 'wrong-credential';
  readonly node: string;
}

/** Changes the password of the nodes that `node` names ('mc-login', 'mc-*'). */
export const wrongCredential = (node: string): WrongCredential => ({ kind: 'wrong-credential', node });

export const wrongCredentialKind: FaultKind<WrongCredential> = {
  kind: 'wrong-credential',
  summary: 'the password of a cache is changed, and its clients still have the former one',
  schema: z.strictObject({ kind: z.literal('wrong-credential'), node: nodeTarget }) as unknown as z.ZodType<WrongCredential>,
  example: wrongCredential('mc-login'),
  alters: ['configuration', 'answers'],
  needs: [...ANSWERING, 'configuration', 'process'],
  target: (fault) => ({ kind: 'node', pattern: fault.node }),
  describe: ({ node }) => `change of the password of ${node}`,
  affects: (fault, cluster) => namesOfMatching(fault.node, cluster),
  provingMs: () => 1_000,
  misfit: ({ node }, { nodes }) => misfitOf(node, nodes, ({ login }) => login !== undefined, 'serves whoever comes, without a login'),
  ready: async (fault, cluster) => {
    const nodes = matchingNodes(fault.node, cluster.nodes);
    await Promise.all(nodes.map(refuseUnfit));
    // Who sets the former one when we are dead.
    await Promise.all(nodes.map((node) => node.standBy('limits')));
  },
  prepare: async (fault, cluster) => {
    const nodes = matchingNodes(fault.node, cluster.nodes);
    await Promise.all(nodes.map(refuseUnfit));
    const accepting = async () => (await Promise.all(nodes.map((node) => node.login().accepts()))).filter(Boolean).length;
    let accepted = 0;
    return prepareProbed<Node>({
      targets: nodes,
      patienceMs: PATIENCE_MS,
      disturb: (node) => node.login().change(`other-${randomBytes(8).toString('hex')}`),
      asked: 'the right login refused, answers as before without one',
      bites: async (seen) => {
        accepted = await accepting();
        return accepted === 0 && seen.asBefore(seen.all);
      },
      told: ({ all }) => `accepted by ${accepted} of ${nodes.length}; without a login: ${tally(all)}`,
      healed: {
        asked: 'the right login accepted',
        holds: async () => (await accepting()) === nodes.length,
        told: async () => `accepted by ${await accepting()} of ${nodes.length}`,
      },
    });
  },
};

/** Throws InvalidRunError when the login is refused before the fault, and EnvironmentError for a node without one. */
async function refuseUnfit(node: Node): Promise<void> {
  if (!(await node.login().accepts()))
    throw new InvalidRunError(`${node.name} refuses the right login before the fault, so the fault could not be told from it`);
}
