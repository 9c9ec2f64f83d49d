/** From a scenario, a variant and a seed to a plan: everything that decides a run, fixed before it starts. */
import { InputError, unknownName } from '../core/errors.ts';
import { linkName, matches } from '../core/names.ts';
import { SEED_LIMIT } from '../core/random.ts';
import { formatMs, milliseconds } from '../core/units.ts';
import { checkMoral } from '../report/moral.ts';
import type { Objective } from '../slo/index.ts';
import { SEVERAL } from '../timeline/types.ts';
import { entriesOf, waysOf } from './flows.ts';
import { MOST_PROCESSES } from './parts.ts';
import { schedule, watchedBy } from './schedule.ts';
import type { Expectation, LoadSpec, Plan, Scenario, Variant } from './types.ts';

export interface PlanOptions {
  /** The reported variant, or the first, when it is left out. */
  readonly variant?: string;
  readonly seed: number;
  readonly tags?: readonly string[];
  /** The scenario's file, where it was named by that. */
  readonly file?: string;
}

/** Time after the last heal that recovery needs to be seen in: two seconds that hold, and one to get there. */
const LEAST_DURATION_MS = 3_000;

/** Throws InputError naming the key. */
export function planRun(scenario: Scenario, options: PlanOptions): Plan {
  const variantName = options.variant ?? defaultVariant(scenario);
  const variant = Object.hasOwn(scenario.variants, variantName) ? scenario.variants[variantName] : undefined;
  if (!variant) throw unknownName('variant', variantName, Object.keys(scenario.variants));
  if (!Number.isInteger(options.seed) || options.seed < 0 || options.seed >= SEED_LIMIT)
    throw new InputError(`seed: ${options.seed} is not allowed; write a whole number from 0 to ${SEED_LIMIT - 1}`);
  if (scenario.moral !== undefined)
    checkMoral(scenario.moral, Object.keys(scenario.variants), [...Object.keys(scenario.slos), ...Object.keys(scenario.symptoms ?? {})]);
  const durationMs = milliseconds(scenario.duration, 'duration');
  if (durationMs < LEAST_DURATION_MS)
    throw new InputError(`duration: '${scenario.duration}' is too short to be judged; write ${formatMs(LEAST_DURATION_MS)} or more`);
  const steps = schedule(variant.steps ?? scenario.steps, variant.cluster, durationMs, options.seed);
  const load = variant.load ?? scenario.load;
  for (const source of load) checkLoad(source, variant);
  const twin = load.find((source, index) => load.findIndex((other) => other.name === source.name) !== index);
  if (twin) throw new InputError(`load: two are called '${twin.name}'; give each a name of its own`);
  const expectations = expectationsOf(scenario, variant);
  for (const { name, objective } of expectations)
    checkObjective(
      name,
      objective,
      variant,
      steps.length,
      load.flatMap((source) => source.shards),
    );
  return {
    format: 1,
    scenario: scenario.id,
    ...(options.file === undefined ? {} : { file: options.file }),
    variant: variantName,
    title: variant.title,
    story: scenario.story,
    ...(scenario.source === undefined ? {} : { source: scenario.source }),
    ...(scenario.scale === undefined ? {} : { scale: scenario.scale }),
    reported: variant.reported ?? false,
    seed: options.seed,
    tags: options.tags ?? [],
    durationMs,
    cluster: watchedBy(steps, variant.cluster),
    load,
    steps,
    expectations,
    ...(scenario.moral === undefined ? {} : { moral: scenario.moral }),
  };
}

export function defaultVariant(scenario: Scenario): string {
  const names = Object.keys(scenario.variants);
  return names.find((name) => scenario.variants[name]?.reported) ?? (names[0] as string);
}

/** Promises of every variant; symptoms only of the reported one, for the remedies are there to prevent them. */
function expectationsOf(scenario: Scenario, variant: Variant): Expectation[] {
  const promises = Object.entries(scenario.slos).map(
    ([name, objective]): Expectation => ({ name, role: 'promise', objective, expected: variant.misses?.includes(name) ? 'missed' : 'met' }),
  );
  const symptoms = Object.entries(scenario.symptoms ?? {}).map(([name, objective]): Expectation => ({ name, role: 'symptom', objective, expected: 'met' }));
  return variant.reported ? [...symptoms, ...promises] : promises;
}

