/**
 * reset: connections over a link are reset as soon as they are made.
 *
 * On the wire: new connections are accepted and then reset (RST), before or after their first request; those that were there are closed in order (FIN), since Toxiproxy decides at its making how
 * a connection is closed. Whoever tries again at once meets the same. Proof: an exchange on a new connection is reset, and one on a kept connection closed.
 */
import { z } from 'zod';
import { matchingLinks } from '../../core/names.ts';
import type { FaultKind } from '../fault.ts';
import { linkTarget } from '../fields.ts';
import { prepareProbed } from '../probed.ts';
import { tally } from '../probing.ts';
import { farEnds } from '../targets.ts';

export interface Reset {
  readonly kind: 'reset';
  readonly link: string;
}

/** Resets the connections over the links that `link` names ('edge -> proxy-1'). */
export const reset = (link: string): Reset => ({ kind: 'reset', link });

const PATIENCE_MS = 300;

export const resetKind: FaultKind<Reset> = {
  kind: 'reset',
  summary: 'connections over a link are reset as soon as they are made',
  schema: z.strictObject({ kind: z.literal('reset'), link: linkTarget }),
  target: (fault) => ({ kind: 'link', pattern: fault.link }),
  describe: (fault) => `reset on ${fault.link}`,
  excludes: ['latency', 'silence', 'down'],
  provingMs: () => 2 * PATIENCE_MS,
  affects: (fault, cluster) => farEnds(fault.link, cluster),

  prepare: (fault, cluster) =>
    prepareProbed({
      targets: matchingLinks(fault.link, cluster.links),
      patienceMs: PATIENCE_MS,
      disturb: (link) => link.poison({ type: 'reset_peer', stream: 'downstream', attributes: { timeout: 0 } }),
      asked: 'new connections reset, kept ones closed',
      bites: ({ kept, fresh }) => fresh.every((answer) => answer.kind === 'closed' && answer.reset) && kept.every(({ kind }) => kind === 'closed'),
      told: ({ kept, fresh }) => {
        const resets = fresh.filter((answer) => answer.kind === 'closed' && answer.reset).length;
        return `kept connections: ${tally(kept)}; new ones: ${tally(fresh)}, ${resets} of them by a reset`;
      },
    }),
};
