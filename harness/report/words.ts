/**
 * The sign and the word for every outcome, in one place, so that terminal and page say the same. A sign and a word always
 * stand together, and a tone (which decides colour and pattern) never says anything that they do not.
 */
import { formatMs } from '../core/units.ts';
import type { JudgedExpectation, Outcome, Report } from '../run/types.ts';

/**
 * - `good`: as promised.
 * - `quiet`: missed, and the variant says so: no cause for alarm.
 * - `alarm`: not as expected.
 * - `unclear`: neither; shown with a hatch.
 */
export type Tone = 'good' | 'quiet' | 'alarm' | 'unclear';

export interface Saying {
  readonly sign: string;
  readonly word: string;
  readonly tone: Tone;
  /** Whether it came out as the variant says, in words. */
  readonly expectation: string;
}

const SIGNS = { met: '✓', missed: '✕', unknown: '?' } as const;

/** How one promise or symptom came out. */
export function sayingOf(result: JudgedExpectation): Saying {
  const { status } = result.verdict;
  const said = { sign: SIGNS[status], word: status };
  if (status === 'unknown') return { ...said, tone: 'unclear', expectation: `cannot be said; expected ${result.expected}` };
  if (!result.asExpected) return { ...said, tone: 'alarm', expectation: `NOT as expected: should be ${result.expected}` };
  return status === 'met' ? { ...said, tone: 'good', expectation: 'as expected' } : { ...said, tone: 'quiet', expectation: 'missed, as expected' };
}

const OUTCOMES: Readonly<Record<Outcome, { sign: string; tone: Tone }>> = {
  'as expected': { sign: '✓', tone: 'good' },
  'not as expected': { sign: '✕', tone: 'alarm' },
  invalid: { sign: '?', tone: 'unclear' },
  aborted: { sign: '!', tone: 'unclear' },
};

/** How the run came out. */
export function outcomeOf(report: Report): { readonly sign: string; readonly word: Outcome; readonly tone: Tone } {
  return { ...OUTCOMES[report.outcome], word: report.outcome };
}

/**
 * '3 of 4 promises met, 2 of 2 symptoms seen'; parts that the scenario does not have are left out. Of a run that cannot be
 * judged nothing is counted.
 */
export function tallyOf(report: Report): string {
  if (report.outcome === 'invalid' || report.outcome === 'aborted') return `none counts, the run is ${report.outcome}`;
  const part = (role: 'promise' | 'symptom', met: string) => {
    const all = report.results.filter((result) => result.role === role);
    const count = all.filter((result) => result.verdict.status === 'met').length;
    return all.length === 0 ? [] : [`${count} of ${all.length} ${role}${all.length === 1 ? '' : 's'} ${met}`];
  };
  return [...part('promise', 'met'), ...part('symptom', 'seen')].join(', ');
}

/** 12340 to '12.3 s', from the start of the load; below 100 s one tenth of a second tells windows apart. */
export function moment(atMs: number): string {
  return atMs < 100_000 ? `${(atMs / 1_000).toFixed(1)} s` : formatMs(atMs);
}

/** 69930 to '69,930'. */
export function counted(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A time span of any length, for totals: '35 s', '1 h 2 min'. */
export function span(ms: number): string {
  const seconds = Math.round(ms / 100) / 10;
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What to type to run it again. */
export function runCommand(report: { readonly scenario: string; readonly file?: string; readonly variant: string; readonly seed: number }): string {
  return `npx aftershock run ${report.file ?? report.scenario} --variant ${report.variant} --seed ${report.seed}`;
}
