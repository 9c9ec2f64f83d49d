/** One plan from its result folder to its report: run, judge, write down, take down. */
import { randomBytes } from 'node:crypto';
import type { Engine } from '../cluster/engine.ts';
import { AftershockError, CleanUpError, EXIT, type ExitCode, messageOf, worstExit } from '../core/errors.ts';
import { renderPage } from '../report/html.ts';
import { reportJson } from '../report/json.ts';
import { readTimeline } from '../timeline/read.ts';
import type { Timeline } from '../timeline/types.ts';
import { describeEnvironment } from './environment.ts';
import { judge } from './judge.ts';
import type { Observer } from './observer.ts';
import { createResultFolder, pointLast, writeJson, writeResultFile } from './results.ts';
import { type EndedRun, run } from './run.ts';
import type { Plan, Report } from './types.ts';

/** How somebody stops a run: the first request ends it in order, the second leaves the cluster standing. */
export interface Interrupts {
  /** Its reason is an AftershockError with the exit code of the signal. */
  readonly signal: AbortSignal;
  readonly skipTearDown: () => boolean;
}

export interface ExecuteOptions {
  readonly engine: Engine;
  readonly out: string;
  readonly observer: Observer;
  readonly interrupts: Interrupts;
  /** Leave the cluster standing when the run was not as expected. */
  readonly keepOnFailure: boolean;
}

export interface Executed {
  readonly plan: Plan;
  readonly report: Report;
  readonly timeline: Timeline;
  readonly folder: string;
  /** The run whose cluster was left standing on purpose. */
  readonly leftStanding?: string;
  readonly exitCode: ExitCode;
}

export async function execute(plan: Plan, options: ExecuteOptions): Promise<Executed> {
  const { engine, interrupts, observer } = options;
  const environment = await describeEnvironment(engine, plan);
  const folder = createResultFolder(options.out, plan, new Date());
  const runId = randomBytes(4).toString('hex');
  writeJson(folder, 'plan.json', plan);
  writeJson(folder, 'environment.json', environment);

  let ended: EndedRun | undefined;
  try {
    ended = await run(plan, { engine, runId, folder, signal: interrupts.signal, observer });
  } catch (thrown) {
    // The cluster never stood, and nothing of it is left; a stop asked for still gets its report.
    if (!interrupts.signal.aborted || thrown instanceof CleanUpError) throw thrown;
  }
  const judged = judgeUnlessBroken(ended, () => writeReport(folder, plan, environment));
  const keep = interrupts.skipTearDown() || (options.keepOnFailure && judged.report?.exitCode !== EXIT.asExpected && !interrupts.signal.aborted);
  const codes: ExitCode[] = interrupts.signal.aborted ? [exitCodeOf(interrupts.signal.reason)] : [];
  try {
    if (keep) await ended?.keep();
    else await ended?.tearDown(interrupts.skipTearDown);
  } catch (thrown) {
    if (!(thrown instanceof CleanUpError)) throw thrown;
    observer.note(messageOf(thrown));
    codes.push(thrown.exitCode);
  }
  if (judged.report === undefined) throw judged.failure;
  pointLast(folder);
  codes.push(judged.report.exitCode);
  const { report, timeline } = judged;
  return { plan, report, timeline, folder, exitCode: worstExit(codes), ...(ended && keep ? { leftStanding: runId } : {}) };
}

/** The cluster has to be taken down before anything is made of a result that could not be written. */
function judgeUnlessBroken(
  ended: EndedRun | undefined,
  write: () => { report: Report; timeline: Timeline },
): { report: Report; timeline: Timeline } | { report: undefined; failure: unknown } {
  if (ended?.broken !== undefined) return { report: undefined, failure: ended.broken };
  try {
    return write();
  } catch (failure) {
    return { report: undefined, failure };
  }
}

/** Judges what a result folder holds, and writes report.json and report.html into it. Needs no engine. */
export function writeReport(folder: string, plan: Plan, environment: Record<string, string>): { report: Report; timeline: Timeline } {
  const timeline = readTimeline(folder);
  const report = judge(plan, timeline);
  writeResultFile(folder, 'report.json', reportJson(report));
  writeResultFile(folder, 'report.html', renderPage({ plan, report, timeline, environment, folder }));
  return { report, timeline };
}

export function exitCodeOf(thrown: unknown): ExitCode {
  return thrown instanceof AftershockError ? thrown.exitCode : EXIT.internal;
}
