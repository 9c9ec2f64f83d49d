import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded } from '../../core/random.ts';
import { meanBytes, mostBytes, sizesOf, type Values } from './values.ts';

const bytes = fc.integer({ min: 0, max: 1_000_000 });
const values: fc.Arbitrary<Values> = fc.oneof(
  fc.record({ kind: fc.constant('fixed' as const), bytes }),
  fc.tuple(bytes, bytes).map(([a, b]) => ({ kind: 'between' as const, fromBytes: Math.min(a, b), toBytes: Math.max(a, b) })),
  fc.record({
    kind: fc.constant('lognormal' as const),
    medianBytes: fc.integer({ min: 1, max: 1_000 }),
    sigma: fc.double({ min: 0.01, max: 5, noNaN: true }),
    mostBytes: fc.integer({ min: 1_000, max: 1_000_000 }),
  }),
  fc.constant({
    kind: 'mixed' as const,
    parts: [
      { bytes: 1, share: 0.5 },
      { bytes: 1_000_000, share: 0.5 },
    ],
  }),
);

describe('sizesOf', () => {
  it('has a whole number of bytes from 0 to 1,000,000 for each key', () => {
    fc.assert(
      fc.property(values, fc.nat(1_000), (given, seed) => {
        const sizes = sizesOf(given, 500, seeded(seed));
        expect(sizes).toHaveLength(500);
        expect(sizes.every((size) => size <= 1_000_000)).toBe(true);
      }),
    );
  });

  it('depends on the key and the seed alone', () => {
    fc.assert(
      fc.property(values, fc.nat(1_000), fc.nat(300), (given, seed, fewer) => {
        const used = seeded(seed);
        used.next();
        const sizes = sizesOf(given, 300, used);
        expect(sizesOf(given, fewer, seeded(seed))).toEqual(sizes.slice(0, fewer));
      }),
    );
    const given: Values = { kind: 'between', fromBytes: 0, toBytes: 1_000 };
    expect(sizesOf(given, 100, seeded(1))).not.toEqual(sizesOf(given, 100, seeded(2)));
  });

  it('is the same for all when fixed', () => {
    expect([...sizesOf({ kind: 'fixed', bytes: 77 }, 3, seeded(1))]).toEqual([77, 77, 77]);
  });

  it('takes every length in between, both ends included, with the same chance', () => {
    const counts = [0, 0, 0, 0];
    for (const size of sizesOf({ kind: 'between', fromBytes: 10, toBytes: 13 }, 40_000, seeded(1))) (counts[size - 10] as number)++;
    // 10,000 each, within four standard deviations: 4 x sqrt(40000 x 1/4 x 3/4) = 346.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(346);
  });

  it('is lognormal: its logarithm has the median and the deviation that were asked for, and its tail is cut', () => {
    const sizes = sizesOf({ kind: 'lognormal', medianBytes: 10_000, sigma: 0.5, mostBytes: 1_000_000 }, 40_000, seeded(1));
    const logs = [...sizes].map((size) => Math.log(size / 10_000) / 0.5);
    const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
    const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length;
    // Four standard deviations: of a mean of 40,000 they are 4 / 200, of a variance 4 x sqrt(2) / 200.
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.0283);
    // Of a normal distribution, 15.87% lie above one deviation; 4 x sqrt(0.159 x 0.841 / 40000) = 0.73%.
    expect(Math.abs(logs.filter((log) => log > 1).length / logs.length - 0.1587)).toBeLessThan(0.0073);

    const cut = sizesOf({ kind: 'lognormal', medianBytes: 10_000, sigma: 0.5, mostBytes: 12_000 }, 40_000, seeded(1));
    expect([...cut]).toEqual([...sizes].map((size) => Math.min(size, 12_000)));
  });

  it('mixes lengths by their shares', () => {
    const parts = [
      { bytes: 100, share: 0.7 },
      { bytes: 5, share: 0 },
      { bytes: 1_000, share: 0.2 },
      { bytes: 10_000, share: 0.1 },
    ];
    const sizes = [...sizesOf({ kind: 'mixed', parts }, 40_000, seeded(1))];
    for (const { bytes: length, share } of parts) {
      const found = sizes.filter((size) => size === length).length / sizes.length;
      expect(Math.abs(found - share)).toBeLessThanOrEqual(4 * Math.sqrt((share * (1 - share)) / sizes.length));
    }
  });

  it('has a length for every draw, however the shares are rounded', () => {
    const parts = [...Array.from({ length: 10 }, (_, index) => ({ bytes: index, share: 0.1 })), { bytes: 99, share: 0 }];
    const highest = { next: () => 1 - 2 ** -53, below: () => 0, fork: () => highest };
    expect([...sizesOf({ kind: 'mixed', parts }, 1, highest)]).toEqual([9]);
  });
});

describe('meanBytes and mostBytes', () => {
  it.each<[string, Values, number, number]>([
    ['fixed', { kind: 'fixed', bytes: 700 }, 700, 700],
    ['between', { kind: 'between', fromBytes: 100, toBytes: 301 }, 200.5, 301],
    ['lognormal', { kind: 'lognormal', medianBytes: 300, sigma: 1, mostBytes: 100_000 }, 300 * Math.exp(0.5), 100_000],
    [
      'mixed',
      {
        kind: 'mixed',
        parts: [
          { bytes: 100, share: 0.9 },
          { bytes: 10_000, share: 0.1 },
          { bytes: 50_000, share: 0 },
        ],
      },
      1_090,
      10_000,
    ],
  ])('are those of many values that are %s', (_, of, mean, most) => {
    expect(meanBytes(of)).toBeCloseTo(mean, 9);
    expect(mostBytes(of)).toBe(most);
    const sizes = sizesOf(of, 200_000, seeded(1));
    expect(sizes.reduce((sum, size) => sum + size, 0) / sizes.length / mean).toBeCloseTo(1, 1);
    expect(Math.max(...sizes.slice(0, 50_000))).toBeLessThanOrEqual(most);
  });
});
