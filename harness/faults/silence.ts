/**
 * silence: bytes over a link vanish in both directions; no FIN, no RST.
 *
 * On the wire: connections stay open and new ones are accepted (Toxiproxy answers the handshake), but
 * nothing comes through. Bytes sent meanwhile are lost, not late. Healing is visible to clients: Toxiproxy closes
 * the connections that it held silent. Proof: exchanges on a kept and on a new connection stay without
 * an answer for 300 ms; after healing both are answered.
 */
import { z } from 'zod';
import { matchingLinks } from '../core/names.ts';
import type { FaultKind } from './fault.ts';
import { linkTarget } from './fields.ts';
import { asBefore, baselineOf, onAll, openProbers, proof, tally, until } from './probing.ts';
import { farEnds } from './targets.ts';

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
  excludes: ['latency', 'down'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => farEnds(fault.link, cluster),

  async prepare(fault, cluster) {
    const links = matchingLinks(fault.link, cluster.links);
    const probers = await openProbers(links);
    const baseline = await baselineOf(probers);
    return {
      close: probers.close,
      async inject() {
        const both = ['upstream', 'downstream'] as const;
        const heal = await onAll(links.flatMap((link) => both.map((stream) => () => link.poison({ type: 'timeout', stream, attributes: { timeout: 0 } }))));
        return {
          heal,
          prove: () =>
            until(async () => {
              const answers = await probers.askAll(PATIENCE_MS);
              return proof(
                answers.every((answer) => answer.kind === 'silent'),
                `no answer within ${PATIENCE_MS} ms`,
                tally(answers),
              );
            }),
          proveHealed: () =>
            until(async () => {
              const answers = await probers.askAll(PATIENCE_MS);
              return proof(asBefore(answers, baseline), 'answers as before', tally(answers));
            }),
        };
      },
    };
  },
};
