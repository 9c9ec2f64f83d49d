/**
 * Where a run is written down: results/<UTC with milliseconds>-<scenario>-<variant>-<seed>/, made exclusively, and
 * `results/last`, which points to the newest.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { EnvironmentError, InputError, messageOf } from '../core/errors.ts';
import type { Plan, Report } from './types.ts';

export const DEFAULT_OUT = 'results';

/** Makes the folder of a run. Throws EnvironmentError naming the path where there is no room or no right. */
export function createResultFolder(out: string, plan: Pick<Plan, 'scenario' | 'variant' | 'seed'>, now: Date): string {
  return createFolder(out, `${stamp(now)}-${plan.scenario}-${plan.variant}-${plan.seed}`);
}

/** Makes the folder of a comparison of several runs. */
export function createComparisonFolder(out: string, scenario: string, now: Date): string {
  return createFolder(out, `${stamp(now)}-${scenario}-comparison`);
}

function createFolder(out: string, name: string): string {
  const folder = join(resolve(out), name);
  try {
    mkdirSync(resolve(out), { recursive: true });
    mkdirSync(folder);
  } catch (thrown) {
    throw new EnvironmentError(`the result folder ${folder} could not be made: ${messageOf(thrown)}`, { cause: thrown });
  }
  return folder;
}

/** 2026-11-21T14:02:03.123Z as 20261121T140203.123Z: sorts by time, and is a file name everywhere. */
function stamp(now: Date): string {
  return now.toISOString().replace(/[-:]/g, '');
}

/** Points `last` beside a folder at it, in one step, so that it always points to something whole. */
export function pointLast(folder: string): void {
  const last = join(folder, '..', 'last');
  const next = `${last}.${process.pid}`;
  try {
    rmSync(next, { force: true });
    symlinkSync(basename(folder), next);
    renameSync(next, last);
  } catch (thrown) {
    throw new EnvironmentError(`${last} could not be pointed to the newest result: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** Writes a file of the result in one step: whoever looks sees the old one or the new one, never half of one. */
export function writeResultFile(folder: string, name: string, content: string): string {
  const path = join(folder, name);
  try {
    writeFileSync(`${path}.part`, content);
    renameSync(`${path}.part`, path);
  } catch (thrown) {
    throw new EnvironmentError(`${path} could not be written: ${messageOf(thrown)}`, { cause: thrown });
  }
  return path;
}

export function writeJson(folder: string, name: string, value: unknown): string {
  return writeResultFile(folder, name, `${JSON.stringify(value, null, 2)}\n`);
}

/** The plan of a result folder. Throws InputError when the folder is no result. */
export function readPlan(folder: string): Plan {
  const plan = readJson(folder, 'plan.json') as Partial<Plan> | null;
  if (plan?.format !== 1) throw new InputError(`${folder}: plan.json has format ${String(plan?.format)}; this version reads format 1`);
  const lists = ['load', 'steps', 'expectations', 'tags'] as const;
  const missing = lists.find((key) => !Array.isArray(plan[key])) ?? (plan.cluster === undefined ? 'cluster' : undefined);
  if (missing !== undefined) throw new InputError(`${folder}: plan.json is not a whole plan: '${missing}' is missing`);
  return plan as Plan;
}

export function readEnvironment(folder: string): Record<string, string> {
  return existsSync(join(folder, 'environment.json')) ? (readJson(folder, 'environment.json') as Record<string, string>) : {};
}

/** The report that was saved with a run; undefined when there is none yet. */
export function readSavedReport(folder: string): Report | undefined {
  return existsSync(join(folder, 'report.json')) ? (readJson(folder, 'report.json') as Report) : undefined;
}

function readJson(folder: string, name: string): unknown {
  const path = join(folder, name);
  if (!existsSync(folder)) throw new InputError(`there is no result folder at ${folder}`);
  if (!statSync(folder).isDirectory()) throw new InputError(`${folder} is not a result folder: it is a file`);
  if (!existsSync(path)) throw new InputError(`${folder} is not a result folder: it has no ${name}`);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (thrown) {
    throw new InputError(`${path} is damaged: ${messageOf(thrown)}`, { cause: thrown });
  }
}
