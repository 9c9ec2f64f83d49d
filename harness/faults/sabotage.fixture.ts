/**
 * A saboteur: a cluster that pretends to do what a fault tells it to, and does something else. What is seen of it is real, so a proof has every chance to notice.
 *
 * All that disturbs is a method of a node, of a link, or of a part of one, and answers with its way back; the saboteur stands in for those that are named here.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/types.ts';

export const SABOTAGES = [
  'does nothing',
  'hits another target',
  'goes the other way',
  'hits another port',
  'has half the dose',
  'never heals',
  'dies halfway',
] as const;
export type Sabotage = (typeof SABOTAGES)[number];

export interface Means {
  readonly how: Sabotage;
  /** Of each target (node or link, by name) the one that is hit instead. */
  readonly instead: Readonly<Record<string, string>>;
  /** What the arguments of an act become, as JSON, for 'goes the other way', 'hits another port' and 'has half the dose'. */
  readonly spoil?: (json: string) => string;
  /** When a fault that dies halfway does so, from its first act on: after its injection is proven, and before it is to be healed. */
  readonly halfwayMs: number;
}

export interface Sabotaged {
  readonly cluster: Cluster;
  /** How often it stood in for something: never would mean that nothing was tried. */
  readonly acts: () => number;
  /** Takes back what it has left. */
  release(): Promise<void>;
}

/** Parts of a node or a link that have acts of their own. */
const PARTS = new Set(['network', 'wire', 'flooder', 'contents', 'configuration', 'login']);
/** Acts that answer with a Disturbance, and those that answer with the way back alone. */
const DISTURBING = new Set(
  'poison cut kill stop restart pause suspend misinform skewClock drop flush push change flood limitCpu burnCpu limitMemory exhaustMemory limitDescriptors fillDisk limitWrites'.split(
    ' ',
  ),
);
const LENDING = new Set(['lend', 'lay']);
/** What a hand says of rules that it has not made: that they are there. */
const PRETENDED: Readonly<Record<string, unknown>> = { elements: 2, counted: 1_000, rules: 'those that were put there' };

type Act = (...given: unknown[]) => Promise<unknown>;
interface Named {
  readonly name: string;
  readonly port: number;
}

export function sabotaged(cluster: Cluster, { how, instead, spoil = (json) => json, halfwayMs }: Means): Sabotaged {
  const left: (() => Promise<void>)[] = [];
  /** Names of loans that another hand was given. */
  const laidElsewhere = new Set<unknown>();
  let acts = 0;

  /** The same object, but for its acts; `other` is its counterpart at the target that is hit instead. */
  function stoodIn<T extends object>(subject: T, other: T | undefined, at: Named, elsewhere: Named | undefined): T {
    return new Proxy(subject, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function' || typeof key !== 'string') return value;
        const own = value.bind(target) as Act;
        const others = other && ((Reflect.get(other, key) as Act).bind(other) as Act);
        if (PARTS.has(key)) return (...given: unknown[]) => part(own(...given), others?.(...given), at, elsewhere);
        if (DISTURBING.has(key) || LENDING.has(key)) return meddled(own, others, at, elsewhere, LENDING.has(key));
        if (how === 'does nothing' && key in PRETENDED) return async () => PRETENDED[key];
        // What was laid elsewhere is asked for elsewhere, or it would be missed at once.
        if (others && key in PRETENDED) return (...given: unknown[]) => (laidElsewhere.has(given[1]) ? others : own)(...given);
        return own;
      },
    });
  }

  function part(own: unknown, others: unknown, at: Named, elsewhere: Named | undefined): unknown {
    if (!(own instanceof Promise)) return stoodIn(own as object, others as object | undefined, at, elsewhere);
    return (async () => stoodIn((await own) as object, (await others) as object | undefined, at, elsewhere))();
  }

  function meddled(own: Act, others: Act | undefined, at: Named, elsewhere: Named | undefined, isLoan: boolean): Act {
    return async (...given) => {
      acts += 1;
      const nothing = async () => undefined;
      if (how === 'does nothing')
        return isLoan ? nothing : { undo: nothing, missing: nothing, change: nothing, told: async () => ({ open: 1_000_000, turnedAway: 0 }) };
      if (how === 'hits another target') {
        if (!others || !elsewhere) throw new Error('the saboteur knows of no other target');
        if (isLoan) laidElsewhere.add(given[0]);
        // Scripts name ports and nothing else by which a target is told.
        return others(...(isLoan ? (JSON.parse(JSON.stringify(given).replaceAll(String(at.port), String(elsewhere.port))) as unknown[]) : given));
      }
      const halfway = how === 'dies halfway' ? sleep(halfwayMs, undefined, { ref: false }) : undefined;
      const real = await own(...(JSON.parse(spoil(JSON.stringify(given))) as unknown[]));
      const undo = (isLoan ? real : (real as { undo: () => Promise<void> }).undo.bind(real)) as () => Promise<void>;
      void halfway?.then(undo);
      if (how !== 'never heals') return real;
      left.push(undo);
      return isLoan ? nothing : new Proxy(real as object, { get: (target, key) => (key === 'undo' ? nothing : bound(target, key)) });
    };
  }

  const otherOf = <T extends { readonly name: string }>(all: readonly T[], one: T) => all.find(({ name }) => name === instead[one.name]);
  const all = <T extends Named>(those: readonly T[]) => those.map((one) => stoodIn(one, otherOf(those, one), one, otherOf(those, one)));
  const [nodes, links] = [all(cluster.nodes), all(cluster.links)];
  return {
    cluster: {
      nodes,
      links,
      node: (name) => nodes.find((node) => node.name === name) ?? cluster.node(name),
      link: (name) => links.find((link) => link.name === name) ?? cluster.link(name),
    },
    acts: () => acts,
    release: async () => {
      await Promise.all(left.map((undo) => undo()));
    },
  };
}

function bound(target: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}
