/**
 * drop-new: no new connection comes through, and those that are there go on: what a filter rule does that names the wrong address.
 *
 * On the wire: the first packet of each new connection to the port (SYN) is gone, so whoever connects tries again after 1 s, 3 s, 7 s and hears nothing.
 *
 * It does not: touch established connections.
 *
 * Proof: an exchange on a new connection stays without an answer for 300 ms, and one on a kept connection is answered as before.
 */
import { PATIENCE_MS } from '../probing.ts';
import { packetFault, prepareByProbes } from './kind.ts';

export interface DropNew {
  readonly kind: 'drop-new';
  readonly on: string;
}

/** Loses the first packet of every new connection to the nodes of `on`. */
export const dropNew = (on: string): DropNew => ({ kind: 'drop-new', on });

export const dropNewKind = packetFault<DropNew>({
  kind: 'drop-new',
  summary: 'a node takes no new connection, and keeps those that it has',
  example: dropNew('mc-1'),
  alters: ['connects'],
  describe: (fault) => `drop of new connections on ${fault.on}`,
  provingMs: () => 2 * PATIENCE_MS,
  prepare: (_fault, passages) =>
    prepareByProbes(passages, {
      rules: (port) => [{ direction: 'in', port, matching: 'tcp flags & (syn | ack) == syn', verdict: 'drop' }],
      asked: `no answer within ${PATIENCE_MS} ms on new connections, answers as before on kept ones`,
      bites: (seen) => seen.fresh.every(({ kind }) => kind === 'silent') && seen.asBefore(seen.kept),
    }),
});
