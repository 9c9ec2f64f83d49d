/** What all faults of packets have in common: rules of nftables where the packets pass, at the port of a node or at the near end of a link, each lent for some seconds. */
import { z } from 'zod';
import { linkEnds } from '../../core/names.ts';
import { ANSWERING, type Aspect, type FaultKind, type Prepared } from '../fault.ts';
import { passageTarget } from '../fields.ts';
import { farEnds, namesOfMatching } from '../targets.ts';
import { type Aim, aimsOf, checkPeer, closeAll, narrowedFields, narrowedPhrase, type OnPassage, refuseNarrowedLink } from './aims.ts';
import type { PacketRule } from './nft.ts';
import { refusedByKernel } from './trial.ts';

export interface PacketFault<F extends OnPassage> extends Pick<FaultKind<F>, 'summary' | 'example' | 'provingMs' | 'ramps'> {
  readonly kind: F['kind'];
  /** Its fields beside kind, on, peer and port. */
  readonly fields?: z.ZodRawShape;
  /** What its fields must not say together. */
  readonly refine?: (fault: F, context: z.RefinementCtx) => void;
  readonly alters: readonly Aspect[];
  readonly needs?: readonly Aspect[];
  /** What it is, for people, without what it is aimed at: 'loss 5% in'. */
  phrase(fault: F): string;
  /** Rules of its sort, which the kernel has to know. */
  readonly trial: readonly Omit<PacketRule, 'port'>[];
  /** It is looked at from two addresses, where there are two. */
  readonly fromTwo?: boolean;
  /** The probers of the aims are closed for it. */
  prepare(fault: F, aims: readonly Aim[]): Promise<Omit<Prepared, 'close'>>;
}

export function packetFault<F extends OnPassage>(fault: PacketFault<F>): FaultKind<F> {
  const { kind, fields = {}, refine, alters, needs = ANSWERING, phrase, trial, fromTwo, prepare, ...rest } = fault;
  const schema = z.strictObject({ kind: z.literal(kind), on: passageTarget, ...narrowedFields, ...fields }).superRefine((data, context) => {
    refuseNarrowedLink(data as unknown as OnPassage, context);
    refine?.(data as unknown as F, context);
  });
  return {
    ...rest,
    kind,
    alters: ['packets', ...alters],
    needs: ['packets', ...needs],
    schema: schema as unknown as z.ZodType<F>,
    describe: (one) => `${phrase(one)} on ${one.on}${narrowedPhrase(one)}`,
    target: ({ on }) => ({ kind: linkEnds(on) ? 'link' : 'node', pattern: on }),
    affects: (one, cluster) => {
      checkPeer(one, cluster);
      return linkEnds(one.on) ? farEnds(one.on, cluster) : namesOfMatching(one.on, cluster);
    },
    lacks: (engine) =>
      refusedByKernel(
        engine,
        trial.map((rule) => ({ port: 1, ...rule })),
      ),
    ready: async (one, cluster) => closeAll(await aimsOf(one, cluster, fromTwo)),
    prepare: async (one, cluster) => {
      const aims = await aimsOf(one, cluster, fromTwo);
      try {
        return { ...(await prepare(one, aims)), close: () => closeAll(aims) };
      } catch (thrown) {
        await closeAll(aims);
        throw thrown;
      }
    },
  };
}
