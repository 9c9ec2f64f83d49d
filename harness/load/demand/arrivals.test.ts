import { describe, expect, it } from 'vitest';
import { seeded } from '../../core/random.ts';
import { type Arrivals, describe as describeArrivals, endOf, hitsOf, mostPerMinute, peakPerSecond, type Segment } from './arrivals.ts';
import { pacerOf } from './pacer.ts';

const even = (...segments: Segment[]): Arrivals => ({ kind: 'segments', spacing: 'even', segments });
const poisson = (...segments: Segment[]): Arrivals => ({ kind: 'segments', spacing: 'poisson', segments });
const replay = (...dueMs: number[]): Arrivals => ({ kind: 'replay', dueMs });

describe('hitsOf', () => {
  it('counts the hits of even arrivals and of a replay', () => {
    expect(hitsOf(even({ kind: 'hold', ratePerSecond: 2_000 }), 10_000)).toBe(20_000);
    expect(hitsOf(even({ kind: 'hold', ratePerSecond: 0.3 }), 10_000)).toBe(3);
    // At 0 and at 3.3 s.
    expect(hitsOf(even({ kind: 'hold', ratePerSecond: 0.3 }), 4_000)).toBe(2);
    expect(hitsOf(even({ kind: 'ramp', fromPerSecond: 0, toPerSecond: 100, forMs: 10_000 }), 5_000)).toBe(125);
    expect(hitsOf(even({ kind: 'burst', hits: 7, everyMs: 1_000 }), 2_001)).toBe(21);
    expect(hitsOf(even({ kind: 'hold', ratePerSecond: 10, forMs: 1_000 }, { kind: 'hold', ratePerSecond: 100, forMs: 1_000 }), 60_000)).toBe(110);
    expect(hitsOf(even({ kind: 'hold', ratePerSecond: 10, forMs: 1_000 }, { kind: 'hold', ratePerSecond: 100 }), 500)).toBe(5);
    expect(hitsOf(even({ kind: 'hold', ratePerSecond: 10 }), 0)).toBe(0);
    expect(hitsOf(replay(0, 1, 1, 5), 5)).toBe(3);
  });

  it('is the mean of poisson arrivals', () => {
    const arrivals = poisson({ kind: 'hold', ratePerSecond: 33.3, forMs: 500 }, { kind: 'ramp', fromPerSecond: 0, toPerSecond: 100 });
    // 16.65 hits and a triangle of half a second and 100/s.
    expect(hitsOf(arrivals, 1_000)).toBeCloseTo(16.65 + 25, 9);
    const seeds = 2_000;
    let hits = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const pacer = pacerOf(arrivals, 1_000, seeded(seed));
      for (let n = 0; pacer(n) !== undefined; n++) hits++;
    }
    // Three standard deviations of a mean of 2,000.
    expect(Math.abs(hits / seeds - 41.65)).toBeLessThan(3 * Math.sqrt(41.65 / seeds));
  });
});

describe('peakPerSecond', () => {
  it('is the highest rate of any segment', () => {
    expect(peakPerSecond(even({ kind: 'hold', ratePerSecond: 300 }))).toBe(300);
    expect(
      peakPerSecond(even({ kind: 'ramp', fromPerSecond: 100, toPerSecond: 900, forMs: 10 }, { kind: 'ramp', fromPerSecond: 900, toPerSecond: 200, forMs: 10 })),
    ).toBe(900);
    expect(peakPerSecond(even({ kind: 'hold', ratePerSecond: 300, forMs: 5 }, { kind: 'burst', hits: 500, everyMs: 5_000 }))).toBe(500);
  });

  it('counts the bursts that fall into one second', () => {
    expect(peakPerSecond(even({ kind: 'burst', hits: 10, everyMs: 100 }))).toBe(100);
    expect(peakPerSecond(even({ kind: 'burst', hits: 10, everyMs: 300 }))).toBe(40);
    expect(peakPerSecond(even({ kind: 'burst', hits: 10, everyMs: 300, forMs: 301 }))).toBe(20);
    expect(peakPerSecond(even({ kind: 'burst', hits: 10, everyMs: 1_000 }))).toBe(10);
  });

  it('finds the fullest second of a recording', () => {
    expect(peakPerSecond(replay(0, 500, 999, 1_000, 1_400, 1_499, 3_000))).toBe(5);
    expect(peakPerSecond(replay(0, 1_000, 2_000))).toBe(1);
  });
});

