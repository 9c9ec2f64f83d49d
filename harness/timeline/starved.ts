/**
 * Windows in which a load generator could not keep its own schedule: the one place that says which. They are derived, not saved, so that old
 * results are marked by the same rule; verdicts (`run/validity.ts`) and pages (`report/gauges.ts`) ask here.
 */
import type { GeneratorWindow } from './types.ts';

/**
 * A generator that looks at requests late measures itself: what it adds counts as latency of the system. Late is more than
 * 10 ms, and above 1% of the requests the lateness is in their p99.
 */
export const MOST_LATE_SHARE = 0.01;

/** Whether lateness of the generator is in the p99 of what was due in this window. A window without a request never is. */
export function isStarved({ due, late }: Pick<GeneratorWindow, 'due' | 'late'>): boolean {
  return late > due * MOST_LATE_SHARE;
}
