/**
 * Scenarios: how they are written (`incident`, `drill`), found and checked. A scenario file exports one as its default.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { AftershockError, InputError, messageOf, unknownName } from '../core/errors.ts';
import { faultSchema } from '../faults/index.ts';
import { objectiveSchema } from '../slo/index.ts';
import { conditionSchema } from './conditions.ts';
import { knownKeys, oneLine } from './oneline.ts';
import type { Scenario } from './types.ts';

/** What happened to others: it names its source. */
export const incident = (scenario: Scenario & { readonly source: string; readonly scale: string }): Scenario => scenario;

/** What will happen to us: a fault against a promise, without a public account. */
export const drill = (scenario: Scenario): Scenario => scenario;

const identifier = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, { error: (issue) => `'${String(issue.input)}' is not an identifier; write lower-case letters, digits and dashes` });
const text = z.string().min(1);
/** A moment or a length; that it can be read is looked at where it is. */
const time = z
  .string({ error: (issue) => `${issue.input === undefined ? 'missing' : `${String(issue.input)} is not allowed`}; write a duration, such as '10s'` })
  .min(1);
const step = z.strictObject({
  at: time.optional(),
  when: conditionSchema.optional(),
  by: time.optional(),
  for: time,
  jitter: text.optional(),
  fault: faultSchema,
  stagger: text.optional(),
  repeat: z.strictObject({ times: z.number(), every: time }).optional(),
  ramp: z.strictObject({ to: faultSchema, steps: z.number() }).optional(),
  ifLost: z.literal('reapply', { error: "the only word allowed is 'reapply'" }).optional(),
});
/** Clusters and loads are made by typed builders that check themselves; here only their outer shape is looked at. */
const built = (builder: string) => z.looseObject({ title: text }, { error: `expected what ${builder} returns` });
const cluster = z.looseObject(
  {
    title: text,
    nodes: z.array(z.looseObject({ name: text, image: text })).min(1),
    links: z.array(z.looseObject({ from: text, to: text })),
    ready: z.looseObject({}),
    tools: z.looseObject({}),
  },
  { error: 'expected what cache(...) returns' },
);
const loads = z.array(built('cacheClients(...)')).min(1);

const scenarioSchema = z.strictObject({
  id: identifier,
  story: text,
  source: text.optional(),
  scale: text.optional(),
  duration: time,
  load: loads,
  steps: z.array(step),
  symptoms: z.record(identifier, objectiveSchema).optional(),
  slos: z.record(identifier, objectiveSchema),
  variants: z.record(
    identifier,
    z.strictObject({
      title: text,
      reported: z.boolean().optional(),
      cluster,
      load: loads.optional(),
      steps: z.array(step).optional(),
      misses: z.array(z.string()).optional(),
    }),
  ),
  moral: text.optional(),
});

const LOAD_WITHIN_MS = 10_000;

/** Folders in which scenarios are found by id, relative to the project's root. */
const ROOT = join(import.meta.dirname, '..', '..');
const FOLDERS = ['scenarios/incidents', 'scenarios/drills'];

/** The files of all scenarios that come with the project, by id (the file's name). */
export function scenarioFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const folder of FOLDERS.map((name) => join(ROOT, name)).filter((path) => existsSync(path))) {
    for (const name of readdirSync(folder).toSorted()) {
      if (name.endsWith('.ts') && !name.endsWith('.test.ts')) files.set(basename(name, '.ts'), join(folder, name));
    }
  }
  return files;
}

/** Loads a scenario by id, or by the path of its file. Throws InputError in one line. */
export async function loadScenario(nameOrPath: string): Promise<Scenario> {
  const files = scenarioFiles();
  const looksLikePath = /[/\\]|\.[cm]?[jt]s$/.test(nameOrPath);
  const path = looksLikePath ? resolve(nameOrPath) : files.get(nameOrPath);
  if (path === undefined) throw unknownName('scenario', nameOrPath, [...files.keys()]);
  if (!existsSync(path)) throw new InputError(`no scenario file at ${nameOrPath}`);
  return checkScenario(await importDefault(path, nameOrPath), nameOrPath);
}

/** A file that waits for something at its top level for ever. */
async function tooLong(): Promise<never> {
  await sleep(LOAD_WITHIN_MS);
  throw new InputError(`it is not loaded after ${LOAD_WITHIN_MS / 1_000} s`);
}

async function importDefault(path: string, name: string): Promise<unknown> {
  let module: { default?: unknown };
  try {
    module = await Promise.race([import(pathToFileURL(path).href) as Promise<{ default?: unknown }>, tooLong()]);
  } catch (thrown) {
    // What a builder refused says itself what is wrong; anything else is the file's own failure.
    if (thrown instanceof AftershockError) throw new InputError(`${name}: ${thrown.message}`, { cause: thrown });
    throw new InputError(`${name} does not load: ${messageOf(thrown)}`, { cause: thrown });
  }
  if (module.default === undefined)
    throw new InputError(`${name} has no default export; write 'export default incident({ ... })' or 'export default drill({ ... })'`);
  return module.default;
}

/** Checks everything of a scenario that does not depend on a variant. Throws InputError naming the key. */
export function checkScenario(value: unknown, name: string): Scenario {
  const parsed = scenarioSchema.safeParse(value, { error: knownKeys });
  if (!parsed.success) throw new InputError(`${name}: ${oneLine(parsed.error, 'scenario')}`);
  const scenario = value as Scenario;
  const promises = Object.keys(scenario.slos);
  const clash = Object.keys(scenario.symptoms ?? {}).find((symptom) => promises.includes(symptom));
  if (clash) throw new InputError(`${name}: symptoms.${clash} has the name of a promise; give it another`);
  for (const [variant, { misses = [] }] of Object.entries(scenario.variants)) {
    const unknown = misses.find((miss) => !promises.includes(miss));
    if (unknown) throw unknownName(`promise in ${name}: variants.${variant}.misses`, unknown, promises);
  }
  const reported = Object.entries(scenario.variants).filter(([, variant]) => variant.reported);
  if (Object.keys(scenario.variants).length === 0) throw new InputError(`${name}: variants: there is none; write at least one`);
  if (reported.length > 1)
    throw new InputError(`${name}: variants: ${reported.map(([id]) => id).join(' and ')} are both reported; only one can be what was reported`);
  return scenario;
}
