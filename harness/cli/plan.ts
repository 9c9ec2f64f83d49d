/** `aftershock plan SCENARIO`: what would run, when, and what it needs; starts nothing. */
import { connectEngine } from '../cluster/engine.ts';
import { EnvironmentError, messageOf } from '../core/errors.ts';
import { formatMs } from '../core/units.ts';
import { budgetOf, type EngineRoom, refuseOverBudget, roomOf } from '../run/budget.ts';
import { planRun } from '../run/plan.ts';
import { loadScenario } from '../run/scenario.ts';
import type { Plan } from '../run/types.ts';

export interface PlanFlags {
  readonly variant?: string;
  readonly seed?: number;
  readonly json?: boolean;
}

/** Throws EnvironmentError when the plan is more than the engine holds; without an engine the plan is shown all the same. */
export async function planCommand(name: string, flags: PlanFlags): Promise<void> {
  const plan = planRun(await loadScenario(name), { seed: flags.seed ?? 0, ...(flags.variant === undefined ? {} : { variant: flags.variant }) });
  const budget = budgetOf(plan);
  const room = await engineRoom();
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ plan, budget, engine: typeof room === 'string' ? { unavailable: room } : room }, null, 2)}\n`);
  } else {
    process.stdout.write(`${describe(plan).join('\n')}\n\nneeds\n`);
    process.stdout.write(
      `  time      ${formatMs(budget.durationMs)}: load ${formatMs(plan.durationMs)}, up and down about ${formatMs(budget.durationMs - plan.durationMs)}\n`,
    );
    process.stdout.write(`  engine    ${budget.containers} containers, ${budget.networks} network, up to ${budget.memoryMiB} MiB of memory\n`);
    process.stdout.write(`  disk      about ${Math.ceil(budget.resultBytes / 1e6)} MB for the result\n`);
    process.stdout.write(
      typeof room === 'string'
        ? `has\n  ${room}\n`
        : `has\n  engine    room for ${room.networksLeft} more networks (${room.networksUsed} in use), ${room.memoryMiB} MiB of memory\n`,
    );
  }
  if (typeof room !== 'string') refuseOverBudget(budget, room);
}

async function engineRoom(): Promise<EngineRoom | string> {
  try {
    return await roomOf(await connectEngine());
  } catch (thrown) {
    if (thrown instanceof EnvironmentError) return messageOf(thrown);
    throw thrown;
  }
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
    ...plan.load.map((load) => `  ${load.name}: ${load.title}, from ${load.node}`),
    '',
    `schedule (seed ${plan.seed})`,
    '  0 ms       load begins',
    ...plan.steps.flatMap((step) => [`  ${formatMs(step.atMs).padEnd(10)} ${step.title}`, `  ${formatMs(step.untilMs).padEnd(10)} healed`]),
    `  ${formatMs(plan.durationMs).padEnd(10)} load ends`,
    '',
    'expected',
    ...plan.expectations.map(({ name, role, objective, expected }) => `  ${name.padEnd(width)}  ${role} ${expected}: ${JSON.stringify(objective)}`),
  ];
}
