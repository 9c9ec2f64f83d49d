/**
 * partition: every packet to a port, from it, or both, is gone.
 *
 * On the wire: nothing comes through and nothing is refused; senders send again, ever more rarely, and go on where they were when it is over. One-way, the other side still hears: with 'in' the
 * node learns nothing, with 'out' it does what it is asked and nobody hears so. Groups are cut from each other by naming the links between them: 'proxy-1|proxy-2 <-> mc-*'.
 *
 * It does not: close connections, unless somebody loses patience, nor touch what the node itself asks of others.
 *
 * Proof: exchanges on a kept and on a new connection stay without an answer for 300 ms, and the rule has bitten packets.
 */
import { z } from 'zod';
import { PATIENCE_MS } from '../probing.ts';
import { packetFault, prepareByProbes } from './kind.ts';
import type { Direction } from './nft.ts';

export interface Partition {
  readonly kind: 'partition';
  readonly on: string;
  /** As the node sees it. */
  readonly direction: 'in' | 'out' | 'both';
}

/** Cuts the nodes of `on` off from whoever asks them: both ways (the default), or one. */
export const partition = (on: string, options: { readonly direction?: Partition['direction'] } = {}): Partition => ({
  kind: 'partition',
  on,
  direction: options.direction ?? 'both',
});

export const partitionKind = packetFault<Partition>({
  kind: 'partition',
  summary: 'no packet comes through to a node, or from it',
  example: partition('mc-1'),
  fields: { direction: z.enum(['in', 'out', 'both']) },
  alters: ['answers', 'connects'],
  describe: (fault) => `partition of ${fault.on}${fault.direction === 'both' ? '' : `, ${fault.direction} only`}`,
  provingMs: () => 2 * PATIENCE_MS,
  prepare: (fault, passages) => {
    const directions: Direction[] = fault.direction === 'both' ? ['in', 'out'] : [fault.direction];
    return prepareByProbes(passages, {
      rules: (port) => directions.map((direction) => ({ direction, port, verdict: 'drop' })),
      asked: `no answer within ${PATIENCE_MS} ms`,
      bites: ({ kept, fresh }) => [...kept, ...fresh].every(({ kind }) => kind === 'silent'),
    });
  },
});
