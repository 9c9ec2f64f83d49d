/**
 * partition: every packet to a node's port, from it, or both, is gone.
 *
 * On the wire: nothing comes through and nothing is refused; senders send again, ever more rarely, and go on where they were when it is over. One-way, the other side still hears: with 'in' the
 * node learns nothing, with 'out' it does what it is asked and nobody hears so. Connections are not closed by it, unless somebody loses patience. It does not touch what the node itself asks of others.
 * Proof: exchanges on a kept and on a new connection stay without an answer for 300 ms.
 */
import { z } from 'zod';
import type { FaultKind } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { namesOfMatching } from '../targets.ts';
import { PATIENCE_MS, prepareByProbes, readyNetworks } from './by-probes.ts';
import type { Direction } from './nft.ts';

export interface Partition {
  readonly kind: 'partition';
  readonly node: string;
  /** As the node sees it. */
  readonly direction: 'in' | 'out' | 'both';
}

/** Cuts the nodes of `node` off from whoever asks them: both ways (the default), or one. */
export const partition = (node: string, options: { readonly direction?: Partition['direction'] } = {}): Partition => ({
  kind: 'partition',
  node,
  direction: options.direction ?? 'both',
});

export const partitionKind: FaultKind<Partition> = {
  kind: 'partition',
  summary: 'no packet comes through to a node, or from it',
  schema: z.strictObject({ kind: z.literal('partition'), node: nodeTarget, direction: z.enum(['in', 'out', 'both']) }),
  target: (fault) => ({ kind: 'node', pattern: fault.node }),
  describe: (fault) => `partition of ${fault.node}${fault.direction === 'both' ? '' : `, ${fault.direction} only`}`,
  excludes: ['loss', 'reject', 'drop-new', 'pause', 'kill'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => namesOfMatching(fault.node, cluster),
  ready: (fault, cluster) => readyNetworks(fault.node, cluster),
  prepare: (fault, cluster) => {
    const directions: Direction[] = fault.direction === 'both' ? ['in', 'out'] : [fault.direction];
    return prepareByProbes(
      {
        node: fault.node,
        rules: (port) => directions.map((direction) => ({ direction, port, verdict: 'drop' })),
        asked: `no answer within ${PATIENCE_MS} ms`,
        bites: ({ kept, fresh }) => [...kept, ...fresh].every(({ kind }) => kind === 'silent'),
      },
      cluster,
    );
  },
};
