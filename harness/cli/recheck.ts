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

/** Verdicts and figures apart: a later judge may count a figure more exactly without changing its mind. */
function comparison(before: Report, now: Report): string {
  const then = new Map(before.results.map(({ name, verdict }) => [name, verdict]));
  const moved = now.results.filter(({ name, verdict }) => then.get(name)?.measured !== verdict.measured);
  const changed = moved.filter(({ name, verdict }) => then.get(name)?.status !== verdict.status);
  const told = (results: Report['results']) =>
    results
      .map(
        ({ name, verdict }) =>
          `${name} was ${then.get(name)?.status ?? 'not there'} (${then.get(name)?.measured ?? 'nothing'}), is ${verdict.status} (${verdict.measured})`,
      )
      .join('; ');
  const outcome = before.outcome === now.outcome ? '' : `the outcome was '${before.outcome}', is '${now.outcome}'; `;
  if (outcome !== '' || changed.length > 0) return `other verdicts than were saved: ${outcome}${told(changed)}`;
  return `the same verdicts as were saved${moved.length > 0 ? `, with other figures: ${told(moved)}` : ''}`;
}
