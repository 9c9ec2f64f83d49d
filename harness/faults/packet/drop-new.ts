/**
 * drop-new: no new connection comes through, and those that are there go on: what a filter rule does that names the wrong address.
 *
 * On the wire: the first packet of each new connection to the port (SYN) is gone, so whoever connects tries again after 1 s, 3 s, 7 s and hears nothing. With `peer`, only from that node's own
 * address, and with `port`, only to that port of the node's. What comes over links comes from Toxiproxy's address: there one names the link.
 *
 * It does not: touch established connections.
 *
 * Proof: exchanges on 20 new connections stay without an answer for 300 ms, and one on a kept connection is answered as before. Where it is narrowed, others (Toxiproxy for a peer, the port that
 * is served for another port) are answered as before on new connections, too.
 *
 * Needs: nftables in the kernel (no connection tracking), and a sidecar with the one capability NET_ADMIN in the network namespace of the node (of Toxiproxy, for a link) and in the one from
 * which it is looked at.
 */
import { PATIENCE_MS } from '../probing.ts';
import type { Narrowed } from './aims.ts';
import { prepareByProbes } from './by-probes.ts';
import { packetFault } from './kind.ts';
import { OPENING } from './nft.ts';

export interface DropNew extends Narrowed {
  readonly kind: 'drop-new';
  readonly on: string;
}

/** Loses the first packet of every new connection to the nodes of `on`. */
export const dropNew = (on: string, narrowed: Narrowed = {}): DropNew => ({ kind: 'drop-new', on, ...narrowed });

export const dropNewKind = packetFault<DropNew>({
  kind: 'drop-new',
  summary: 'a node takes no new connection, and keeps those that it has',
  example: dropNew('mc-1'),
  alters: ['connects'],
  phrase: () => 'drop of new connections',
  provingMs: () => 2 * PATIENCE_MS,
  trial: [{ direction: 'in', peer: '192.0.2.1', matching: OPENING, verdict: 'drop' }],
  prepare: (_fault, aims) =>
    prepareByProbes(aims, {
      rules: (narrowed) => [{ direction: 'in', ...narrowed, matching: OPENING, verdict: 'drop' }],
      asked: `no answer within ${PATIENCE_MS} ms on new connections, answers as before on kept ones`,
      bites: ({ kept, fresh, asBefore }) => fresh.every(({ kind }) => kind === 'silent') && asBefore(kept),
    }),
});
