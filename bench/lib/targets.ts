/**
 * What the load generator is meant to reach, and whether it did.
 */
import type { Spread } from './statistics.ts';
import { ratioText, table } from './table.ts';

export interface Target {
  readonly what: string;
  /** The yardstick: '1.4 x memtier', 'below 2 MB'. */
  readonly reach: string;
  readonly bound: number;
  readonly side: 'at least' | 'at most';
  /** Undefined when it could not be measured. */
  readonly measured: Spread | undefined;
  /** Why not, in a few words. */
  readonly why?: string;
  /** How the measured value reads; a ratio with two decimals when left out. */
  readonly text?: (value: number) => string;
}

export type Verdict = 'reached' | 'not reached' | 'not measured';

/** The median decides. */
export function verdictOf({ measured, bound, side }: Target): Verdict {
  if (measured === undefined || Number.isNaN(measured.median)) return 'not measured';
  return (side === 'at least' ? measured.median >= bound : measured.median <= bound) ? 'reached' : 'not reached';
}

export function targetTable(targets: readonly Target[]): string {
  return table(
    ['what', 'to reach', 'measured: median (least to most)', 'rounds', 'verdict'],
    targets.map((target) => {
      const { measured, text = ratioText } = target;
      const verdict = verdictOf(target);
      const range = measured && measured.count > 1 ? ` (${text(measured.least)} to ${text(measured.most)})` : '';
      return [
        target.what,
        target.reach,
        measured === undefined ? '-' : `${text(measured.median)}${range}`,
        String(measured?.count ?? 0),
        verdict === 'not measured' ? `not measured${target.why ? `: ${target.why}` : ''}` : verdict === 'reached' ? 'reached' : '**not reached**',
      ];
    }),
    [0, 1, 4],
  );
}
