/**
 * drop-new: a node takes no new connection, and those that it has go on: what a filter rule does that names the wrong address.
 *
 * On the wire: the first packet of each new connection to the port (SYN) is gone, so whoever connects tries again after 1 s, 3 s, 7 s and hears nothing; established connections are not touched.
 * Proof: an exchange on a new connection stays without an answer for 300 ms, and one on a kept connection is answered as before.
 */
import { z } from 'zod';
import type { FaultKind } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { namesOfMatching } from '../targets.ts';
import { PATIENCE_MS, prepareByProbes, readyNetworks } from './by-probes.ts';

export interface DropNew {
  readonly kind: 'drop-new';
  readonly node: string;
}

/** Loses the first packet of every new connection to the nodes of `node`. */
export const dropNew = (node: string): DropNew => ({ kind: 'drop-new', node });

export const dropNewKind: FaultKind<DropNew> = {
  kind: 'drop-new',
  summary: 'a node takes no new connection, and keeps those that it has',
  schema: z.strictObject({ kind: z.literal('drop-new'), node: nodeTarget }),
  target: (fault) => ({ kind: 'node', pattern: fault.node }),
  describe: (fault) => `drop of new connections on ${fault.node}`,
  excludes: ['loss', 'partition', 'reject', 'pause', 'kill'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => namesOfMatching(fault.node, cluster),
  ready: (fault, cluster) => readyNetworks(fault.node, cluster),
  prepare: (fault, cluster) =>
    prepareByProbes(
      {
        node: fault.node,
        rules: (port) => [{ direction: 'in', port, matching: 'tcp flags & (syn | ack) == syn', verdict: 'drop' }],
        asked: `no answer within ${PATIENCE_MS} ms on new connections, answers as before on kept ones`,
        bites: (seen) => seen.fresh.every(({ kind }) => kind === 'silent') && seen.asBefore(seen.kept),
      },
      cluster,
    ),
};
