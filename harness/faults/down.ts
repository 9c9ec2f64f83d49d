/**
 * down: a link refuses connections.
 *
 * On the wire: existing connections are closed (FIN), new ones are refused (RST to the SYN), as when the
 * far process has stopped but its machine still answers. Proof: a new connection is refused and a kept
 * one was closed; after healing both are answered.
 */
import { z } from 'zod';
import { matchingLinks } from '../core/names.ts';
import type { FaultKind } from './fault.ts';
import { linkTarget } from './fields.ts';
import { asBefore, baselineOf, onAll, openProbers, proof, tally, until } from './probing.ts';
import { farEnds } from './targets.ts';

export interface Down {
  readonly kind: 'down';
  readonly link: string;
}

/** Refuses connections over the links that `link` names ('edge -> proxy-1'). */
export const down = (link: string): Down => ({ kind: 'down', link });

const PATIENCE_MS = 300;

export const downKind: FaultKind<Down> = {
  kind: 'down',
  summary: 'a link refuses connections and closes those it has',
  schema: z.strictObject({ kind: z.literal('down'), link: linkTarget }),
  target: (fault) => ({ kind: 'link', pattern: fault.link }),
  describe: (fault) => `down on ${fault.link}`,
  excludes: ['latency', 'silence'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => farEnds(fault.link, cluster),

  async prepare(fault, cluster) {
    const links = matchingLinks(fault.link, cluster.links);
    const probers = await openProbers(links);
    const baseline = await baselineOf(probers);
    return {
      close: probers.close,
      async inject() {
        const heal = await onAll(links.map((link) => () => link.cut()));
        return {
          heal,
          prove: () =>
            until(async () => {
              // A kept connection reports its closing once; asked again it has to dial anew, and is refused too.
              const answers = await probers.askAll(PATIENCE_MS);
              const gone = answers.every((answer) => answer.kind === 'refused' || answer.kind === 'closed');
              return proof(gone && answers.some((answer) => answer.kind === 'refused'), 'new connections refused, kept ones closed', tally(answers));
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
