/**
 * What all faults of names have in common: single askers are told something else of single names by the cluster's name service, and it is seen by questions that are asked in their place,
 * with their address, of whom their programs ask.
 *
 * Programs keep nothing: answers live for 0 s (TTL), and neither the C library nor the engine's own name service, which passes questions on, caches any. A connection that stands asks for
 * no name, so only what connects anew is touched; and what a program has looked up itself it keeps for as long as it likes: twemproxy until it has to connect again.
 */
import { z } from 'zod';
import type { NameLie, Resolved } from '../../cluster/names.ts';
import type { Asker, Cluster, Node } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import { linkName, matches, type NodeName } from '../../core/names.ts';
import type { Aspect, FaultKind, Prepared } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { median, onAll, proof, until } from '../probing.ts';
import { matchingNodes, namesOfMatching } from '../targets.ts';

interface OfNames {
  readonly kind: string;
  /** Who asks: nodes, by name or pattern. */
  readonly of: string;
  /** For whom: likewise. */
  readonly name: string;
}

/** One question for one name, and how it ended. */
export interface Asked {
  readonly asker: Asker;
  readonly name: NodeName;
  readonly resolved: Resolved;
  /** What the name stands for. */
  readonly truth: string;
}

export interface NamesFault<F extends OfNames> extends Pick<FaultKind<F>, 'summary' | 'example' | 'provingMs'> {
  readonly kind: F['kind'];
  /** Its fields beside kind, of and name. */
  readonly fields?: z.ZodRawShape;
  /** Beside names and the asker's process. */
  readonly needs?: readonly Aspect[];
  /** What it is, for people, without its asker: 'mc-1 resolves to mc-2'. */
  phrase(fault: F): string;
  lie(fault: F): NameLie;
  /** How long a question waits for its answer, ms. */
  patienceMs(fault: F): number;
  /** What a question has to meet, in words; whether it did. */
  asked(fault: F): string;
  bites(asked: Asked, fault: F, cluster: Cluster): boolean | Promise<boolean>;
  misfit?(fault: F, nodes: readonly { readonly name: NodeName }[]): string | undefined;
}

const BASELINE_PATIENCE_MS = 2_000;
const BASELINE_ASKS = 3;
/** A right answer takes 0.5 to 4 ms here; on two busy cores it waits some scheduling slices of 4 ms. */
const PROMPT_MS = 50;
/** Several, since one of them may be what is told instead. */
const OTHER_NAMES = 3;

export function namesFault<F extends OfNames>(of: NamesFault<F>): FaultKind<F> {
  const { kind, fields = {}, needs = [], summary, example, provingMs, phrase } = of;
  return {
    kind,
    summary,
    example,
    provingMs,
    alters: ['names'],
    needs: ['names', 'process', ...needs],
    schema: z.strictObject({ kind: z.literal(kind), of: nodeTarget, name: nodeTarget, ...fields }) as unknown as z.ZodType<F>,
    target: (fault) => ({ kind: 'node', pattern: fault.of, unprobed: true }),
    describe: (fault) => `${phrase(fault)} for ${fault.of}`,
    affects: (fault, cluster) => namesOfMatching(fault.name, cluster),
    misfit: (fault, { byName = [], nodes }) => {
      if (byName.length === 0) return "nobody asks for names in this cluster; let some hops be dialled by name, such as byName: 'client-* -> mc-1'";
      if (!byName.some(({ from, to }) => matches(fault.of, from) && matches(fault.name, to)))
        return `'${fault.of}' does not dial '${fault.name}' by name; by name: ${byName.map(({ from, to }) => linkName(from, to)).join(', ')}`;
      return of.misfit?.(fault, nodes);
    },
    ready: async (fault, { nodes }) => {
      await Promise.all(witnesses(fault, nodes).map((node) => node.asker()));
    },
    prepare: (fault, cluster) => prepare(of, fault, cluster),
  };
}

/** Those who are lied to, and one who is not. */
function witnesses({ of }: OfNames, nodes: readonly Node[]): Node[] {
  const others = nodes.filter(({ name }) => !matches(of, name));
  // A client has its hand in its own container, others need a sidecar.
  const other = others.find(({ role }) => role === 'client') ?? others[0];
  return [...matchingNodes(of, nodes), ...(other ? [other] : [])];
}

