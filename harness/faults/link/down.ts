/**
 * down: a link refuses connections.
 *
 * On the wire: existing connections are closed (FIN), new ones are refused (RST to the SYN), as when the
 * far process has stopped but its machine still answers. Proof: a new connection is refused and a kept
 * one was closed; after healing both are answered.
 */
import { z } from 'zod';
import { matchingLinks } from '../../core/names.ts';
import type { FaultKind } from '../fault.ts';
import { linkTarget } from '../fields.ts';
import { prepareProbed } from '../probed.ts';
import { farEnds } from '../targets.ts';

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
  excludes: ['latency', 'silence', 'reset'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => farEnds(fault.link, cluster),

  prepare: (fault, cluster) =>
    prepareProbed({
      targets: matchingLinks(fault.link, cluster.links),
      patienceMs: PATIENCE_MS,
      disturb: (link) => link.cut(),
      asked: 'new connections refused, kept ones closed',
      // A kept connection reports its closing once; asked again it has to dial anew, and is refused too.
      bites: ({ kept, fresh }) => fresh.every(({ kind }) => kind === 'refused') && kept.every(({ kind }) => kind === 'refused' || kind === 'closed'),
    }),
};
