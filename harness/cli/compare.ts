/** The comparison of several runs of one scenario, written down and ready to be shown. */
import { join } from 'node:path';
import { closingSentence, comparisonJson, comparisonTable } from '../report/comparison.ts';
import { comparisonPage } from '../report/comparison-page.ts';
import { takesColour } from '../report/table.ts';
import type { Executed } from '../run/execute.ts';
import { createComparisonFolder, writeResultFile } from '../run/results.ts';

export interface Comparison {
  readonly folder: string;
  readonly page: string;
  /** For the terminal. */
  readonly table: string;
  /** Empty when the scenario has none. */
  readonly sentence: string;
}

/** Writes comparison.html and comparison.json into a folder of their own under `out`. */
export function writeComparison(executed: readonly Executed[], out: string): Comparison {
  const reports = executed.map(({ report }) => report);
  const [first] = executed as [Executed];
  const folder = createComparisonFolder(out, first.plan.scenario, new Date());
  const sentence = first.plan.moral === undefined ? '' : closingSentence(first.plan.moral, reports);
  writeResultFile(folder, 'comparison.json', comparisonJson(reports, sentence));
  writeResultFile(folder, 'comparison.html', comparisonPage(executed));
  const table = comparisonTable(reports, { colour: takesColour(process.stdout), width: process.stdout.columns ?? 200 });
  return { folder, page: join(folder, 'comparison.html'), table, sentence };
}
