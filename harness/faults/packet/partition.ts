/**
 * partition: every packet to a port, from it, or both, is gone.
 *
 * On the wire: nothing comes through and nothing is refused; senders send again, ever more rarely, and go on where they were when it is over. One-way, the other side still hears: with 'in' the
 * node learns nothing, with 'out' it does what it is asked and nobody hears so. Groups are cut from each other by naming the links between them: 'proxy-1|proxy-2 <-> mc-*'. With `peer`, only
 * what goes between the node and that one by its own address is gone, and with `port`, only that port of the node's. What comes over links comes from Toxiproxy's address: there one names the link.
 *
 * It does not: close connections, unless somebody loses patience, nor touch what the node itself asks of others.
 *
 * Proof: exchanges on a kept and on 20 new connections stay without an answer for 300 ms; of 100 datagrams each way none arrives the way that is cut, and all of them the other way; the rule has
 * bitten packets. Where it is narrowed, others (Toxiproxy for a peer, the port that is served for another port) are answered as before.
 *
 * Needs: nftables in the kernel, also at a device's egress (Linux 5.16), and a sidecar with the one capability NET_ADMIN in the network namespace of the node (of Toxiproxy, for a link)
 * and in the one from which it is looked at.
 */
import { z } from 'zod';
import { formatShare } from '../../core/units.ts';
import { PATIENCE_MS } from '../probing.ts';
import type { Narrowed } from './aims.ts';
import { prepareByProbes, type Witness } from './by-probes.ts';
import { lostShare } from './dose.ts';
import { packetFault } from './kind.ts';
import type { Direction } from './nft.ts';

export interface Partition extends Narrowed {
  readonly kind: 'partition';
  readonly on: string;
  /** As the node sees it. */
  readonly direction: 'in' | 'out' | 'both';
}

/** Cuts the nodes of `on` off from whoever asks them, or from one of those (`peer`): both ways (the default), or one. */
export const partition = (on: string, { direction = 'both', ...narrowed }: { readonly direction?: Partition['direction'] } & Narrowed = {}): Partition => ({
  kind: 'partition',
  on,
  direction,
  ...narrowed,
});

const DATAGRAMS = 100;
const DIRECTIONS = ['in', 'out'] as const;

export const partitionKind = packetFault<Partition>({
  kind: 'partition',
  summary: 'no packet comes through to a node, or from it',
  example: partition('mc-1'),
  fields: { direction: z.enum(['in', 'out', 'both']) },
  alters: ['answers', 'connects'],
  phrase: ({ direction }) => `partition${direction === 'both' ? '' : ` ${direction}`}`,
  provingMs: () => 2 * PATIENCE_MS,
  trial: DIRECTIONS.map((direction) => ({ direction, peer: '192.0.2.1', verdict: 'drop' })),
  prepare: (fault, aims) => {
    const cut: Direction[] = fault.direction === 'both' ? ['in', 'out'] : [fault.direction];
    return prepareByProbes(aims, {
      rules: (narrowed) => cut.map((direction) => ({ direction, ...narrowed, verdict: 'drop' })),
      asked: `no answer within ${PATIENCE_MS} ms, no packet ${cut.join(' or ')}`,
      bites: ({ kept, fresh }) => [...kept, ...fresh].every(({ kind }) => kind === 'silent'),
      witness: bothWays(cut),
    });
  },
});

/** An exchange is silent whichever way is cut: datagrams tell which. */
function bothWays(cut: readonly Direction[]): Witness {
  return async ({ meets }) => {
    const lost = Promise.all(DIRECTIONS.map((direction) => lostShare(meets.place, direction, DATAGRAMS)));
    // Looked at only after the exchanges: a failure is thrown there.
    lost.catch(() => undefined);
    return async () => {
      const shares = await lost;
      return {
        holds: DIRECTIONS.every((direction, index) => shares[index] === (cut.includes(direction) ? 1 : 0)),
        told: `${DIRECTIONS.map((direction, index) => `${formatShare(shares[index] ?? Number.NaN)} of ${DATAGRAMS} datagrams lost ${direction}`).join(', ')}`,
      };
    };
  };
}
