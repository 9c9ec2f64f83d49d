/**
 * A promise (SLO) or a symptom is data: a kind and its parameters. It is saved with the plan, so that
 * a recheck asks what was asked then. Judging is a pure function of the objective and the timeline.
 */

/**
 * - `met` and `missed` say what was measured.
 * - `unknown`: the evidence does not suffice to say. It never counts as met, and it makes the run invalid.
 */
export type Status = 'met' | 'missed' | 'unknown';

export interface Verdict {
  readonly status: Status;
  /** What was promised, for people: 'p99 under 25 ms before the fault'. */
  readonly limit: string;
  /** What was measured, for people: '4.1 ms'. */
  readonly measured: string;
  /** The same in numbers, for machines and for the closing sentence: unit in the name. */
  readonly figures: Readonly<Record<string, number>>;
  /** Why it is unknown, or what a miss has for a cause, in one line. */
  readonly because?: string;
  /** A machine's word for the cause of a miss. */
  readonly cause?: 'metastable';
  /** Moments worth a line in the picture, ms: such as the moment of recovery. */
  readonly moments?: readonly { readonly at: number; readonly label: string }[];
}
