/** `aftershock plan SCENARIO`: what would run, when, and what it needs; starts nothing. */
import { connectEngine } from '../cluster/engine.ts';
import { EnvironmentError, messageOf } from '../core/errors.ts';
import { formatMs } from '../core/units.ts';
import { type Budget, budgetOf, type EngineRoom, formatCores, refuseOverBudget, roomOf, total, warningsOf } from '../run/budget.ts';
import { formatCount } from '../run/needs.ts';
import { planRun } from '../run/plan.ts';
import { loadScenario } from '../run/scenario.ts';
import type { Plan, PlannedStep } from '../run/types.ts';

export interface PlanFlags {
  readonly variant?: string;
  readonly seed?: number;
  readonly json?: boolean;
}

/** Throws EnvironmentError when the plan is more than the engine holds; without an engine the plan is shown all the same. */
export async function planCommand(name: string, flags: PlanFlags): Promise<void> {
  const plan = planRun(await loadScenario(name), { seed: flags.seed ?? 0, ...(flags.variant === undefined ? {} : { variant: flags.variant }) });
  const budget = budgetOf(plan);
  const room = await engineRoom(plan.cluster.tools.hand.image);
  const known = typeof room === 'string' ? undefined : room;
  const warnings = known ? warningsOf(budget, known) : budget.remarks;
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ plan, budget, warnings, engine: known ?? { unavailable: room } }, null, 2)}\n`);
  } else {
    const lines = [...describe(plan), '', 'needs', ...needed(plan, budget), 'has', ...(known ? had(known) : [`  ${String(room)}`])];
    process.stdout.write(`${lines.join('\n')}\n${warnings.map((text) => `\nwarning: ${text}`).join('')}${warnings.length > 0 ? '\n' : ''}`);
  }
  if (known) refuseOverBudget(budget, known);
}

/** What there is, or in one line why nobody knows. */
async function engineRoom(image: string): Promise<EngineRoom | string> {
  try {
    const engine = await connectEngine();
    // Without its images an engine still tells of its memory and its networks.
    return await roomOf(engine, image).catch((thrown: unknown) => {
      if (thrown instanceof EnvironmentError) return roomOf(engine);
      throw thrown;
    });
  } catch (thrown) {
    if (thrown instanceof EnvironmentError) return messageOf(thrown);
    throw thrown;
  }
}

/** The sums, each with its arithmetic: what a refusal would tell. */
function needed(plan: Plan, budget: Budget): string[] {
  const { cores, descriptors, kernelMemory, memory, ports, tracked } = budget;
  const row = (name: string, text: string, index = 0) => `  ${(index === 0 ? name : '').padEnd(12)}${text}`;
  const most = topPerRole(plan, descriptors);
  const waiting = plan.load.filter((load) => load.closedLoop).map(({ name }) => `, load '${name}' as much as its answers allow`);
  return [
    row('time', `${formatMs(budget.durationMs)}: load ${formatMs(plan.durationMs)}, up and down about ${formatMs(budget.durationMs - plan.durationMs)}`),
    row('engine', `${budget.containers} containers, ${budget.networks} network`),
    row('memory', `up to ${budget.memoryMiB} MiB in containers, ${kernelMemory.count} MiB in the kernel: ${kernelMemory.sum}`),
    ...memory.map(({ who, count, sum, limitMiB }) => row('', `${count} of ${limitMiB} MiB in ${who}: ${sum}`)),
    row(
      'processors',
      `about ${formatCores(total(cores))}: ${cores.map(({ who, count }) => `${who} ${formatCores(count)}`).join(', ') || 'nothing is asked'}${waiting.join('')}`,
    ),
    ...most.map(({ who, count, sum }, index) => row('descriptors', `${formatCount(count)} in ${who}: ${sum}`, index)),
    ...(ports ? [row('ports', `${formatCount(ports.count)} from ${ports.who}, where it is most: ${ports.sum}`)] : []),
    row('tracked', `${formatCount(tracked.count)} connections in the engine's kernel: ${tracked.sum}`),
    row('disk', `about ${Math.ceil(budget.resultBytes / 1e6)} MB for the result`),
  ];
}

/** A line for each moment of a step. */
function momentsOf({ atMs, untilMs, title, trigger, stages = [], reapply }: PlannedStep): string[] {
  const line = (when: string, what: string) => `  ${when.padEnd(10)} ${what}`;
  const again = reapply ? ', put in force again if it is lost' : '';
  if (trigger) return [line('triggered', `${title}, on ${trigger.title} (by ${formatMs(trigger.byMs)}), for ${formatMs(trigger.forMs)}${again}`)];
  return [line(formatMs(atMs), `${title}${again}`), ...stages.map((stage) => line(formatMs(stage.atMs), stage.title)), line(formatMs(untilMs), 'healed')];
}

/** Nodes of a role are alike: the one that holds most stands for them. */
function topPerRole(plan: Plan, needs: Budget['descriptors']): Budget['descriptors'] {
  const roleOf = (who: string) => plan.cluster.nodes.find((node) => node.name === who)?.role ?? who;
  return [...Map.groupBy(needs, ({ who }) => roleOf(who)).values()].flatMap((alike) => alike.toSorted((a, b) => b.count - a.count)[0] ?? []);
}

function had({ memoryMiB, networksLeft, networksUsed, processors, inside }: EngineRoom): string[] {
  const limits =
    inside === undefined
      ? 'nobody could look into a container: its image is not there (npm run setup), so descriptors and ports are not known'
      : `${formatCount(inside.hardDescriptors)} descriptors for a process (${formatCount(inside.softDescriptors)} where it does not ask), ${formatCount(inside.ports)} ports to one address and port${inside.trackedConnections === undefined ? '' : `, ${formatCount(inside.trackedConnections)} tracked connections`}`;
  return [
    `  engine      room for ${networksLeft} more networks (${networksUsed} in use), ${memoryMiB} MiB of memory${processors === undefined ? '' : `, ${processors} processors`}`,
    `  container   ${limits}`,
  ];
}

function describe(plan: Plan): string[] {
  const width = Math.max(...plan.expectations.map(({ name }) => name.length));
  return [
    `${plan.scenario} · ${plan.variant}: ${plan.title}`,
    `  ${plan.story}`,
    '',
    `cluster: ${plan.cluster.title}`,
    ...plan.cluster.nodes.map((node) => `  ${node.name.padEnd(10)} ${node.role.padEnd(7)} ${node.image}, up to ${node.memoryMiB} MiB`),
    `  ${plan.cluster.links.length} links: ${plan.cluster.links.map((link) => `${link.from} -> ${link.to}`).join(', ')}`,
    '',
    'load',
    ...plan.load.map(({ name, title, node, processes = 1 }) => `  ${name}: ${title}, from ${node}${processes > 1 ? ` in ${processes} processes` : ''}`),
    '',
    `schedule (seed ${plan.seed})`,
    '  0 ms       load begins',
    ...plan.steps.flatMap(momentsOf),
    `  ${formatMs(plan.durationMs).padEnd(10)} load ends`,
    '',
    'expected',
    ...plan.expectations.map(({ name, role, objective, expected }) => `  ${name.padEnd(width)}  ${role} ${expected}: ${JSON.stringify(objective)}`),
  ];
}
