/**
 * What a handful of rounds comes down to: medians, extremes, and ratios that are taken within each round, so that what slows the whole machine
 * for some seconds weighs on both sides.
 */

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** Median, extremes and count; undefined when there is nothing. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  const median = sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
  return { median, least: sorted[0] as number, most: sorted.at(-1) as number, count: sorted.length };
}

/** The spread of ours / theirs over the rounds that both have; undefined when there are none. */
export function ratioOf(ours: ReadonlyMap<number, number>, theirs: ReadonlyMap<number, number>): Spread | undefined {
  return spreadOf([...ours].flatMap(([round, our]) => (theirs.has(round) ? [our / (theirs.get(round) as number)] : [])));
}
