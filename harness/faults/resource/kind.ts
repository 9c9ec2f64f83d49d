/**
 * What all faults of a node's resources have in common: something is taken from it that it needs of its machine, and a program inside it, in its own group of processes, measures what is left.
 */
import { z } from 'zod';
import type { Engine } from '../../cluster/engine.ts';
import type { Measured } from '../../cluster/resident.ts';
import type { Disturbance, Node } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import type { Aspect, FaultKind } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { onAll, proof, until } from '../probing.ts';
import { matchingNodes, namesOfMatching } from '../targets.ts';

interface OnNode {
  readonly kind: string;
  readonly node: string;
}

/** What a look has seen of one node. */
export interface Seen {
  readonly holds: boolean;
  readonly told: string;
}

/** The fault on one node. */
export interface Taking {
  /** Measures what is normal. Answers with why the fault could not be told from it, in words behind the node's name. */
  before(): Promise<string | undefined>;
  disturb(): Promise<Disturbance>;
  bites(): Promise<Seen>;
  isGone(): Promise<Seen>;
  /** Closes what its looks have kept open. */
  close?(): Promise<void>;
}

export interface ResourceFault<F extends OnNode> extends Pick<FaultKind<F>, 'summary' | 'example' | 'provingMs' | 'lacks' | 'misfit'> {
  readonly kind: F['kind'];
  /** Its fields beside kind and node. */
  readonly fields: z.ZodRawShape;
  readonly alters: readonly Aspect[];
  /** Beside that its processes run. */
  readonly needs: readonly Aspect[];
  /** What it is, for people, without its node: 'cpu-limit 0.1'. */
  phrase(fault: F): string;
  /** What holds its limit for us, when it is one. */
  readonly standsBy?: 'limits' | 'writes';
  /** On how many nodes it may be measured at one time: some measurements take from each other what they measure. */
  atOnce?(fault: F): number;
  /** What has to be seen, in words: while it is in force, and once it is over. */
  asked(fault: F): { readonly bites: string; readonly gone: string };
  taking(fault: F, node: Node): Taking;
}

/** Without it a node that grows takes what the machine has. */
export const lackingMemory = async ({ enforces }: Engine): Promise<string | undefined> => (enforces.memory ? undefined : 'its engine does not limit memory');

export function resourceFault<F extends OnNode>(of: ResourceFault<F>): FaultKind<F> {
  const { kind, fields, needs, phrase, standsBy, atOnce = () => Number.MAX_SAFE_INTEGER, asked, taking, ...rest } = of;
  return {
    ...rest,
    kind,
    needs: ['process', ...needs],
    schema: z.strictObject({ kind: z.literal(kind), node: nodeTarget, ...fields }) as unknown as z.ZodType<F>,
    target: ({ node }) => ({ kind: 'node', pattern: node }),
    describe: (fault) => `${phrase(fault)} on ${fault.node}`,
    affects: ({ node }, cluster) => namesOfMatching(node, cluster),
    ...(standsBy && {
      ready: async ({ node }, cluster) => {
        for (const one of matchingNodes(node, cluster.nodes)) await one.standBy(standsBy);
      },
    }),
    prepare: async (fault, cluster) => {
      const nodes = matchingNodes(fault.node, cluster.nodes).map((node) => ({ name: node.name, ...taking(fault, node) }));
      const ofEach = async <T>(act: (node: (typeof nodes)[number]) => Promise<T>): Promise<T[]> => {
        const results: T[] = [];
        for (let at = 0; at < nodes.length; at += atOnce(fault)) results.push(...(await Promise.all(nodes.slice(at, at + atOnce(fault)).map(act))));
        return results;
      };
      const why = (await ofEach(async ({ name, before }) => [name, await before()] as const)).find(([, one]) => one !== undefined);
      if (why) throw new InvalidRunError(why.join(' '));
      const look = async (asks: string, at: (node: Taking) => Promise<Seen>) => {
        const seen = await ofEach(at);
        const told = seen.map((one, index) => (nodes.length > 1 ? `${nodes[index]?.name}: ${one.told}` : one.told));
        return proof(
          seen.every(({ holds }) => holds),
          asks,
          told.join('; '),
        );
      };
      const { bites, gone } = asked(fault);
      return {
        close: async () => {
          for (const { close } of nodes) await close?.();
        },
        inject: async () => ({
          ...(await onAll(nodes.map(({ disturb }) => disturb))),
          prove: (limitMs) => until(() => look(bites, (node) => node.bites()), limitMs),
          proveHealed: (limitMs) => until(() => look(gone, (node) => node.isGone()), limitMs),
        }),
      };
    },
  };
}

/**
 * A measured dose that is neither half of what was asked for nor double: the borders lie in the middle between them, as factors (half to whole is 0.71, whole to double is 1.41).
 */
export function isAbout(measured: number, asked: number): boolean {
  return measured > asked * LOW && measured < asked * HIGH;
}

const LOW = 0.71;
const HIGH = 1.41;

/** A field of a measurement. Throws InvalidRunError when it is not there: what was not measured is not nothing. */
export function numberIn(measured: Measured, field: string): number {
  const value = measured[field];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new InvalidRunError(`a measurement inside a node does not tell ${field}`);
  return value;
}
