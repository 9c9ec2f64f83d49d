/**
 * reject: a node's port refuses, as a firewall in front of it would.
 *
 * On the wire: whatever comes to the port is answered with a TCP reset, so that new connections are refused and kept ones are gone with the next byte. The node itself notices nothing. Proof:
 * exchanges on new connections are refused, and on kept ones closed.
 */
import { z } from 'zod';
import type { FaultKind } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { namesOfMatching } from '../targets.ts';
import { PATIENCE_MS, prepareByProbes, readyNetworks } from './by-probes.ts';

export interface Reject {
  readonly kind: 'reject';
  readonly node: string;
}

/** Refuses what comes to the port of the nodes of `node`. */
export const reject = (node: string): Reject => ({ kind: 'reject', node });

export const rejectKind: FaultKind<Reject> = {
  kind: 'reject',
  summary: "a node's port refuses, by TCP reset",
  schema: z.strictObject({ kind: z.literal('reject'), node: nodeTarget }),
  target: (fault) => ({ kind: 'node', pattern: fault.node }),
  describe: (fault) => `reject on ${fault.node}`,
  excludes: ['loss', 'partition', 'drop-new', 'pause', 'kill'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => namesOfMatching(fault.node, cluster),
  ready: (fault, cluster) => readyNetworks(fault.node, cluster),
  prepare: (fault, cluster) =>
    prepareByProbes(
      {
        node: fault.node,
        rules: (port) => [{ direction: 'in', port, matching: 'meta l4proto tcp', verdict: 'reject with tcp reset' }],
        asked: 'new connections refused, kept ones closed',
        // A probe whose kept connection is gone dials anew the next time, and is refused as well.
        bites: ({ kept, fresh }) => fresh.every(({ kind }) => kind === 'refused') && kept.every(({ kind }) => kind === 'refused' || kind === 'closed'),
      },
      cluster,
    ),
};