function checkLoad(source: Plan['load'][number], variant: Variant): void {
  const nodes = variant.cluster.nodes;
  const clients = nodes.filter((node) => node.role === 'client').map((node) => node.name);
  if (!clients.includes(source.node)) throw unknownName(`client node in load '${source.name}'`, source.node, clients);
  checkPlaceholders(source, variant.cluster);
  checkCounts(source);
  checkItems(source, nodes);
  const missing = source.shards.find((shard) => shard !== SEVERAL && !nodes.some((node) => node.name === shard));
  if (missing)
    throw unknownName(
      `node in load '${source.name}': shards`,
      missing,
      nodes.map((node) => node.name),
    );
  checkShards(source, variant.cluster);
}

const COUNTS = [
  'ratePerSecond',
  'requestsPerMinute',
  'connections',
  'connectsPerSecond',
  'connectsPerMinute',
  'memoryMiB',
  'storesMiB',
  'longestItemBytes',
  'series',
  'prepareMs',
  'longestRequestMs',
] as const satisfies readonly (keyof LoadSpec)[];

/** Builders refuse what makes no sense to a person; here nothing may pass that the sums of a budget would take for nothing. */
function checkCounts(load: Plan['load'][number]): void {
  const { name, processes = 1 } = load;
  for (const key of COUNTS) {
    const value = load[key] ?? 0;
    if (!(value >= 0 && Number.isFinite(value))) throw new InputError(`load '${name}': ${key}: ${String(value)} is not allowed; write a number from 0 on`);
  }
  if (!Number.isInteger(processes) || processes < 1 || processes > MOST_PROCESSES)
    throw new InputError(`load '${name}': processes: ${String(processes)} is not allowed; write a whole number from 1 to ${MOST_PROCESSES}`);
}

/** Keys that fall on a cache which a load does not know of would be counted for another one. */
function checkShards({ name, shards, ...load }: LoadSpec, cluster: Variant['cluster']): void {
  if (shards.includes(SEVERAL)) return;
  const reached = new Set(entriesOf(load, cluster).map(({ to }) => to));
  for (const node of reached) for (const way of waysOf(cluster)) if (way.from === node) reached.add(way.to);
  const forgotten = cluster.nodes.filter((node) => node.role === 'cache' && reached.has(node.name) && !shards.includes(node.name)).map((node) => node.name);
  if (forgotten.length > 0)
    throw new InputError(
      `load '${name}': its keys fall on ${forgotten.join(', ')}, too, and it knows of ${shards.join(', ')} alone; write backends: ${shards.length + forgotten.length}, or name them in shards`,
    );
}

/** A cache refuses what is too long for it; that is known beforehand. */
function checkItems({ name, longestItemBytes = 0, shards }: Plan['load'][number], nodes: Variant['cluster']['nodes']): void {
  for (const node of nodes) {
    const most = node.needs?.longestItemBytes ?? Number.POSITIVE_INFINITY;
    if ((shards.includes(node.name) || shards.includes(SEVERAL)) && longestItemBytes > most)
      throw new InputError(
        `load '${name}': values of up to ${longestItemBytes} bytes with their keys are not allowed at ${node.name}, which takes ${most}; store shorter ones, or give it a larger maxItemBytes`,
      );
  }
}

/** What the settings of a load ask to have filled in must be there: `${link:a -> b}`, `${host:a}`. */
function checkPlaceholders({ name, program }: Plan['load'][number], cluster: Variant['cluster']): void {
  const linkNames = waysOf(cluster).map(({ from, to }) => linkName(from, to));
  const nodeNames = cluster.nodes.map((node) => node.name);
  for (const [, kind, wanted = ''] of JSON.stringify(program.settings).matchAll(/\$\{(link|host):([^}]+)\}/g)) {
    const known: readonly string[] = kind === 'link' ? linkNames : nodeNames;
    if (!known.includes(wanted)) throw unknownName(`${kind === 'link' ? 'link' : 'node'} in load '${name}'`, wanted, known);
  }
}

/** An objective must speak of nodes that are there, and of a fault only where there is one. */
function checkObjective(name: string, objective: Objective, variant: Variant, steps: number, shards: readonly string[]): void {
  const nodes = variant.cluster.nodes.map((node) => node.name);
  if (objective.kind === 'connections' && !variant.cluster.nodes.some((node) => node.watchSockets && matches(objective.at, node.name))) {
    throw unknownName(
      `node in ${name}.at`,
      objective.at,
      variant.cluster.nodes.filter((node) => node.watchSockets).map((node) => node.name),
    );
  }
  if (objective.kind === 'ripple' && !shards.includes(objective.from))
    throw unknownName(
      `shard in ${name}.from`,
      objective.from,
      nodes.filter((node) => shards.includes(node)),
    );
  const needsFault = !('when' in objective) || objective.when !== 'before';
  if (needsFault && steps === 0) throw new InputError(`${name}: speaks of a fault, and the scenario has no step; add one, or promise it for 'before'`);
}
