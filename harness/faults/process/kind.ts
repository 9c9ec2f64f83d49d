/**
 * What all faults of a node's processes have in common: they act through the engine or through a hand among the processes, and are seen by exchanges straight with the node and by which processes
 * there are. A process is told by its id and its start time together.
 */
import { z } from 'zod';
import { noneFits } from '../../cluster/processes.ts';
import type { Cluster, Disturbance, Node } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import { once } from '../../core/once.ts';
import { ANSWERING, type Aspect, type FaultKind, type Injected, type Prepared } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { type Probed, prepareProbed } from '../probed.ts';
import { matchingNodes, namesOfMatching } from '../targets.ts';

interface OnNode {
  readonly kind: string;
  readonly node: string;
  /** Those under the node's first process that it acts on; that first process when it is left out. */
  readonly process?: string;
}

export interface ProcessFault<F extends OnNode> extends Pick<FaultKind<F>, 'summary' | 'example' | 'provingMs' | 'lacks' | 'lacksFor'> {
  readonly kind: F['kind'];
  /** Its fields beside kind and node. */
  readonly fields?: z.ZodRawShape;
  /** What is wrong with them together; undefined when nothing is. */
  readonly refuses?: (fault: F) => string | undefined;
  /** Beside its process. */
  readonly alters: readonly Aspect[];
  /** What it is, for people, without its node: 'pause'. */
  phrase(fault: F): string;
  /** Whether it needs a hand among the processes, which takes some tenths of a second to make. One that acts on `process` does. */
  readonly inside?: (fault: F) => boolean;
  /** For how long it may take to be seen, where that is longer than for others, ms. */
  readonly proofLimitMs?: (fault: F) => number;
  /** What is done to each node, and what its probes have to see. */
  probed(fault: F, nodes: readonly Node[]): Omit<Probed<Node>, 'targets'>;
}

export const processField = z
  .string()
  .min(1, { error: "'' is no process; write its name or a pattern over its command line, such as 'memcached' or '*-p 11212*'" })
  .describe("the name of a process under the first one, or a pattern over its command line, such as 'memcached' or '*-p 11212*'");

export function processFault<F extends OnNode>(of: ProcessFault<F>): FaultKind<F> {
  const { kind, fields = {}, refuses = () => undefined, alters, phrase, inside = () => false, proofLimitMs, probed, ...rest } = of;
  const schema = z.strictObject({ kind: z.literal(kind), node: nodeTarget, ...fields }).superRefine((fault, context) => {
    const message = refuses(fault as unknown as F);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
  return {
    ...rest,
    kind,
    alters: [...alters, 'process'],
    needs: [...ANSWERING, 'process'],
    schema: schema as unknown as z.ZodType<F>,
    target: (fault) => ({ kind: 'node', pattern: fault.node }),
    describe: (fault) => `${phrase(fault)} ${fault.node}`,
    affects: (fault, cluster) => namesOfMatching(fault.node, cluster),
    ready: async (fault, cluster) => {
      if (fault.process !== undefined || inside(fault)) await Promise.all(nodesOf(fault, cluster).map((node) => node.processes()));
    },
    prepare: async (fault, cluster) => {
      const nodes = nodesOf(fault, cluster);
      await Promise.all(nodes.map((node) => refuseUnfit(node, fault.process)));
      const prepared = await prepareProbed({ ...notingWhatIsGone(probed(fault, nodes)), targets: nodes });
      return proofLimitMs ? patient(prepared, proofLimitMs(fault)) : prepared;
    },
  };
}

function nodesOf(fault: OnNode, { nodes }: Cluster): Node[] {
  return matchingNodes(fault.node, nodes);
}

/** Throws InvalidRunError for a node that does not run, stands still, or has no such process: what is so already cannot be seen to come. */
async function refuseUnfit(node: Node, process: string | undefined): Promise<void> {
  const { running, paused } = await node.state();
  if (!running) throw new InvalidRunError(`${node.name} does not run, so nothing can be done to its process`);
  if (paused) throw new InvalidRunError(`${node.name} is paused, so nothing can be seen of its process`);
  if (process !== undefined && (await node.processes(process)).length === 0)
    throw new InvalidRunError(noneFits(node.name, process, await node.processes(), await node.processes('*')));
}

/** Somebody else may have taken it back meanwhile: that is fine, and is told with the proof of its end. */
function notingWhatIsGone(of: Omit<Probed<Node>, 'targets'>): Omit<Probed<Node>, 'targets'> {
  const gone: string[] = [];
  const disturb = async (node: Node): Promise<Disturbance> => {
    const one = await of.disturb(node);
    const undo = once(async () => {
      // Where nobody can tell, it is healed all the same.
      const why = await one.missing().catch(() => undefined);
      if (why !== undefined) gone.push(why);
      await one.undo();
    });
    return { ...one, undo };
  };
  const { healed } = of;
  if (!healed) return { ...of, disturb };
  const told = async () => (gone.length > 0 ? `${await healed.told()}; nothing was left to heal: ${gone.join(', ')}` : healed.told());
  return { ...of, disturb, healed: { ...healed, told } };
}

/** With a limit of its own where none is given. */
function patient(prepared: Prepared, proofLimitMs: number): Prepared {
  const withLimit = (injected: Injected): Injected => ({ ...injected, prove: (limitMs = proofLimitMs) => injected.prove(limitMs) });
  return { ...prepared, inject: async () => withLimit(await prepared.inject()) };
}
