/**
 * silence: bytes over a link vanish in both directions, without FIN or RST.
 *
 * On the wire: connections stay open and new ones are accepted (Toxiproxy answers the handshake), but nothing comes through. Bytes sent meanwhile are lost, not late.
 *
 * It does not: end unnoticed. Toxiproxy closes the connections that it held silent when it is healed.
 *
 * Proof: exchanges on a kept and on a new connection stay without an answer for 300 ms; after healing both are answered.
 */
import { onAll, PATIENCE_MS } from '../probing.ts';
import { linkFault } from './kind.ts';

export interface Silence {
  readonly kind: 'silence';
  readonly link: string;
}

/** Swallows all bytes over the links that `link` names ('proxy-* -> mc-3'). */
export const silence = (link: string): Silence => ({ kind: 'silence', link });

export const silenceKind = linkFault<Silence>({
  kind: 'silence',
  summary: 'bytes over a link vanish, without FIN or RST',
  example: silence('proxy-* -> mc-3'),
  alters: ['answers'],
  phrase: () => 'silence',
  provingMs: () => 2 * PATIENCE_MS,
  probed: () => ({
    patienceMs: PATIENCE_MS,
    disturb: async (link) => {
      const both = await onAll(
        (['upstream', 'downstream'] as const).map((stream) => () => link.poison({ type: 'timeout', stream, attributes: { timeout: 0 } })),
      );
      return { undo: both.heal, missing: both.missing };
    },
    asked: `no answer within ${PATIENCE_MS} ms`,
    bites: ({ all }) => all.every(({ kind }) => kind === 'silent'),
  }),
});
