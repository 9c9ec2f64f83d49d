/** Steps that stand for several: repeated ones, and staggered ones, whose targets come one after the other. */
import type { ClusterSpec } from '../cluster/spec.ts';
import { InputError } from '../core/errors.ts';
import { linkName, matches, matchingLinks } from '../core/names.ts';
import { milliseconds } from '../core/units.ts';
import { type Fault, faultKind, targetFieldOf } from '../faults/index.ts';
import type { Step } from './types.ts';

const MOST_REPEATS = 100;

/** One of those that a step stands for. */
export interface Single {
  readonly step: Step;
  /** 'steps[2]' */
  readonly key: string;
  /** What its jitter is drawn by: each of a row has its own. */
  readonly draw: string;
  /** How much later than the step's own moment, ms. */
  readonly laterMs: number;
}

/** Throws InputError naming the key. */
export function expand(step: Step, index: number, cluster: ClusterSpec): Single[] {
  const key = `steps[${index}]`;
  const inTurn = step.stagger === undefined ? [step] : oneByOne(step, key, cluster);
  const staggerMs = step.stagger === undefined ? 0 : milliseconds(step.stagger, `${key}.stagger`);
  const { times = 1, every = '0ms' } = step.repeat ?? {};
  if (!Number.isInteger(times) || times < 1 || times > MOST_REPEATS)
    throw new InputError(`${key}.repeat.times: ${String(times)} is not allowed; write a whole number from 1 to ${MOST_REPEATS}`);
  const everyMs = milliseconds(every, `${key}.repeat.every`);
  return Array.from({ length: times }, (_, round) =>
    inTurn.map((single, turn): Single => {
      const number = round * inTurn.length + turn;
      return { step: single, key, draw: number === 0 ? `step ${index}` : `step ${index} ${number}`, laterMs: round * everyMs + turn * staggerMs };
    }),
  ).flat();
}

/** A step of its own for each of its targets, in the cluster's order. */
function oneByOne(step: Step, key: string, cluster: ClusterSpec): Step[] {
  const { kind, pattern } = faultKind(step.fault).target(step.fault);
  const names =
    kind === 'link'
      ? matchingLinks(pattern, cluster.links).map(({ from, to }) => linkName(from, to))
      : cluster.nodes.filter(({ name }) => matches(pattern, name)).map(({ name }) => name);
  if (names.length < 2) throw new InputError(`${key}.stagger: '${pattern}' names ${names.length === 1 ? 'one target' : 'nothing'}; a row needs two or more`);
  return names.map((name) => ({ ...step, fault: { ...step.fault, [targetFieldOf(step.fault)]: name } as Fault }));
}
