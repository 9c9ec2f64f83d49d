import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Random, seeded } from '../../core/random.ts';
import { type KeyChoice, keyChooser } from './keys.ts';

const drawn = (draws: number, choice: KeyChoice, keys: number, seed: number, index = 0, of = 1) => {
  const next = keyChooser(choice, keys, seeded(seed), index, of);
  return Array.from({ length: draws }, next);
};

const evenly = (length: number, value: number) => Array.from({ length }, () => value);

const countsOf = (list: readonly number[], keys: number) => {
  const counts = evenly(keys, 0);
  for (const key of list) (counts[key] as number)++;
  return counts;
};

/** The chances of ranks 1 to `ranks`, added up as they are defined. */
function zipfShares(ranks: number, exponent: number): number[] {
  const weights = Array.from({ length: ranks }, (_, index) => (index + 1) ** -exponent);
  // From the smallest on, so that nothing is rounded away.
  const sum = weights.reduceRight((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Pearson's sum for counts against shares; of a fair sequence it is about the number of classes, give or take its square root. */
function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count, index) => sum + (count - draws * (shares[index] as number)) ** 2 / (draws * (shares[index] as number)), 0);
}
/** Four standard deviations above the mean. */
const fair = (classes: number) => classes - 1 + 4 * Math.sqrt(2 * (classes - 1));

const choices: fc.Arbitrary<KeyChoice> = fc.oneof(
  fc.constant({ kind: 'uniform' as const }),
  fc.constant({ kind: 'sequential' as const }),
  fc.double({ min: 0.01, max: 5, noNaN: true }).map((exponent) => ({ kind: 'zipf' as const, exponent })),
  fc.record({ kind: fc.constant('hot' as const), hot: fc.constant(1), hotShare: fc.double({ min: 0.01, max: 1, noNaN: true }) }),
);

describe('keyChooser', () => {
  it('draws whole numbers below the number of keys', () => {
    fc.assert(
      fc.property(choices, fc.integer({ min: 2, max: 3_000 }), fc.nat(1_000), (choice, keys, seed) => {
        for (const key of drawn(200, choice, keys, seed)) expect(Number.isInteger(key) && key >= 0 && key < keys).toBe(true);
      }),
    );
    for (const choice of [{ kind: 'uniform' }, { kind: 'sequential' }, { kind: 'zipf', exponent: 1 }] as const)
      expect(drawn(3, choice, 1, 5)).toEqual([0, 0, 0]);
  });

  it('is the same for the same seed, whatever was drawn before, and another for another seed', () => {
    for (const choice of [{ kind: 'uniform' }, { kind: 'zipf', exponent: 0.99 }, { kind: 'hot', hot: 10, hotShare: 0.9 }] as const) {
      const used = seeded(3);
      used.next();
      const next = keyChooser(choice, 1_000, used);
      expect(Array.from({ length: 100 }, next)).toEqual(drawn(100, choice, 1_000, 3));
      expect(drawn(100, choice, 1_000, 4)).not.toEqual(drawn(100, choice, 1_000, 3));
    }
  });

  it('gives every key the same chance when uniform', () => {
    const counts = countsOf(drawn(200_000, { kind: 'uniform' }, 100, 1), 100);
    expect(chiSquare(counts, evenly(100, 0.01))).toBeLessThan(fair(100));
  });

  it('goes through the keys in order and begins again', () => {
    expect(drawn(7, { kind: 'sequential' }, 3, 1)).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  it('deals out the keys in order among processes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5 }), (keys, of) => {
        const parts = Array.from({ length: of }, (_, index) => drawn(50, { kind: 'sequential' }, keys, 1, index, of));
        const together = Array.from({ length: 50 * of }, (_, n) => parts[n % of]?.[Math.floor(n / of)]);
        expect(together).toEqual(Array.from({ length: 50 * of }, (_, n) => n % keys));
      }),
    );
  });

  it('has the same popular keys in every process, and other draws', () => {
    for (const choice of [
      { kind: 'zipf', exponent: 1.5 },
      { kind: 'hot', hot: 3, hotShare: 0.9 },
    ] as const) {
      const popular = (index: number) => {
        const counts = countsOf(drawn(20_000, choice, 1_000, 1, index, 2), 1_000);
        return new Set(
          counts
            .map((count, key) => ({ count, key }))
            .sort((a, b) => b.count - a.count)
            .slice(0, 3)
            .map(({ key }) => key),
        );
      };
      expect(popular(1)).toEqual(popular(0));
      expect(drawn(100, choice, 1_000, 1, 1, 2)).not.toEqual(drawn(100, choice, 1_000, 1, 0, 2));
    }
  });

  it('gives hot keys their share, evenly, and the others the rest', () => {
    const counts = countsOf(drawn(400_000, { kind: 'hot', hot: 20, hotShare: 0.9 }, 100, 1), 100).sort((a, b) => b - a);
    const shares = counts.map((_, rank) => (rank < 20 ? 0.9 / 20 : 0.1 / 80));
    expect(chiSquare(counts, shares)).toBeLessThan(fair(100));
  });

  it('makes any key the popular one with the same chance, over the seeds', () => {
    const favourites = Array.from({ length: 5_000 }, (_, seed) => drawn(1, { kind: 'hot', hot: 1, hotShare: 1 }, 20, seed)[0] as number);
    expect(chiSquare(countsOf(favourites, 20), evenly(20, 0.05))).toBeLessThan(fair(20));
  });
});

