/**
 * When requests fall due: a pure function of their number, so that a schedule is the same in every run and owes nothing to how fast the
 * system answers.
 */

/** When hit n (from 0) is due, ms since the start of the load; undefined when there is no such hit. Never falls as n grows. */
export type Pacer = (hits: number) => number | undefined;

/** The same distance between any two hits: hit n is due at n x 1000 / rate ms, for all that is below `forMs`. */
export function constantRate(ratePerSecond: number, forMs: number): Pacer {
  return (hits) => {
    // One division of exact numbers for each hit: a sum of gaps would drift.
    const dueMs = (hits * 1_000) / ratePerSecond;
    return dueMs < forMs ? dueMs : undefined;
  };
}
