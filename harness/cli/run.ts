/** `aftershock run SCENARIO`: one run for each variant asked for, as often as asked for; a comparison where there are several variants. */
import { randomInt } from 'node:crypto';
import { connectEngine } from '../cluster/engine.ts';
import { sweep } from '../cluster/remains.ts';
import { EXIT, type ExitCode, InputError, worstExit } from '../core/errors.ts';
import { SEED_LIMIT } from '../core/random.ts';
import { createProgress } from '../report/progress.ts';
import { takesColour } from '../report/table.ts';
import { verdictTable } from '../report/terminal.ts';
import { budgetOf, refuseOverBudget, roomOf, warningsOf } from '../run/budget.ts';
import { type Executed, execute, exitCodeOf } from '../run/execute.ts';
import { environmentOfLoads } from '../run/loads.ts';
import type { Observer, Tick } from '../run/observer.ts';
import { defaultVariant, planRun } from '../run/plan.ts';
import { refuseLacking } from '../run/preflight.ts';
import { loadScenario, scenarioFiles } from '../run/scenario.ts';
import type { Plan, Scenario } from '../run/types.ts';
import { writeComparison } from './compare.ts';
import { listenForInterrupts } from './interrupts.ts';

export interface RunFlags {
  readonly variant?: readonly string[];
  readonly seed?: number;
  readonly repeat: number;
  readonly keepOnFailure?: boolean;
  readonly json?: boolean;
  readonly out: string;
  readonly tag?: readonly string[];
  readonly all?: boolean;
}

export async function runCommand(names: readonly string[], flags: RunFlags): Promise<ExitCode> {
  // Read where loads are started; a word that means nothing is refused before anything is.
  environmentOfLoads();
  const chosen = await chosenScenarios(names, flags.all ?? false);
  const scenarios = chosen.map(({ scenario }) => scenario);
  const plans = chosen.flatMap((one) => plansOf(one, flags));
  const engine = await connectEngine();
  const room = await roomOf(engine, plans[0]?.cluster.tools.hand.image);
  const budgets = plans.map(budgetOf);
  for (const budget of budgets) refuseOverBudget(budget, room);
  for (const plan of plans) {
    const faults = plan.steps.map(({ fault }) => fault);
    await refuseLacking(faults, engine, plan.cluster.tools);
  }

  const progress = createProgress(process.stderr, { tty: process.stderr.isTTY ?? false });
  for (const warning of new Set(budgets.flatMap((budget) => warningsOf(budget, room)))) progress.note(`warning: ${warning}`);
  const interrupts = listenForInterrupts((text) => progress.note(text));
  for (const note of await sweep(engine)) progress.note(note);
  const executed: Executed[] = [];
  try {
    for (const [index, plan] of plans.entries()) {
      if (interrupts.signal.aborted) break;
      const count = plans.length > 1 ? ` (${index + 1} of ${plans.length})` : '';
      progress.note(`${plan.scenario} · ${plan.variant}: ${plan.title}, seed ${plan.seed}${count}`);
      const one = await execute(plan, {
        engine,
        out: flags.out,
        observer: observerOf(progress, plan),
        interrupts,
        keepOnFailure: flags.keepOnFailure ?? false,
      });
      executed.push(one);
      if (!flags.json) show(one, process.stdout);
    }
  } finally {
    progress.end();
    interrupts.close();
  }
  conclude(scenarios, executed, flags);
  const stopped = interrupts.signal.aborted ? [exitCodeOf(interrupts.signal.reason)] : [];
  return worstExit([...executed.map((one) => one.exitCode), ...stopped]);
}

/** A scenario, and its file where that is how it was named. */
interface Chosen {
  readonly scenario: Scenario;
  readonly file: string | undefined;
}

async function chosenScenarios(names: readonly string[], all: boolean): Promise<Chosen[]> {
  if (all && names.length > 0) throw new InputError(`--all: runs every scenario; leave out '${names.join(' ')}', or leave out --all`);
  const chosen = all ? [...scenarioFiles().keys()] : names;
  if (chosen.length === 0) throw new InputError(`scenario: none given; write one of ${[...scenarioFiles().keys()].join(', ')}, the path of a file, or --all`);
  const known = scenarioFiles();
  return Promise.all(chosen.map(async (name) => ({ scenario: await loadScenario(name), file: known.has(name) ? undefined : name })));
}

