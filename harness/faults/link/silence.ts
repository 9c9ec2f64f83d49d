/**
 * silence: bytes over a link vanish in both directions; no FIN, no RST.
 *
 * On the wire: connections stay open and new ones are accepted (Toxiproxy answers the handshake), but
 * nothing comes through. Bytes sent meanwhile are lost, not late. Healing is visible to clients: Toxiproxy closes
 * the connections that it held silent. Proof: exchanges on a kept and on a new connection stay without
 * an answer for 300 ms; after healing both are answered.
 */
import { z } from 'zod';
import { matchingLinks } from '../../core/names.ts';
import type { FaultKind } from '../fault.ts';
import { linkTarget } from '../fields.ts';
import { prepareProbed } from '../probed.ts';
import { onAll } from '../probing.ts';
import { farEnds } from '../targets.ts';

export interface Silence {
  readonly kind: 'silence';
  readonly link: string;
}

/** Swallows all bytes over the links that `link` names ('proxy-* -> mc-3'). */
export const silence = (link: string): Silence => ({ kind: 'silence', link });

/** A healthy exchange takes under 10 ms here even on a busy machine: 300 ms without an answer is silence. */
const PATIENCE_MS = 300;

export const silenceKind: FaultKind<Silence> = {
  kind: 'silence',
  summary: 'bytes over a link vanish, without FIN or RST',
  schema: z.strictObject({ kind: z.literal('silence'), link: linkTarget }),
  target: (fault) => ({ kind: 'link', pattern: fault.link }),
  describe: (fault) => `silence on ${fault.link}`,
  excludes: ['latency', 'down', 'reset'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => farEnds(fault.link, cluster),

  prepare: (fault, cluster) =>
    prepareProbed({
      targets: matchingLinks(fault.link, cluster.links),
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
};
