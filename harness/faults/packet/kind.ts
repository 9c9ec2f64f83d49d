/** What all faults of packets have in common: rules of nftables where the packets pass, at the port of a node or at the near end of a link, each lent for some seconds. */
import { z } from 'zod';
import type { Cluster, Passage } from '../../cluster/types.ts';
import { linkEnds, matchingLinks } from '../../core/names.ts';
import { ANSWERING, type Aspect, type FaultKind, type Prepared } from '../fault.ts';
import { passageTarget } from '../fields.ts';
import { prepareProbed, type Seen } from '../probed.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { farEnds, matchingNodes, namesOfMatching } from '../targets.ts';
import { bittenBy, type InForce, putInForce } from './in-force.ts';
import type { PacketRule } from './nft.ts';

interface OnPassage {
  readonly kind: string;
  /** Nodes or links, by name or pattern. */
  readonly on: string;
}

export interface PacketFault<F extends OnPassage> extends Pick<FaultKind<F>, 'summary' | 'example' | 'provingMs' | 'describe'> {
  readonly kind: F['kind'];
  /** Its fields beside kind and on. */
  readonly fields?: z.ZodRawShape;
  readonly alters: readonly Aspect[];
  readonly needs?: readonly Aspect[];
  prepare(fault: F, passages: readonly Passage[]): Promise<Prepared>;
}

export function packetFault<F extends OnPassage>({ kind, fields = {}, alters, needs = ANSWERING, prepare, ...rest }: PacketFault<F>): FaultKind<F> {
  return {
    ...rest,
    kind,
    alters: ['packets', ...alters],
    needs: ['packets', ...needs],
    schema: z.strictObject({ kind: z.literal(kind), on: passageTarget, ...fields }) as unknown as z.ZodType<F>,
    target: ({ on }) => ({ kind: linkEnds(on) ? 'link' : 'node', pattern: on }),
    affects: ({ on }, cluster) => (linkEnds(on) ? farEnds(on, cluster) : namesOfMatching(on, cluster)),
    ready: async ({ on }, cluster) => {
      await Promise.all(passagesOf(on, cluster).flatMap((passage) => [passage.network(), passage.peer()]));
    },
    prepare: (fault, cluster) => prepare(fault, passagesOf(fault.on, cluster)),
  };
}

function passagesOf(on: string, { nodes, links }: Cluster): readonly Passage[] {
  return linkEnds(on) ? matchingLinks(on, links) : matchingNodes(on, nodes);
}

export interface RulesByProbes {
  /** What packets to and from this port meet. */
  readonly rules: (port: number) => readonly PacketRule[];
  /** What a probe has to see, in words, and whether it did. */
  readonly asked: string;
  readonly bites: (seen: Seen) => boolean;
}

/** A fault whose dose shows in what becomes of connections: asked over a kept one and over a new one. */
export async function prepareByProbes(passages: readonly Passage[], { rules, asked, bites }: RulesByProbes): Promise<Prepared> {
  const hands = new Map(await Promise.all(passages.map(async (one) => [one.name, await one.network()] as const)));
  const inForce: InForce[] = [];
  return prepareProbed({
    targets: passages,
    patienceMs: PATIENCE_MS,
    disturb: async (passage) => {
      const one = await putInForce(passage, hands.get(passage.name) ?? (await passage.network()), rules(passage.port));
      inForce.push(one);
      return one;
    },
    asked,
    bites,
    told: async ({ kept, fresh }) => `kept connections: ${tally(kept)}; new ones: ${tally(fresh)}; ${await bittenBy(inForce)} packets by the rule's counter`,
  });
}
