/**
 * The verdict of a run as a table for the terminal: what was promised, what was measured, whether that is what the variant says,
 * what a probe saw of each fault, and what to type to see it again.
 */
import type { Report } from '../run/types.ts';
import { type Mark, PROVEN_EVENTS } from '../timeline/types.ts';
import type { Cell, Paint, Row } from './table.ts';
import { NARROWEST, painter, TONES, table } from './table.ts';
import { oneLine, wrapped } from './text.ts';
import { counted, moment, outcomeOf, runCommand, sayingOf, span, tallyOf } from './words.ts';

/** The whole verdict, lines joined by line breaks, none wider than `width` columns (80 at least). */
export function verdictTable(report: Report, options: { colour: boolean; width: number }): string {
  const width = Math.max(NARROWEST, options.width);
  const paint = painter(options.colour);
  const blocks = [
    head(report, width, paint),
    objectives(report, width, paint),
    remarks(report, width, paint),
    proofs(report.marks, width, paint),
    again(report, paint),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function head(report: Report, width: number, paint: Paint): string[] {
  const outcome = outcomeOf(report);
  const title = `${report.scenario} · ${report.variant} · ${outcome.sign} ${outcome.word} · seed ${report.seed}`;
  const { totals } = report;
  const failed = Object.values(totals.failed).reduce((sum, count) => sum + count, 0);
  const size = `${span(totals.durationMs)}, ${counted(totals.due)} requests: ${counted(totals.good)} in time, ${counted(totals.answered - totals.good)} late, ${counted(failed)} failed`;
  return [
    ...wrapped(title, width).map((line) => paint(['bold', ...TONES[outcome.tone].filter((style) => style !== 'bold')], line)),
    ...wrapped(report.headline, width),
    ...wrapped([tallyOf(report), size].filter(Boolean).join(' · '), width).map((line) => paint(['dim'], line)),
  ];
}

function objectives(report: Report, width: number, paint: Paint): string[] {
  if (report.results.length === 0) return [];
  const rows = report.results.map((result): Row => {
    const said = sayingOf(result);
    const style = TONES[said.tone];
    const cells: Cell[] = [
      { text: `${said.sign} ${said.word}`, style },
      { text: result.role },
      { text: result.name, style: said.tone === 'alarm' ? ['bold'] : [] },
      { text: result.verdict.limit },
      { text: result.verdict.measured },
      { text: said.expectation, style },
    ];
    const { because } = result.verdict;
    return { cells: cells.map((cell) => ({ ...cell, text: oneLine(cell.text) })), ...(because === undefined ? {} : { below: `${result.name}: ${because}` }) };
  });
  return table(['verdict', 'role', 'name', 'limit', 'measured', 'expected'], rows, { width, paint });
}

function remarks(report: Report, width: number, paint: Paint): string[] {
  const reasons = report.reasons.flatMap((text) => hanging(report.outcome === 'aborted' ? '! aborted: ' : '? invalid: ', text, width));
  const notes = report.notes.flatMap((text) => hanging('note: ', text, width));
  return [...reasons.map((line) => paint(TONES.unclear, line)), ...notes];
}

/** 'injected 10.0 s  ✓ asked +1 s, measured +1.001 s' for every fault and target, in the order of time. */
function proofs(marks: readonly Mark[], width: number, paint: Paint): string[] {
  const proven = marks.filter((mark) => PROVEN_EVENTS.includes(mark.event));
  const groups = new Map<string, Mark[]>();
  for (const mark of proven) {
    const key = mark.fault.includes(mark.target) ? mark.fault : `${mark.fault} at ${mark.target}`;
    groups.set(key, [...(groups.get(key) ?? []), mark]);
  }
  return [...groups].flatMap(([fault, events]) => [
    ...wrapped(`fault: ${fault}`, width).map((line) => paint(['bold'], line)),
    ...events.flatMap((mark) => {
      const lines = hanging(`  ${mark.event.padEnd(8)} ${moment(mark.at).padStart(7)}  `, proofText(mark), width);
      return mark.proof?.holds ? lines : lines.map((line) => paint(TONES.unclear, line));
    }),
  ]);
}

function proofText(mark: Mark): string {
  if (!mark.proof) return '? not proven: no probe reported';
  return `${mark.proof.holds ? '✓ proven' : '? NOT proven'}: asked ${mark.proof.asked}, measured ${mark.proof.measured}`;
}

function again(report: Report, paint: Paint): string[] {
  // A command is never wrapped: it is there to be copied.
  return [`${paint(['dim'], 'again:')} ${oneLine(runCommand(report))}`];
}

/** The text behind a label, its further lines standing under its first. */
function hanging(label: string, text: string, width: number): string[] {
  return wrapped(text, width - label.length).map((line, i) => (i === 0 ? label : ' '.repeat(label.length)) + line);
}
