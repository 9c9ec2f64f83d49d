/** What all faults of a node's processes have in common: they act through the engine, and are seen by exchanges straight with the node and by what the engine says of its process. */
import { z } from 'zod';
import type { Node } from '../../cluster/types.ts';
import { ANSWERING, type Aspect, type FaultKind } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { type Probed, prepareProbed } from '../probed.ts';
import { matchingNodes, namesOfMatching } from '../targets.ts';

interface OnNode {
  readonly kind: string;
  readonly node: string;
}

export interface ProcessFault<F extends OnNode> extends Pick<FaultKind<F>, 'summary' | 'example' | 'provingMs'> {
  readonly kind: F['kind'];
  /** Its fields beside kind and node. */
  readonly fields?: z.ZodRawShape;
  /** Beside its process. */
  readonly alters: readonly Aspect[];
  /** What it is, for people, without its node: 'pause'. */
  phrase(fault: F): string;
  /** What is done to each node, and what its probes have to see. */
  probed(fault: F, nodes: readonly Node[]): Omit<Probed<Node>, 'targets'> | Promise<Omit<Probed<Node>, 'targets'>>;
}

export function processFault<F extends OnNode>({ kind, fields = {}, alters, phrase, probed, ...rest }: ProcessFault<F>): FaultKind<F> {
  return {
    ...rest,
    kind,
    alters: [...alters, 'process'],
    needs: [...ANSWERING, 'process'],
    schema: z.strictObject({ kind: z.literal(kind), node: nodeTarget, ...fields }) as unknown as z.ZodType<F>,
    target: (fault) => ({ kind: 'node', pattern: fault.node }),
    describe: (fault) => `${phrase(fault)} ${fault.node}`,
    affects: (fault, cluster) => namesOfMatching(fault.node, cluster),
    prepare: async (fault, cluster) => {
      const nodes = matchingNodes(fault.node, cluster.nodes);
      return prepareProbed({ ...(await probed(fault, nodes)), targets: nodes });
    },
  };
}
