/**
 * Windows in which a load generator could not keep its own schedule: the one place that says which. They are derived, not saved, so that old
 * results are marked by the same rule; verdicts (`run/validity.ts`) and pages (`report/gauges.ts`) ask here.
 */
import { type GeneratorWindow, WINDOW_MS } from './types.ts';

/** A request looked at later than this after it was due is counted as late. */
export const LATE_MS = 10;

/**
 * A generator that looks at requests late measures itself: what it adds counts as latency of the system. Late is more than
 * 10 ms, and above 1% of the requests the lateness is in their p99.
 */
export const MOST_LATE_SHARE = 0.01;

/** Whether lateness of the generator is in the p99 of what was due in this window. A window without a request never is. */
export function isStarved({ due, late }: Pick<GeneratorWindow, 'due' | 'late'>): boolean {
  return late > due * MOST_LATE_SHARE;
}

/** A thread that is busy for all of a window does one thing after the other: what it has not come to waits in lines of its own, and looks like waiting for the system. */
export const FULLY_BUSY_SHARE = 0.97;

export function isFullyBusy({ busyShare }: Pick<GeneratorWindow, 'busyShare'>): boolean {
  return busyShare !== undefined && busyShare >= FULLY_BUSY_SHARE;
}

/**
 * The share of the time in which whatever fell due would have been looked at late because the event loop stood: what goes beyond 10 ms of each stand. A load that waits for its answers falls due
 * when it looks, so none of its requests is ever late by itself. A stand over several windows has the same length in all of them and counts once.
 */
export function stoodShare(windows: readonly Pick<GeneratorWindow, 'at' | 'maxLoopDelayMs'>[]): number {
  let lostMs = 0;
  windows.forEach(({ at, maxLoopDelayMs }, index) => {
    const before = windows[index - 1];
    const isSame = before !== undefined && at - before.at <= WINDOW_MS && before.maxLoopDelayMs === maxLoopDelayMs;
    if (!isSame) lostMs += Math.max(0, maxLoopDelayMs - LATE_MS);
  });
  return windows.length === 0 ? 0 : lostMs / (windows.length * WINDOW_MS);
}
