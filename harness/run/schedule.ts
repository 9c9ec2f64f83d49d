/** When each step of a scenario happens: fixed by the plan, and by the seed where a step has jitter. */
import type { ClusterSpec } from '../cluster/spec.ts';
import { InputError } from '../core/errors.ts';
import { linkName, matches, matchingLinks } from '../core/names.ts';
import { seeded } from '../core/random.ts';
import { formatMs, milliseconds } from '../core/units.ts';
import { faultKind } from '../faults/index.ts';
import type { PlannedStep, Step } from './types.ts';

/** Steps with their moments and targets. Throws InputError naming the step and the key. */
export function schedule(steps: readonly Step[], cluster: ClusterSpec, durationMs: number, seed: number): PlannedStep[] {
  const planned = steps.map((step, index) => planStep(step, index, cluster, durationMs, seed)).toSorted((a, b) => a.atMs - b.atMs);
  refuseOverlaps(planned);
  return planned;
}

function planStep(step: Step, index: number, cluster: ClusterSpec, durationMs: number, seed: number): PlannedStep {
  const key = `steps[${index}]`;
  const jitterMs = step.jitter === undefined ? 0 : milliseconds(step.jitter, `${key}.jitter`);
  const shift = jitterMs === 0 ? 0 : Math.round((seeded(seed).fork(`step ${index}`).next() * 2 - 1) * jitterMs);
  const atMs = milliseconds(step.at, `${key}.at`) + shift;
  const lastsMs = milliseconds(step.for, `${key}.for`);
  if (lastsMs < 500) throw new InputError(`${key}.for: '${step.for}' is too short to be proven; write 500ms or more`);
  if (atMs < 1_000)
    throw new InputError(
      `${key}.at: '${step.at}'${jitterMs ? ` less its jitter '${step.jitter}'` : ''} leaves no time to see what is normal; write 1s or more`,
    );
  if (atMs + lastsMs > durationMs) {
    throw new InputError(`${key}: ends at ${formatMs(atMs + lastsMs)}, after the load's end at ${formatMs(durationMs)}; lengthen duration or shorten the step`);
  }
  const kind = faultKind(step.fault);
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

/** Two faults on one target at one time: its own kind, and those that its kind excludes, are refused. */
function refuseOverlaps(steps: readonly PlannedStep[]): void {
  for (const [index, one] of steps.entries()) {
    for (const other of steps.slice(index + 1)) {
      const common = one.targets.find((target) => other.targets.includes(target));
      const overlap = one.atMs < other.untilMs && other.atMs < one.untilMs;
      const excludes = one.fault.kind === other.fault.kind || faultKind(one.fault).excludes.includes(other.fault.kind);
      if (common && overlap && excludes) {
        throw new InputError(
          `steps: '${one.title}' and '${other.title}' overlap on ${common} from ${formatMs(other.atMs)} and exclude each other; let one end before the other begins`,
        );
      }
    }
  }
}