/** All plans are made before the first container starts, so that bad input is told at once. */
function plansOf({ scenario, file }: Chosen, flags: RunFlags): Plan[] {
  const variants = flags.variant ?? (flags.all ? Object.keys(scenario.variants) : [defaultVariant(scenario)]);
  const first = flags.seed ?? randomInt(SEED_LIMIT - flags.repeat);
  return variants.flatMap((variant) =>
    Array.from({ length: flags.repeat }, (_, repeat) =>
      planRun(scenario, { variant, seed: (first + repeat) % SEED_LIMIT, tags: flags.tag ?? [], ...(file === undefined ? {} : { file }) }),
    ),
  );
}

/** The run tells what happens load by load; a person sees the sum. */
function observerOf(progress: ReturnType<typeof createProgress>, plan: Plan): Observer {
  const latest = new Map<string, Tick>();
  let fault = '';
  return {
    stage: (text) => progress.stage(text),
    note: (text) => progress.note(text),
    faults: (titles) => {
      fault = titles.join(', ');
    },
    tick: ({ load, ...tick }) => {
      latest.set(load, tick);
      if (latest.size < plan.load.length) return;
      const ticks = [...latest.values()];
      latest.clear();
      const sum = (of: (one: Tick) => number) => ticks.reduce((total, one) => total + of(one), 0);
      const p99s = ticks.flatMap((one) => one.p99Ms ?? []);
      progress.tick({
        atMs: tick.atMs,
        durationMs: plan.durationMs,
        due: sum((one) => one.due),
        answered: sum((one) => one.answered),
        good: sum((one) => one.good),
        failed: sum((one) => one.failed),
        ...(p99s.length > 0 && { p99Ms: Math.max(...p99s) }),
        connections: sum((one) => one.connections),
        ...(fault === '' ? {} : { fault }),
      });
    },
  };
}

function show(one: Executed, stream: NodeJS.WriteStream): void {
  stream.write(`\n${verdictTable(one.report, { colour: takesColour(stream), width: stream.columns ?? 200 })}\n`);
  stream.write(`  report: ${one.folder}/report.html\n`);
  if (one.leftStanding)
    stream.write(`  left standing: containers named aftershock-${one.leftStanding}-*; 'npx aftershock down ${one.leftStanding}' removes them\n`);
  stream.write('\n');
}

/** What several runs say together: the comparison of a scenario's variants, and how often each came out as expected. */
function conclude(scenarios: readonly Scenario[], executed: readonly Executed[], flags: RunFlags): void {
  const comparisons = scenarios.flatMap((scenario) => {
    const firsts = [
      ...Map.groupBy(
        executed.filter((one) => one.plan.scenario === scenario.id),
        (one) => one.plan.variant,
      ).values(),
    ].map((runs) => runs[0] as Executed);
    return firsts.length > 1 && firsts.every((one) => one.report.outcome !== 'aborted') ? [writeComparison(firsts, flags.out)] : [];
  });
  if (flags.json) {
    const plain = {
      runs: executed.map(({ folder, report, leftStanding }) => ({ folder, report, ...(leftStanding && { leftStanding: `aftershock-${leftStanding}-*` }) })),
      comparisons: comparisons.map(({ folder, sentence }) => ({ folder, sentence })),
    };
    process.stdout.write(`${JSON.stringify(plain, null, 2)}\n`);
    return;
  }
  if (flags.repeat > 1) {
    for (const [name, runs] of Map.groupBy(executed, (one) => `${one.plan.scenario} · ${one.plan.variant}`)) {
      const good = runs.filter((one) => one.exitCode === EXIT.asExpected).length;
      process.stdout.write(`${name}: ${good} of ${runs.length} as expected\n`);
    }
  }
  for (const { table, sentence, page } of comparisons) process.stdout.write(`${table}\n${sentence === '' ? '' : `\n${sentence}\n`}\n  comparison: ${page}\n`);
}
