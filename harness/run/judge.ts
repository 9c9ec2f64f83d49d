/**
 * From a saved plan and a timeline to a report: what was promised, what was seen, and whether it can be believed at all.
 * Pure: the same two give the same report, today and from the files next year.
 */
import { EXIT, type ExitCode } from '../core/errors.ts';
import { formatMs } from '../core/units.ts';
import { judgeObjective } from '../slo/index.ts';
import type { Timeline } from '../timeline/types.ts';
import type { JudgedExpectation, Outcome, Plan, Report } from './types.ts';
import { generatorOf, reasonsAgainst, totalsOf } from './validity.ts';

export function judge(plan: Plan, timeline: Timeline): Report {
  const results = plan.expectations.map((expectation): JudgedExpectation => {
    const verdict = judgeObjective(expectation.objective, timeline);
    return { ...expectation, verdict, asExpected: verdict.status === expectation.expected };
  });
  const doubts = [
    ...reasonsAgainst(plan, timeline),
    ...results
      .filter(({ verdict }) => verdict.status === 'unknown')
      .map(({ name, verdict }) => `${name} is unknown: ${verdict.because ?? 'the evidence does not suffice'}`),
  ];
  const aborted = timeline.aborted === undefined ? [] : [`the run was stopped ${formatMs(timeline.durationMs)} into its load: ${timeline.aborted}`];
  const outcome = outcomeOf(aborted.length > 0, doubts.length > 0, results);
  const reasons = outcome === 'aborted' ? [...aborted, ...doubts] : doubts;
  return {
    format: 1,
    scenario: plan.scenario,
    ...(plan.file !== undefined && { file: plan.file }),
    variant: plan.variant,
    title: plan.title,
    story: plan.story,
    ...(plan.source !== undefined && { source: plan.source }),
    seed: plan.seed,
    tags: plan.tags,
    outcome,
    exitCode: EXIT_OF[outcome],
    headline: `${plan.variant}: ${headline(outcome, plan.reported, results, reasons)}`,
    reasons,
    notes: timeline.findings.filter((finding) => finding.severity === 'note').map((finding) => finding.text),
    results,
    marks: timeline.marks,
    totals: totalsOf(timeline),
    generator: generatorOf(timeline),
  };
}

/** An aborted run cannot be judged either; whoever stopped it leaves with the code of the signal. */
const EXIT_OF: Readonly<Record<Outcome, ExitCode>> = {
  'as expected': EXIT.asExpected,
  'not as expected': EXIT.notAsExpected,
  invalid: EXIT.invalidRun,
  aborted: EXIT.invalidRun,
};

function outcomeOf(isAborted: boolean, isDoubtful: boolean, results: readonly JudgedExpectation[]): Outcome {
  if (isAborted) return 'aborted';
  if (isDoubtful) return 'invalid';
  return results.every((result) => result.asExpected) ? 'as expected' : 'not as expected';
}

function headline(outcome: Outcome, isReported: boolean, results: readonly JudgedExpectation[], reasons: readonly string[]): string {
  if (outcome === 'invalid' || outcome === 'aborted') {
    const others = reasons.length > 1 ? ` (and ${counted(reasons.length - 1, 'other reason')})` : '';
    return `${outcome}: ${reasons[0] ?? ''}${others}`;
  }
  if (outcome === 'not as expected') {
    return results
      .filter((result) => !result.asExpected)
      .map(({ name, role, verdict }) => {
        const word = role === 'symptom' ? `symptom ${name} not shown` : verdict.status === 'met' ? `${name} met, but expected to be missed` : `${name} missed`;
        return `${word} (${verdict.measured})`;
      })
      .join('; ');
  }
  const promises = results.filter((result) => result.role === 'promise');
  const missed = promises.filter((result) => result.expected === 'missed').length;
  const shown = results.length - promises.length;
  const parts = [
    missed > 0 ? `${counted(missed, 'promise')} missed, as ${isReported ? 'reported' : 'expected'}` : `all ${counted(promises.length, 'promise')} as expected`,
  ];
  if (shown > 0) parts.push(`${counted(shown, 'symptom')} shown`);
  return parts.join('; ');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