describe('zipf', () => {
  /** Ranks as they are, drawn from numbers that lie evenly in [0, 1): what is counted is then the very measure of each rank. */
  function measured(ranks: number, exponent: number, steps: number): { shares: number[]; accepted: number } {
    const ended = new Error('no numbers are left');
    let step = 0;
    const grid: Random = {
      next: () => {
        if (step === steps) throw ended;
        return (step++ + 0.5) / steps;
      },
      // A shuffle in which every key stays where it is.
      below: (below) => below - 1,
      fork: () => grid,
    };
    const next = keyChooser({ kind: 'zipf', exponent }, ranks, grid);
    const counts = evenly(ranks, 0);
    try {
      for (;;) (counts[next()] as number)++;
    } catch (thrown) {
      if (thrown !== ended) throw thrown;
    }
    const accepted = counts.reduce((sum, count) => sum + count, 0);
    return { shares: counts.map((count) => count / accepted), accepted: accepted / steps };
  }

  it.each([0.01, 0.5, 0.99, 1 - 1e-9, 1, 1 + 1e-9, 1.2, 2, 3.7, 5])('gives each rank exactly its chance, exponent %f', (exponent) => {
    for (const ranks of [1, 2, 3, 10, 1_000]) {
      const steps = 400_000;
      const { shares, accepted } = measured(ranks, exponent, steps);
      const exact = zipfShares(ranks, exponent);
      // Each rank has one stretch of accepted numbers, whose two ends fall between two steps.
      const worst = Math.max(...shares.map((share, index) => Math.abs(share - (exact[index] as number))));
      expect(worst).toBeLessThan(4 / steps);
      // Few are drawn in vain: that is what makes it quick.
      expect(accepted).toBeGreaterThan(0.85);
    }
  });

  it('gives each rank of a million its chance', () => {
    const { shares } = measured(1_000_000, 0.99, 2_000_000);
    const exact = zipfShares(1_000_000, 0.99);
    const sum = (list: readonly number[], from: number, to: number) => list.slice(from, to).reduce((total, share) => total + share, 0);
    for (const [from, to] of [
      [0, 1],
      [1, 10],
      [10, 1_000],
      [1_000, 100_000],
      [100_000, 1_000_000],
    ] as const)
      expect(Math.abs(sum(shares, from, to) - sum(exact, from, to))).toBeLessThan(1e-4);
  });

  it.each([
    [0.5, 1],
    [0.99, 2],
    [1, 3],
    [2, 4],
  ])('draws the top ranks as often as they should come, exponent %f', (exponent, seed) => {
    const keys = 10_000;
    const counts = countsOf(drawn(300_000, { kind: 'zipf', exponent }, keys, seed), keys);
    // Which key has which rank is the shuffle's: that of a grid shows it.
    const ranked = rankedKeys(keys, seed).map((key) => counts[key] as number);
    const exact = zipfShares(keys, exponent);
    const top = 50;
    const rest = (list: readonly number[]) => list.slice(top).reduce((sum, value) => sum + value, 0);
    expect(chiSquare([...ranked.slice(0, top), rest(ranked)], [...exact.slice(0, top), rest(exact)])).toBeLessThan(fair(top + 1));
  });

  /** The key of each rank with this seed: a chooser with the seed's shuffle, and draws that walk through all ranks. */
  function rankedKeys(keys: number, seed: number): number[] {
    const random = seeded(seed);
    let rank = 0;
    const walking: Random = { next: () => (rank++ + 0.5) / keys, below: () => 0, fork: () => walking };
    const split: Random = { ...random, fork: (name) => (name === 'ranks' ? random.fork(name) : walking) };
    // As if all were hot but one, with their fair share.
    const next = keyChooser({ kind: 'hot', hot: keys - 1, hotShare: 1 - 1 / keys }, keys, split);
    return Array.from({ length: keys }, next);
  }

  it('shuffles: every key has one rank', () => {
    const ranked = rankedKeys(1_000, 9);
    expect(new Set(ranked).size).toBe(1_000);
    expect(ranked.slice(0, 20)).not.toEqual(Array.from({ length: 20 }, (_, key) => key));
    expect(rankedKeys(1_000, 10)).not.toEqual(ranked);
  });
});
