/** `aftershock recheck RESULT-DIR` judges a saved run again; `aftershock report RESULT-DIR` writes its pages anew. Neither needs an engine. */
import { resolve } from 'node:path';
import type { ExitCode } from '../core/errors.ts';
import { reportJson } from '../report/json.ts';
import { takesColour } from '../report/table.ts';
import { verdictTable } from '../report/terminal.ts';
import { writeReport } from '../run/execute.ts';
import { judge } from '../run/judge.ts';
import { readEnvironment, readPlan, readSavedReport } from '../run/results.ts';
import type { Report } from '../run/types.ts';
import { readTimeline } from '../timeline/read.ts';

interface Flags {
  readonly json?: boolean;
}

/** Prints the verdicts as they come out now, and whether they are those that were saved. */
export async function recheck(folder: string, flags: Flags): Promise<ExitCode> {
  const report = judge(readPlan(folder), readTimeline(folder));
  const saved = readSavedReport(folder);
  if (flags.json) process.stdout.write(reportJson(report));
  else {
    process.stdout.write(`\n${table(report)}\n`);
    if (saved) process.stdout.write(`  ${comparison(saved, report)}\n\n`);
  }
  return report.exitCode;
}

export async function report(folder: string, flags: Flags): Promise<ExitCode> {
  const written = writeReport(folder, readPlan(folder), readEnvironment(folder)).report;
  process.stdout.write(flags.json ? reportJson(written) : `\n${table(written)}\n  report: ${resolve(folder, 'report.html')}\n\n`);
  return written.exitCode;
}

function table(judged: Report): string {
  return verdictTable(judged, { colour: takesColour(process.stdout), width: process.stdout.columns ?? 200 });
}

function comparison(before: Report, now: Report): string {
  const told = (one: Report) => new Map(one.results.map(({ name, verdict }) => [name, `${verdict.status} (${verdict.measured})`]));
  const [then, today] = [told(before), told(now)];
  const changed = [...today]
    .filter(([name, text]) => then.get(name) !== text)
    .map(([name, text]) => `${name} was ${then.get(name) ?? 'not there'}, is ${text}`);
  if (before.outcome !== now.outcome) changed.unshift(`the outcome was '${before.outcome}', is '${now.outcome}'`);
  return changed.length === 0 ? 'the same verdicts as were saved' : `other verdicts than were saved: ${changed.join('; ')}`;
}
