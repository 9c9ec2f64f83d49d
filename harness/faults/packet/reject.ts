/**
 * reject: a port refuses, as a firewall in front of it would.
 *
 * On the wire: whatever comes to the port is answered with a TCP reset, so that new connections are refused and kept ones are gone with the next byte.
 *
 * It does not: let the node itself notice anything before it writes.
 *
 * Proof: exchanges on new connections are refused, and on kept ones closed.
 */
import { PATIENCE_MS } from '../probing.ts';
import { packetFault, prepareByProbes } from './kind.ts';

export interface Reject {
  readonly kind: 'reject';
  readonly on: string;
}

/** Refuses what comes to the port of the nodes of `on`. */
export const reject = (on: string): Reject => ({ kind: 'reject', on });

export const rejectKind = packetFault<Reject>({
  kind: 'reject',
  summary: "a node's port refuses, by TCP reset",
  example: reject('mc-1'),
  alters: ['answers', 'connects'],
  describe: (fault) => `reject on ${fault.on}`,
  provingMs: () => 2 * PATIENCE_MS,
  prepare: (_fault, passages) =>
    prepareByProbes(passages, {
      rules: (port) => [{ direction: 'in', port, matching: 'meta l4proto tcp', verdict: 'reject with tcp reset' }],
      asked: 'new connections refused, kept ones closed',
      // A probe whose kept connection is gone dials anew the next time, and is refused as well.
      bites: ({ kept, fresh }) => fresh.every(({ kind }) => kind === 'refused') && kept.every(({ kind }) => kind === 'refused' || kind === 'closed'),
    }),
});