describe('endOf', () => {
  it('is where a schedule is over by itself', () => {
    expect(endOf(even({ kind: 'hold', ratePerSecond: 1 }))).toBeUndefined();
    expect(endOf(even({ kind: 'hold', ratePerSecond: 1, forMs: 500 }, { kind: 'burst', hits: 1, everyMs: 10 }))).toBeUndefined();
    expect(endOf(even({ kind: 'hold', ratePerSecond: 1, forMs: 500 }, { kind: 'ramp', fromPerSecond: 1, toPerSecond: 2, forMs: 250 }))).toBe(750);
    expect(endOf(replay(0, 30, 90))).toBe(90);
  });
});

describe('mostPerMinute', () => {
  it('is the fullest minute, wherever it lies', () => {
    expect(mostPerMinute(even({ kind: 'hold', ratePerSecond: 300 }))).toBe(18_000);
    expect(mostPerMinute(even({ kind: 'hold', ratePerSecond: 300, forMs: 5_000 }))).toBe(1_500);
    expect(mostPerMinute(even({ kind: 'burst', hits: 500, everyMs: 10_000 }))).toBe(3_000);
    // 10 s at 1,000/s between quiet times: 10,000 and 50 s at 10/s.
    const peak: Segment[] = [
      { kind: 'hold', ratePerSecond: 10, forMs: 500_000 },
      { kind: 'hold', ratePerSecond: 1_000, forMs: 10_000 },
      { kind: 'hold', ratePerSecond: 10 },
    ];
    expect(mostPerMinute(even(...peak))).toBe(10_500);
    expect(mostPerMinute(poisson(...peak))).toBe(10_500);
    // Up to 1,200/s in two minutes and down again: the minute around the top, half of which is each side's last 30 s, with 900 to 1,200/s.
    const up: Segment = { kind: 'ramp', fromPerSecond: 0, toPerSecond: 1_200, forMs: 120_000 };
    expect(mostPerMinute(even(up, { kind: 'ramp', fromPerSecond: 1_200, toPerSecond: 0, forMs: 120_000 }))).toBeCloseTo(60 * 1_050, 0);
    // The last minute of the way up, 600 to 1,200/s, is fuller than any that reaches behind it.
    expect(mostPerMinute(even(up, { kind: 'hold', ratePerSecond: 500, forMs: 1_000 }))).toBe(54_000);
    expect(mostPerMinute(even({ kind: 'ramp', fromPerSecond: 10, toPerSecond: 20 }))).toBe(1_200);
  });

  it('is the fullest minute of a recording', () => {
    expect(mostPerMinute(replay(0, 1, 59_999, 60_000, 60_001, 200_000))).toBe(3);
    expect(mostPerMinute(replay(0, 60_000, 60_000, 119_999, 119_999))).toBe(4);
  });
});

describe('the words for a title', () => {
  it.each<[string, Arrivals]>([
    ['2000/s', even({ kind: 'hold', ratePerSecond: 2_000 })],
    ['poisson 2000/s', poisson({ kind: 'hold', ratePerSecond: 2_000 })],
    [
      '1000/s to 5000/s over 10 s, then 5000/s',
      even({ kind: 'ramp', fromPerSecond: 1_000, toPerSecond: 5_000, forMs: 10_000 }, { kind: 'hold', ratePerSecond: 5_000 }),
    ],
    [
      '10/s for 1.5 s, then 10/s to 20/s until the end',
      even({ kind: 'hold', ratePerSecond: 10, forMs: 1_500 }, { kind: 'ramp', fromPerSecond: 10, toPerSecond: 20 }),
    ],
    ['bursts of 500 each 1 s', even({ kind: 'burst', hits: 500, everyMs: 1_000 })],
    ['bursts of 500 each 1 s for 5 s', even({ kind: 'burst', hits: 500, everyMs: 1_000, forMs: 5_000 })],
    [
      '1/s for 1 s, then 2/s for 1 s, then 3/s for 1 s, then 2 more',
      even(...[1, 2, 3, 4, 5].map((ratePerSecond) => ({ kind: 'hold' as const, ratePerSecond, forMs: 1_000 }))),
    ],
    ['replay of 12,034 requests', replay(...Array.from({ length: 12_034 }, () => 0))],
    ['replay of 1 request', replay(0)],
  ])('are: %s', (words, arrivals) => {
    expect(describeArrivals(arrivals)).toBe(words);
  });
});
