/**
 * down: a link refuses connections.
 *
 * On the wire: existing connections are closed (FIN), new ones are refused (RST to the SYN), as when the far process has stopped but its machine still answers.
 *
 * It does not: touch the node at the far end, which other links still reach.
 *
 * Proof: a new connection is refused and a kept one was closed; after healing both are answered.
 *
 * Needs: nothing but the Toxiproxy that each link goes through, and a far end that answers a probe.
 */
import { PATIENCE_MS } from '../probing.ts';
import { linkFault } from './kind.ts';

export interface Down {
  readonly kind: 'down';
  readonly link: string;
}

/** Refuses connections over the links that `link` names ('edge -> proxy-1'). */
export const down = (link: string): Down => ({ kind: 'down', link });

export const downKind = linkFault<Down>({
  kind: 'down',
  summary: 'a link refuses connections and closes those it has',
  example: down('edge -> proxy-1'),
  alters: ['answers', 'connects'],
  phrase: () => 'down',
  provingMs: () => 2 * PATIENCE_MS,
  probed: () => ({
    patienceMs: PATIENCE_MS,
    disturb: (link) => link.cut(),
    asked: 'new connections refused, kept ones closed',
    // A kept connection reports its closing once; asked again it has to dial anew, and is refused too.
    bites: ({ kept, fresh }) => fresh.every(({ kind }) => kind === 'refused') && kept.every(({ kind }) => kind === 'refused' || kind === 'closed'),
  }),
});
