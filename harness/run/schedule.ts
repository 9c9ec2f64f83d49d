/** When each step of a scenario happens: fixed by the plan, and by the seed where a step has jitter; or between which moments, where it waits for something to be seen. */
import type { ClusterSpec } from '../cluster/spec.ts';
import { InputError } from '../core/errors.ts';
import { linkName, matches, matchingLinks } from '../core/names.ts';
import { seeded } from '../core/random.ts';
import { formatMs, milliseconds } from '../core/units.ts';
import { clashOf } from '../faults/exclusion.ts';
import { type Fault, faultKind, targetFieldOf } from '../faults/index.ts';
import { between } from '../faults/ramp.ts';
import { type Condition, describeCondition } from './conditions.ts';
import { expand, type Single } from './expand.ts';
import type { PlannedStep, Step } from './types.ts';

const LEAST_STEP_MS = 500;
const MOST_STAGES = 50;
/** Between two faults on one target: for the first one's end to be proven, and for what is normal to be seen before the second. */
const LEAST_GAP_MS = 2_000;

/** Where a trigger looks from: nothing is known of what is normal before. */
const EARLIEST_MS = 1_000;

/** Steps with their moments and targets. Throws InputError naming the step and the key. */
export function schedule(steps: readonly Step[], cluster: ClusterSpec, durationMs: number, seed: number): PlannedStep[] {
  const singles = steps.flatMap((step, index) => {
    refuseMixtures(step, `steps[${index}]`);
    return expand(step, index, cluster);
  });
  const planned = singles.map((single) => planStep(single, cluster, durationMs, seed)).toSorted((a, b) => a.atMs - b.atMs);
  refuseOverlaps(planned, cluster);
  return planned;
}

/** Keys that say nothing together, or nothing alone. */
function refuseMixtures({ at, when, by, jitter, repeat, stagger, ramp, ifLost }: Step, key: string): void {
  if ((at === undefined) === (when === undefined))
    throw new InputError(`${key}: ${at === undefined ? 'there is neither at nor when' : 'at and when exclude each other'}; write one of them`);
  if (when === undefined && by !== undefined) throw new InputError(`${key}.by: goes with when only`);
  if (when !== undefined && by === undefined) throw new InputError(`${key}.by: missing; write until when it has to be seen, such as '20s'`);
  const clockOnly = Object.entries({ jitter, repeat, stagger, ramp }).find(([, value]) => value !== undefined);
  if (when !== undefined && clockOnly)
    throw new InputError(`${key}.${clockOnly[0]}: goes with at only, since nobody knows when '${describeCondition(when)}' will be`);
  if (ramp !== undefined && ifLost !== undefined) throw new InputError(`${key}.ifLost: does not go with ramp`);
}

function planStep({ step, key, draw, laterMs }: Single, cluster: ClusterSpec, durationMs: number, seed: number): PlannedStep {
  const lastsMs = milliseconds(step.for, `${key}.for`);
  const kind = faultKind(step.fault);
  const leastMs = Math.max(LEAST_STEP_MS, kind.provingMs(step.fault));
  if (lastsMs < leastMs)
    throw new InputError(`${key}.for: '${step.for}' is too short for ${kind.describe(step.fault)} to be proven; write ${formatMs(leastMs)} or more`);
  const { atMs, byMs } =
    step.when === undefined ? momentOf(step, key, draw, laterMs, seed) : { atMs: EARLIEST_MS, byMs: milliseconds(step.by ?? '', `${key}.by`) };
  const untilMs = (byMs ?? atMs) + lastsMs;
  if (byMs !== undefined && byMs <= EARLIEST_MS)
    throw new InputError(`${key}.by: '${step.by}' leaves no time to see it; write more than ${formatMs(EARLIEST_MS)}`);
  if (untilMs > durationMs)
    throw new InputError(`${key}: ends at ${formatMs(untilMs)}, after the load's end at ${formatMs(durationMs)}; lengthen duration or shorten the step`);
  return {
    atMs,
    untilMs,
    fault: step.fault,
    title: kind.describe(step.fault),
    targets: targetsOf(step, key, cluster),
    affects: underKey(`${key}.fault`, () => kind.affects(step.fault, cluster)),
    ...(step.when === undefined || byMs === undefined ? {} : { trigger: triggerOf(step.when, `${key}.when`, cluster, byMs, lastsMs) }),
    ...(step.ramp === undefined ? {} : { stages: stagesOf(step.fault, step.ramp, key, atMs, lastsMs) }),
    ...(step.ifLost === undefined ? {} : { reapply: true }),
  };
}

/** What a fault refuses knows its field, and not which step it is in. */
function underKey<T>(key: string, look: () => T): T {
  try {
    return look();
  } catch (thrown) {
    if (thrown instanceof InputError) throw new InputError(`${key}.${thrown.message}`, { cause: thrown });
    throw thrown;
  }
}

/** By the clock: its own moment, later by its turn in a row, shifted by its jitter. */
function momentOf(step: Step, key: string, draw: string, laterMs: number, seed: number): { atMs: number; byMs?: number } {
  const jitterMs = step.jitter === undefined ? 0 : milliseconds(step.jitter, `${key}.jitter`);
  const shift = jitterMs === 0 ? 0 : Math.round((seeded(seed).fork(draw).next() * 2 - 1) * jitterMs);
  const atMs = milliseconds(step.at ?? '', `${key}.at`) + laterMs + shift;
  if (atMs < EARLIEST_MS)
    throw new InputError(
      `${key}.at: '${step.at}'${jitterMs ? ` less its jitter '${step.jitter}'` : ''} leaves no time to see what is normal; write 1s or more`,
    );
  return { atMs };
}

