/**
 * Variants of one scenario side by side: as a table for the terminal, as data, and in the scenario's closing sentence.
 */
import type { Report } from '../run/types.ts';
import { stableJson } from './json.ts';
import type { Cell } from './table.ts';
import { NARROWEST, painter, TONES, table } from './table.ts';
import { oneLine, wrapped } from './text.ts';
import { outcomeOf, sayingOf } from './words.ts';

export { checkMoral, closingSentence } from './moral.ts';

/** Names of all objectives of the reports, promises and symptoms in the order of the first report that has them. */
export function objectiveNames(reports: readonly Report[]): string[] {
  return [...new Set(reports.flatMap((report) => report.results.map((result) => result.name)))];
}

/** The heads of the columns: variants, with the seed where one ran more than once. */
export function runNames(reports: readonly Report[]): string[] {
  return reports.map((report) =>
    reports.filter((other) => other.variant === report.variant).length > 1 ? `${report.variant} (seed ${report.seed})` : report.variant,
  );
}

/** Objectives as rows, runs as columns; none wider than `width` columns (80 at least). */
export function comparisonTable(reports: readonly Report[], options: { colour: boolean; width: number }): string {
  const width = Math.max(NARROWEST, options.width);
  const paint = painter(options.colour);
  const rows = objectiveNames(reports).map((name): Cell[] => [
    { text: oneLine(name) },
    ...reports.map((report): Cell => {
      const result = report.results.find((one) => one.name === name);
      if (!result) return { text: 'not judged', style: TONES.quiet };
      const said = sayingOf(result);
      const expectation = said.expectation.startsWith(said.word) ? said.expectation : `${said.word}, ${said.expectation}`;
      return { text: oneLine(`${said.sign} ${expectation}: ${result.verdict.measured}`), style: TONES[said.tone] };
    }),
  ]);
  const outcomes: Cell[] = [
    { text: 'the run', style: ['bold'] },
    ...reports.map((report): Cell => {
      const { sign, word, tone } = outcomeOf(report);
      return { text: `${sign} ${word}`, style: TONES[tone] };
    }),
  ];
  const names = runNames(reports).map(oneLine);
  const title = wrapped(`${reports[0]?.scenario ?? 'nothing'}: ${names.join(' and ')}`, width).map((line) => paint(['bold'], line));
  return [
    ...title,
    '',
    ...table(
      ['objective', ...names],
      [...rows, outcomes].map((cells) => ({ cells })),
      { width, paint },
    ),
  ].join('\n');
}

/** comparison.json: what each run measured, by objective. `sentence` is the closing sentence, if the scenario has one. */
export function comparisonJson(reports: readonly Report[], sentence?: string): string {
  return stableJson({
    format: 1,
    scenario: reports[0]?.scenario,
    ...(sentence ? { sentence } : {}),
    runs: reports.map(({ variant, seed, outcome, exitCode, headline }) => ({ variant, seed, outcome, exitCode, headline })),
    objectives: objectiveNames(reports).map((name) => ({
      name,
      results: reports.map((report) => {
        const result = report.results.find((one) => one.name === name);
        return result
          ? { variant: report.variant, seed: report.seed, role: result.role, expected: result.expected, asExpected: result.asExpected, ...result.verdict }
          : { variant: report.variant, seed: report.seed };
      }),
    })),
  });
}