async function prepare<F extends OfNames>(of: NamesFault<F>, fault: F, cluster: Cluster): Promise<Prepared> {
  const { nodes } = cluster;
  const names = namesOfMatching(fault.name, cluster);
  const otherNames = nodes
    .filter(({ name }) => !matches(fault.name, name))
    .map(({ name }) => name)
    .slice(0, OTHER_NAMES);
  const liedTo = matchingNodes(fault.of, nodes);
  const askers = await Promise.all(witnesses(fault, nodes).map(async (node) => ({ node, asker: await node.asker() })));
  const ask = async (asker: Asker, name: NodeName, patienceMs: number): Promise<Asked> => ({
    asker,
    name,
    resolved: await asker.resolve(name, patienceMs),
    truth: cluster.node(name).address,
  });
  /** What those who are lied to are told of these names, and what they are told of another one and others of these. */
  const look = async (patienceMs: number): Promise<{ lies: Asked[]; truths: Asked[] }> => {
    const asked = await Promise.all(
      askers.map(async ({ node, asker }) => {
        const ofNames = await Promise.all(names.map((name) => ask(asker, name, patienceMs)));
        const ofOthers = await Promise.all(otherNames.map((name) => ask(asker, name, patienceMs)));
        return liedTo.includes(node) ? { lies: ofNames, truths: ofOthers } : { lies: [], truths: [...ofNames, ...ofOthers] };
      }),
    );
    return { lies: asked.flatMap(({ lies }) => lies), truths: asked.flatMap(({ truths }) => truths) };
  };

  const usual: number[] = [];
  for (let asks = 0; asks < BASELINE_ASKS; asks++) {
    const { lies, truths } = await look(BASELINE_PATIENCE_MS);
    const wrong = [...lies, ...truths].find((one) => !isTrue(one));
    if (wrong)
      throw new InvalidRunError(`before the fault ${wrong.name} resolved to ${told(wrong)}, and not to ${wrong.truth}, so the fault could not be told from it`);
    usual.push(...[...lies, ...truths].map(({ resolved }) => resolved.ms));
  }
  const promptMs = Math.max(PROMPT_MS, 3 * median(usual), ...usual);
  const isAsBefore = (one: Asked) => isTrue(one) && one.resolved.ms <= promptMs;

  return {
    close: async () => undefined,
    async inject() {
      const inForce = await onAll(liedTo.map((node) => () => node.misinform(names, of.lie(fault))));
      return {
        ...inForce,
        prove: (limitMs) =>
          until(async () => {
            const { lies, truths } = await look(of.patienceMs(fault));
            const bitten = await Promise.all(lies.map((one) => of.bites(one, fault, cluster)));
            const holds = bitten.every(Boolean) && truths.every(isAsBefore);
            return proof(holds, `${of.asked(fault)} for ${fault.of} alone`, `${tellAll(lies)}; others and other names: ${tellAll(truths)}`);
          }, limitMs),
        proveHealed: (limitMs) =>
          until(async () => {
            const { lies, truths } = await look(BASELINE_PATIENCE_MS);
            return proof([...lies, ...truths].every(isAsBefore), `the right answer within ${Math.round(promptMs)} ms for all`, tellAll([...lies, ...truths]));
          }, limitMs),
      };
    },
  };
}

/** Whether a name was told to stand for what it does, however late. */
export function isTrue({ resolved, truth }: Asked): boolean {
  return resolved.kind === 'address' && resolved.addresses.length === 1 && resolved.addresses[0] === truth;
}

/** '172.20.0.5 after 2 ms', 'nxdomain after 1 ms'. */
function told({ resolved }: Asked): string {
  return `${resolved.kind === 'address' ? resolved.addresses.join('+') : resolved.kind} after ${Math.round(resolved.ms)} ms`;
}

const MOST_TOLD = 4;

function tellAll(asked: readonly Asked[]): string {
  const first = asked.slice(0, MOST_TOLD).map((one) => `${one.name} ${isTrue(one) ? 'right' : 'wrong'} (${told(one)})`);
  return (
    [...first, ...(asked.length > MOST_TOLD ? [`${asked.slice(MOST_TOLD).filter(isTrue).length} right of ${asked.length - MOST_TOLD} more`] : [])].join(', ') ||
    'none'
  );
}
