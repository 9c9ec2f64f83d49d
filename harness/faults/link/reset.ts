/**
 * reset: connections over a link are reset as soon as they are made.
 *
 * On the wire: new connections are accepted and reset (RST) at both ends when the first bytes come back from the far end, which has met the request by then; those that were there are closed in
 * order (FIN), since Toxiproxy decides at its making how a connection is closed.
 *
 * It does not: refuse the handshake (down does), nor let through whoever tries again at once.
 *
 * Proof: an exchange on a new connection is reset, and one on a kept connection closed.
 *
 * Needs: nothing but the Toxiproxy that each link goes through, and a far end that answers a probe.
 */
import { PATIENCE_MS, tally } from '../probing.ts';
import { linkFault } from './kind.ts';

export interface Reset {
  readonly kind: 'reset';
  readonly link: string;
}

/** Resets the connections over the links that `link` names ('edge -> proxy-1'). */
export const reset = (link: string): Reset => ({ kind: 'reset', link });

export const resetKind = linkFault<Reset>({
  kind: 'reset',
  summary: 'connections over a link are reset as soon as they are made',
  example: reset('edge -> proxy-1'),
  alters: ['answers', 'connects'],
  phrase: () => 'reset',
  provingMs: () => 2 * PATIENCE_MS,
  probed: () => ({
    patienceMs: PATIENCE_MS,
    disturb: (link) => link.poison({ type: 'reset_peer', stream: 'downstream', attributes: { timeout: 0 } }),
    asked: 'new connections reset, kept ones closed',
    bites: ({ kept, fresh }) => fresh.every((answer) => answer.kind === 'closed' && answer.reset) && kept.every(({ kind }) => kind === 'closed'),
    told: ({ kept, fresh }) => {
      const resets = fresh.filter((answer) => answer.kind === 'closed' && answer.reset).length;
      return `kept connections: ${tally(kept)}; new ones: ${tally(fresh)}, ${resets} of them by a reset`;
    },
  }),
});
