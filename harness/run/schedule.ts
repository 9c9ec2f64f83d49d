/** When each step of a scenario happens: fixed by the plan, and by the seed where a step has jitter. */
import type { ClusterSpec } from '../cluster/spec.ts';
import { InputError } from '../core/errors.ts';
import { linkName, matches, matchingLinks } from '../core/names.ts';
import { seeded } from '../core/random.ts';
import { formatMs, milliseconds } from '../core/units.ts';
import { clashOf } from '../faults/exclusion.ts';
import { faultKind } from '../faults/index.ts';
import type { PlannedStep, Step } from './types.ts';

const LEAST_STEP_MS = 500;
/** Between two faults on one target: for the first one's end to be proven, and for what is normal to be seen before the second. */
const LEAST_GAP_MS = 2_000;

/** Steps with their moments and targets. Throws InputError naming the step and the key. */
export function schedule(steps: readonly Step[], cluster: ClusterSpec, durationMs: number, seed: number): PlannedStep[] {
  const planned = steps.map((step, index) => planStep(step, index, cluster, durationMs, seed)).toSorted((a, b) => a.atMs - b.atMs);
  refuseOverlaps(planned, cluster);
  return planned;
}

function planStep(step: Step, index: number, cluster: ClusterSpec, durationMs: number, seed: number): PlannedStep {
  const key = `steps[${index}]`;
  const jitterMs = step.jitter === undefined ? 0 : milliseconds(step.jitter, `${key}.jitter`);
  const shift = jitterMs === 0 ? 0 : Math.round((seeded(seed).fork(`step ${index}`).next() * 2 - 1) * jitterMs);
  const atMs = milliseconds(step.at, `${key}.at`) + shift;
  const lastsMs = milliseconds(step.for, `${key}.for`);
  if (atMs < 1_000)
    throw new InputError(
      `${key}.at: '${step.at}'${jitterMs ? ` less its jitter '${step.jitter}'` : ''} leaves no time to see what is normal; write 1s or more`,
    );
  if (atMs + lastsMs > durationMs) {
    throw new InputError(`${key}: ends at ${formatMs(atMs + lastsMs)}, after the load's end at ${formatMs(durationMs)}; lengthen duration or shorten the step`);
  }
  const kind = faultKind(step.fault);
  const leastMs = Math.max(LEAST_STEP_MS, kind.provingMs(step.fault));
  if (lastsMs < leastMs)
    throw new InputError(`${key}.for: '${step.for}' is too short for ${kind.describe(step.fault)} to be proven; write ${formatMs(leastMs)} or more`);
  return {
    atMs,
    untilMs: atMs + lastsMs,
    fault: step.fault,
    title: kind.describe(step.fault),
    targets: targetsOf(step, key, cluster),
    affects: kind.affects(step.fault, cluster),
  };
}

/** The links or nodes that a step names; every one must be there, and answer probes. */
function targetsOf(step: Step, key: string, cluster: ClusterSpec): string[] {
  const target = faultKind(step.fault).target(step.fault);
  if (target.kind === 'link') {
    const links = matchingLinks(target.pattern, cluster.links);
    if (links.length > 0) return links.map((link) => linkName(link.from, link.to));
    const known = cluster.links.map((link) => linkName(link.from, link.to));
    throw new InputError(`${key}.fault.link: no link fits '${target.pattern}'; known: ${known.join(', ')}`);
  }
  const nodes = cluster.nodes.filter((node) => matches(target.pattern, node.name));
  const known = cluster.nodes.filter((node) => node.probe).map((node) => node.name);
  if (nodes.length === 0) throw new InputError(`${key}.fault.node: no node fits '${target.pattern}'; known: ${known.join(', ')}`);
  const mute = nodes.find((node) => !node.probe);
  if (mute) throw new InputError(`${key}.fault.node: '${mute.name}' cannot be probed, so a fault on it could not be proven; allowed: ${known.join(', ')}`);
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
