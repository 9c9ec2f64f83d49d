/** What all faults of links have in common: they act in Toxiproxy, on every connection over the link, and are seen by exchanges from the link's near end. */
import type { z } from 'zod';
import { z as zod } from 'zod';
import type { Link } from '../../cluster/types.ts';
import { matchingLinks } from '../../core/names.ts';
import { ANSWERING, type Aspect, type FaultKind } from '../fault.ts';
import { linkTarget } from '../fields.ts';
import { type Probed, prepareProbed } from '../probed.ts';
import { farEnds } from '../targets.ts';

interface OnLink {
  readonly kind: string;
  readonly link: string;
}

export interface LinkFault<F extends OnLink> extends Pick<FaultKind<F>, 'summary' | 'example' | 'provingMs'> {
  readonly kind: F['kind'];
  /** Its fields beside kind and link. */
  readonly fields?: z.ZodRawShape;
  readonly alters: readonly Aspect[];
  /** Beside what its exchanges need. */
  readonly needs?: readonly Aspect[];
  /** What it is, for people, without its link: 'latency 1s'. */
  phrase(fault: F): string;
  /** What is done to each link, and what its probes have to see. */
  probed(fault: F): Omit<Probed<Link>, 'targets'>;
}

export function linkFault<F extends OnLink>({ kind, fields = {}, needs = [], phrase, probed, ...rest }: LinkFault<F>): FaultKind<F> {
  return {
    ...rest,
    kind,
    needs: [...ANSWERING, ...needs],
    schema: zod.strictObject({ kind: zod.literal(kind), link: linkTarget, ...fields }) as unknown as z.ZodType<F>,
    target: (fault) => ({ kind: 'link', pattern: fault.link }),
    describe: (fault) => `${phrase(fault)} on ${fault.link}`,
    affects: (fault, cluster) => farEnds(fault.link, cluster),
    prepare: (fault, cluster) => prepareProbed({ ...probed(fault), targets: matchingLinks(fault.link, cluster.links) }),
  };
}