function triggerOf(condition: Condition, key: string, { nodes }: ClusterSpec, byMs: number, forMs: number): PlannedStep['trigger'] & object {
  const serving = nodes.filter(({ port }) => port !== undefined).map(({ name }) => name);
  if (condition.kind === 'connections' && !serving.some((name) => matches(condition.at, name)))
    throw new InputError(`${key}.at: no node that serves a port fits '${condition.at}'; known: ${serving.join(', ') || 'none'}`);
  return { condition, title: describeCondition(condition), byMs, forMs };
}

/** What a fault becomes after its beginning: equal steps, the last of them the whole way. */
function stagesOf(from: Fault, { to, steps }: Step['ramp'] & object, key: string, atMs: number, lastsMs: number): PlannedStep['stages'] & object {
  const kind = faultKind(from);
  if (!kind.ramps) throw new InputError(`${key}.ramp: ${kind.kind} has no magnitude that can be changed while it is in force`);
  if (!Number.isInteger(steps) || steps < 2 || steps > MOST_STAGES)
    throw new InputError(`${key}.ramp.steps: ${String(steps)} is not allowed; write a whole number from 2 to ${MOST_STAGES}`);
  const stages = Array.from({ length: steps }, (_, index) => {
    const fault = between(from, to, index / (steps - 1), `${key}.ramp.to`);
    return { atMs: Math.round(atMs + (lastsMs * index) / steps), fault, title: kind.describe(fault) };
  });
  const slowest = Math.max(...stages.map(({ fault }) => kind.provingMs(fault)));
  if (lastsMs / steps < slowest)
    throw new InputError(
      `${key}.ramp.steps: ${steps} in ${formatMs(lastsMs)} leave ${formatMs(lastsMs / steps)} each, and a proof takes ${formatMs(slowest)}; write fewer, or lengthen the step`,
    );
  return stages.slice(1);
}

/** The cluster with the sockets counted wherever a step waits for connections. */
export function watchedBy(steps: readonly PlannedStep[], cluster: ClusterSpec): ClusterSpec {
  const patterns = steps.flatMap(({ trigger }) => (trigger?.condition.kind === 'connections' ? [trigger.condition.at] : []));
  if (patterns.length === 0) return cluster;
  const isWatched = ({ name, port }: ClusterSpec['nodes'][number]) => port !== undefined && patterns.some((pattern) => matches(pattern, name));
  return { ...cluster, nodes: cluster.nodes.map((node) => (isWatched(node) ? { ...node, watchSockets: true } : node)) };
}

/** The links or nodes that a step names; every one must be there, and answer probes. */
function targetsOf(step: Step, key: string, cluster: ClusterSpec): string[] {
  const kind = faultKind(step.fault);
  const target = kind.target(step.fault);
  const field = `${key}.fault.${targetFieldOf(step.fault)}`;
  if (target.kind === 'link') {
    const links = matchingLinks(target.pattern, cluster.links);
    const mute = links.find((link) => !cluster.nodes.some((node) => node.name === link.to && node.probe));
    if (mute) throw new InputError(`${field}: '${mute.to}' cannot be probed, so a fault on ${linkName(mute.from, mute.to)} could not be proven`);
    if (links.length > 0) return links.map((link) => linkName(link.from, link.to));
    const known = cluster.links.map((link) => linkName(link.from, link.to));
    throw new InputError(`${field}: no link fits '${target.pattern}'; known: ${known.join(', ')}`);
  }
  const nodes = cluster.nodes.filter((node) => matches(target.pattern, node.name));
  const known = cluster.nodes.filter((node) => target.unprobed || node.probe).map((node) => node.name);
  if (nodes.length === 0) throw new InputError(`${field}: no node fits '${target.pattern}'; known: ${known.join(', ')}`);
  const misfit = kind.misfit?.(step.fault, cluster);
  if (misfit !== undefined) throw new InputError(`${key}.fault: ${misfit}`);
  const mute = target.unprobed ? undefined : nodes.find((node) => !node.probe);
  if (mute) throw new InputError(`${field}: '${mute.name}' cannot be probed, so a fault on it could not be proven; allowed: ${known.join(', ')}`);
  return nodes.map((node) => node.name);
}

/**
 * Two faults on one target at one time: its own kind, and those that its kind excludes, are refused. So is a fault on a link together with one on the
 * node at its far end, which could not be probed through the other; and what follows on one target too soon to be told from what was before.
 */
function refuseOverlaps(steps: readonly PlannedStep[], cluster: ClusterSpec): void {
  for (const [index, one] of steps.entries()) {
    for (const other of steps.slice(index + 1)) {
      const common = one.targets.find((target) => other.targets.includes(target));
      const veiled = veiledNode(one, other, cluster) ?? veiledNode(other, one, cluster);
      const target = common ?? veiled;
      if (target === undefined || other.atMs >= one.untilMs + LEAST_GAP_MS) continue;
      if (other.atMs >= one.untilMs) {
        throw new InputError(
          `steps: '${other.title}' follows '${one.title}' on ${target} after ${formatMs(other.atMs - one.untilMs)}; leave ${formatMs(LEAST_GAP_MS)} to see what is normal`,
        );
      }
      if (clashOf(faultKind(one.fault), faultKind(other.fault)) !== undefined) {
        throw new InputError(
          `steps: '${one.title}' and '${other.title}' overlap on ${target} from ${formatMs(other.atMs)} and exclude each other; let one end ${formatMs(LEAST_GAP_MS)} before the other begins`,
        );
      }
    }
  }
}

/** A node under one fault that lies at the far end of a link under the other. */
function veiledNode(onNode: PlannedStep, onLink: PlannedStep, cluster: ClusterSpec): string | undefined {
  return cluster.links.find((link) => onNode.targets.includes(link.to) && onLink.targets.includes(linkName(link.from, link.to)))?.to;
}
