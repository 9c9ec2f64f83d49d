/**
 * What was measured, one entry for each contestant and round, and how contestants take turns.
 */
import { ratioOf, type Spread, spreadOf } from './statistics.ts';

export type Figures = Readonly<Record<string, number>>;

export interface Sample {
  /** Under which conditions: '100 hot keys', '20,000/s'. Contestants are compared within one setting only. */
  readonly setting: string;
  readonly contestant: string;
  /** From 1. */
  readonly round: number;
  readonly figures: Figures;
}

export interface Contestant {
  readonly setting: string;
  readonly name: string;
  /** Measures once, with everything that it needs started and ended. */
  readonly run: (round: number) => Promise<Figures>;
  /** Rounds that it takes part in; all when left out. */
  readonly rounds?: number;
}

/**
 * Lets contestants take turns: A, B, C, then B, C, A and so on, so that nobody always runs behind the same neighbour.
 * `onTurn` is told each result.
 */
export async function interleave(contestants: readonly Contestant[], rounds: number, onTurn: (sample: Sample) => void): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(turn + round - 1) % contestants.length] as Contestant;
      if (round > (contestant.rounds ?? rounds)) continue;
      const sample = { setting: contestant.setting, contestant: contestant.name, round, figures: await contestant.run(round) };
      samples.push(sample);
      onTurn(sample);
    }
  }
  return samples;
}

/** A figure of one contestant under one setting, by round. */
export function byRound(samples: readonly Sample[], setting: string, contestant: string, figure: string): Map<number, number> {
  const found = samples.filter((sample) => sample.setting === setting && sample.contestant === contestant && sample.figures[figure] !== undefined);
  return new Map(found.map((sample) => [sample.round, sample.figures[figure] as number]));
}

/** The spread of a figure; undefined when nobody measured it. */
export function spread(samples: readonly Sample[], setting: string, contestant: string, figure: string): Spread | undefined {
  return spreadOf([...byRound(samples, setting, contestant, figure).values()]);
}

/** The spread of the ratio of a figure of two contestants, per round. */
export function ratio(samples: readonly Sample[], setting: string, ours: string, theirs: string, figure: string): Spread | undefined {
  return ratioOf(byRound(samples, setting, ours, figure), byRound(samples, setting, theirs, figure));
}

/** The distinct contestants of a setting, in the order in which they first ran. */
export function contestantsOf(samples: readonly Sample[], setting: string): string[] {
  return [...new Set(samples.filter((sample) => sample.setting === setting).map(({ contestant }) => contestant))];
}

export function settingsOf(samples: readonly Sample[]): string[] {
  return [...new Set(samples.map(({ setting }) => setting))];
}
