/** What all faults of links have in common: they act in Toxiproxy, on every connection over the link, and are seen by exchanges from the link's near end. */
import type { z } from 'zod';
import { z as zod } from 'zod';
import type { Link } from '../../cluster/types.ts';
import { matchingLinks } from '../../core/names.ts';
import { ANSWERING, type Aspect, type FaultKind, type Prepared } from '../fault.ts';
import { linkTarget } from '../fields.ts';
import { type Probed, prepareProbed } from '../probed.ts';
import { farEnds } from '../targets.ts';
import { type Measured, prepareMeasured } from './measured.ts';

interface OnLink {
  readonly kind: string;
  readonly link: string;
}

interface LinkFault<F extends OnLink> extends Pick<FaultKind<F>, 'summary' | 'example' | 'provingMs' | 'ramps' | 'lacksFor'> {
  readonly kind: F['kind'];
  /** Its fields beside kind and link. */
  readonly fields?: z.ZodRawShape;
  readonly alters: readonly Aspect[];
  /** Beside what its exchanges need. */
  readonly needs?: readonly Aspect[];
  /** What is wrong with its fields together, and with which. */
  check?(fault: F): { readonly key: string; readonly message: string } | undefined;
  /** What it is, for people, without its link: 'latency 1s'. */
  phrase(fault: F): string;
}

/** One whose exchanges show it: what is done to each link, and what its probes have to see. */
interface ProbedLinkFault<F extends OnLink> extends LinkFault<F> {
  probed(fault: F): Omit<Probed<Link>, 'targets'>;
}

/** One that has to be measured. */
interface MeasuredLinkFault<F extends OnLink, S> extends LinkFault<F> {
  measured(fault: F): Measured<S>;
}

export function linkFault<F extends OnLink>({ probed, ...fault }: ProbedLinkFault<F>): FaultKind<F> {
  return kindOf(fault, (one, links) => prepareProbed({ ...probed(one), targets: links }));
}

export function measuredLinkFault<F extends OnLink, S>({ measured, ...fault }: MeasuredLinkFault<F, S>): FaultKind<F> {
  return kindOf(fault, (one, links) => prepareMeasured(links, one, measured));
}

function kindOf<F extends OnLink>(
  { kind, fields = {}, needs = [], check, phrase, ...rest }: LinkFault<F>,
  prepare: (fault: F, links: readonly Link[]) => Promise<Prepared>,
): FaultKind<F> {
  const schema = zod.strictObject({ kind: zod.literal(kind), link: linkTarget, ...fields }).superRefine((fault, context) => {
    // What is wrong with one field has been told; several can be held against each other only when each is right.
    const wrong = context.issues.length > 0 ? undefined : check?.(fault as unknown as F);
    if (wrong) context.addIssue({ code: 'custom', path: [wrong.key], message: wrong.message });
  });
  return {
    ...rest,
    kind,
    needs: [...ANSWERING, ...needs],
    schema: schema as unknown as z.ZodType<F>,
    target: (fault) => ({ kind: 'link', pattern: fault.link }),
    describe: (fault) => `${phrase(fault)} on ${fault.link}`,
    affects: (fault, cluster) => farEnds(fault.link, cluster),
    prepare: (fault, cluster) => prepare(fault, matchingLinks(fault.link, cluster.links)),
  };
}
