import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Random, seeded } from '../../core/random.ts';
import { type Arrivals, hitsOf, type Segment } from './arrivals.ts';
import { constantRate, type Pacer, pacerOf, partOf } from './pacer.ts';

const even = (...segments: Segment[]): Arrivals => ({ kind: 'segments', spacing: 'even', segments });
const poisson = (...segments: Segment[]): Arrivals => ({ kind: 'segments', spacing: 'poisson', segments });
const hold = (ratePerSecond: number, forMs?: number): Segment => ({ kind: 'hold', ratePerSecond, ...(forMs === undefined ? {} : { forMs }) });
const ramp = (fromPerSecond: number, toPerSecond: number, forMs?: number): Segment => ({
  kind: 'ramp',
  fromPerSecond,
  toPerSecond,
  ...(forMs === undefined ? {} : { forMs }),
});
const burst = (hits: number, everyMs: number, forMs?: number): Segment => ({ kind: 'burst', hits, everyMs, ...(forMs === undefined ? {} : { forMs }) });

function allOf(pacer: Pacer): number[] {
  const list: number[] = [];
  for (let due = pacer(0); due !== undefined; due = pacer(list.length)) list.push(due);
  return list;
}
const timesOf = (arrivals: Arrivals, forMs: number, seed = 1) => allOf(pacerOf(arrivals, forMs, seeded(seed)));

/** What is asked of the schedule in each millisecond, added up: exact for whole milliseconds, since the rate runs in a line within each. */
function perMillisecond(segments: readonly Segment[], forMs: number): number[] {
  const asked: number[] = [];
  for (const segment of segments) {
    const lengthMs = segment.forMs ?? forMs - asked.length;
    for (let ms = 0; ms < lengthMs; ms++) {
      if (segment.kind === 'burst') asked.push(ms % segment.everyMs === 0 ? segment.hits : 0);
      else if (segment.kind === 'hold') asked.push(segment.ratePerSecond / 1_000);
      else asked.push((segment.fromPerSecond + ((segment.toPerSecond - segment.fromPerSecond) * (ms + 0.5)) / lengthMs) / 1_000);
    }
  }
  return asked;
}

const rates = fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.double({ min: 0.1, max: 5_000, noNaN: true }));
const lengths = fc.integer({ min: 1, max: 700 });
const segment: fc.Arbitrary<Segment> = fc.oneof(
  fc.record({ kind: fc.constant('hold' as const), ratePerSecond: rates, forMs: lengths }),
  fc.record({ kind: fc.constant('ramp' as const), fromPerSecond: rates, toPerSecond: rates, forMs: lengths }),
  fc.record({ kind: fc.constant('burst' as const), hits: fc.integer({ min: 1, max: 50 }), everyMs: fc.integer({ min: 1, max: 300 }), forMs: lengths }),
);
/** Segments of which the last may be without end, and how long the load is. */
const schedules = fc
  .record({ list: fc.array(segment, { minLength: 1, maxLength: 6 }), isEndless: fc.boolean(), forMs: fc.integer({ min: 1, max: 3_000 }) })
  .map(({ list, isEndless, forMs }) => {
    const { forMs: _, ...last } = list.at(-1) as Segment;
    return { forMs, segments: isEndless ? [...list.slice(0, -1), last as Segment] : list };
  });

describe('constantRate', () => {
  it('offers rate x time requests, the first at zero and the last before the end', () => {
    const pacer = constantRate(2_000, 10_000);
    expect(pacer(0)).toBe(0);
    expect(pacer(1)).toBe(0.5);
    expect(pacer(19_999)).toBe(9_999.5);
    expect(pacer(20_000)).toBeUndefined();
  });

  it('does not drift, however odd the rate and late the hit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 3_600 }), (rate, seconds) => {
        expect(constantRate(rate, Number.POSITIVE_INFINITY)(rate * seconds)).toBe(seconds * 1_000);
      }),
    );
  });

  it('has nothing due in no time', () => {
    expect(constantRate(1, 0)(0)).toBeUndefined();
  });
});

describe('even arrivals', () => {
  it('has in any window what the integral of the rate says, to within one, and never falls', () => {
    fc.assert(
      fc.property(schedules, fc.nat(3_000), fc.nat(3_000), ({ segments, forMs }, one, other) => {
        const due = timesOf(even(...segments), forMs);
        const asked = perMillisecond(segments, forMs);
        const [from, to] = [Math.min(one, other, forMs), Math.min(Math.max(one, other), forMs)];
        const within = due.filter((ms) => ms >= from && ms < to).length;
        const integral = asked.slice(from, to).reduce((sum, hits) => sum + hits, 0);
        // A hit that lies on the edge of a window may be rounded out of it.
        expect(Math.abs(within - integral)).toBeLessThan(1 + 1e-3);
        expect(due.every((ms, n) => ms < forMs && (n === 0 || ms >= (due[n - 1] as number)))).toBe(true);
        expect(due.length).toBe(hitsOf(even(...segments), forMs));
      }),
      { numRuns: 500 },
    );
  });

  it('answers the same in any order', () => {
    fc.assert(
      fc.property(schedules, fc.array(fc.nat(5_000), { maxLength: 50 }), ({ segments, forMs }, hits) => {
        const due = timesOf(even(...segments), forMs);
        const pacer = pacerOf(even(...segments), forMs, seeded(1));
        for (const hit of hits) expect(pacer(hit)).toBe(due[hit]);
      }),
    );
  });

  it('solves a ramp for each hit: what the rate adds up to by then is its number', () => {
    const due = timesOf(even(ramp(1_000, 5_000, 10_000)), 60_000);
    expect(due).toHaveLength(30_000);
    // 1000/s and 400/s more each second: t seconds hold 1000 t + 200 t^2 hits.
    due.forEach((ms, n) => {
      const t = ms / 1_000;
      expect(Math.abs(1_000 * t + 200 * t * t - n)).toBeLessThan(1e-6);
    });
    // 5 s: 5,000 + 5,000 hits.
    expect(due[10_000]).toBe(5_000);
  });

  it('ramps up from nothing and down to nothing', () => {
    // A triangle of 10 s and 1000/s has 5,000 hits; its k-th from the foot is sqrt(k / 5000) of the way.
    const up = timesOf(even(ramp(0, 1_000, 10_000)), 60_000);
    expect(up).toHaveLength(5_000);
    expect(up[0]).toBe(0);
    expect(up[50]).toBeCloseTo(1_000, 6);
    const down = timesOf(even(ramp(1_000, 0, 10_000)), 60_000);
    expect(down).toHaveLength(5_000);
    expect(down[4_950]).toBeCloseTo(9_000, 6);
  });

  it('takes all of the load for a ramp without an end of its own', () => {
    expect(timesOf(even(hold(100, 5_000), ramp(100, 300)), 15_000)).toHaveLength(500 + 2_000);
    expect(pacerOf(even(ramp(100, 300)), Number.POSITIVE_INFINITY, seeded(1))(100)).toBe(1_000);
  });

  it('lets a whole burst fall due at one moment, as often as it fits', () => {
    expect(timesOf(even(burst(3, 100, 250)), 60_000)).toEqual([0, 0, 0, 100, 100, 100, 200, 200, 200]);
    expect(timesOf(even(burst(2, 100)), 201)).toEqual([0, 0, 100, 100, 200, 200]);
    expect(timesOf(even(burst(2, 100)), 200)).toEqual([0, 0, 100, 100]);
    // 2.1 / 0.3 is 7.000000000000001 in binary.
    expect(timesOf(even(burst(1, 0.3, 2.1)), 60_000)).toHaveLength(7);
  });

  it('keeps bursts whole behind a rate that does not come out even', () => {
    const due = timesOf(even(hold(3.3, 1_000), burst(500, 1_000, 2_000), hold(10)), 4_000);
    expect(due.slice(0, 4).every((ms) => ms < 1_000)).toBe(true);
    expect(due.filter((ms) => ms === 1_000)).toHaveLength(500);
    expect(due.filter((ms) => ms === 2_000)).toHaveLength(500);
    // 0.7 of a hit are to wait for.
    expect(due[1_004]).toBeCloseTo(3_000 + 70, 6);
  });

  it('begins each step at its first moment, even where the sum of the rates is not a whole number in binary', () => {
    // 1.6 + 2.7 + 1.7 is 6.000000000000001 there.
    expect(timesOf(even(hold(1.6, 1_000), hold(2.7, 1_000), hold(1.7, 1_000), hold(1)), 4_000).at(-1)).toBe(3_000);
  });

  it('has nothing behind its last segment, and pauses where the rate is zero', () => {
    expect(timesOf(even(hold(4, 1_000)), 60_000)).toEqual([0, 250, 500, 750]);
    expect(timesOf(even(hold(2, 1_000), hold(0, 5_000), hold(2)), 7_000)).toEqual([0, 500, 6_000, 6_500]);
  });
});

describe('poisson arrivals', () => {
  it('has independent exponential gaps with the mean that the rate says', () => {
    const ratePerSecond = 2_000;
    const due = timesOf(poisson(hold(ratePerSecond)), 100_000);
    const gaps = due.map((ms, n) => ms - (n === 0 ? 0 : (due[n - 1] as number)));
    // Kolmogorov and Smirnov: 1.63 / sqrt(n) is passed by one fair sequence in a hundred; the seed is fixed.
    expect(distance(gaps, (ms) => 1 - Math.exp((-ms * ratePerSecond) / 1_000))).toBeLessThan(1.63 / Math.sqrt(gaps.length));
    // The correlation of n independent pairs is within 3 / sqrt(n).
    expect(Math.abs(correlation(gaps.slice(1), gaps.slice(0, -1)))).toBeLessThan(3 / Math.sqrt(gaps.length));
  });

  it('has counts whose variance is their mean', () => {
    // 2,000 windows of 50 ms at 2000/s: 100 each. The mean is good to 3 x sqrt(100 / 2000) = 0.67, the variance to 3 x 100 x sqrt(2 / 2000) = 9.5.
    const counts = Array.from({ length: 2_000 }, () => 0);
    for (const ms of timesOf(poisson(hold(2_000)), 100_000)) (counts[Math.floor(ms / 50)] as number)++;
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
    expect(Math.abs(mean - 100)).toBeLessThan(0.67);
    expect(Math.abs(variance - 100)).toBeLessThan(9.5);
  });

  it('follows a rate that changes: laid along its integral, gaps are exponential with mean one', () => {
    const segments = [hold(500, 10_000), ramp(500, 4_500, 20_000), ramp(4_500, 100, 10_000), hold(800)];
    const due = timesOf(poisson(...segments), 60_000);
    const sums = [0];
    for (const hits of perMillisecond(segments, 60_000)) sums.push((sums.at(-1) as number) + hits);
    const reached = due.map((ms) => {
      const [low, high] = [sums[Math.floor(ms)] as number, sums[Math.floor(ms) + 1] as number];
      return low + (high - low) * (ms % 1);
    });
    const gaps = reached.map((hits, n) => hits - (n === 0 ? 0 : (reached[n - 1] as number)));
    expect(distance(gaps, (hits) => 1 - Math.exp(-hits))).toBeLessThan(1.63 / Math.sqrt(gaps.length));
    // 5,000 + 50,000 + 23,000 + 16,000 hits on average, within three standard deviations.
    expect(hitsOf(poisson(...segments), 60_000)).toBeCloseTo(94_000, 6);
    expect(Math.abs(due.length - 94_000)).toBeLessThan(3 * Math.sqrt(94_000));
  });

  it('leaves bursts as they are written', () => {
    const due = timesOf(poisson(hold(100, 1_000), burst(500, 1_000, 2_000), hold(100)), 4_000);
    expect(due.filter((ms) => ms === 1_000)).toHaveLength(500);
    expect(due.filter((ms) => ms === 2_000)).toHaveLength(500);
    expect(due.filter((ms) => ms > 1_000 && ms < 3_000 && ms !== 2_000)).toHaveLength(0);
    expect(new Set(due.filter((ms) => ms > 3_000)).size).toBeGreaterThan(50);
  });

  it('never falls, and ends before the load does', () => {
    fc.assert(
      fc.property(schedules, fc.nat(1_000), ({ segments, forMs }, seed) => {
        const due = timesOf(poisson(...segments), forMs, seed);
        expect(due.every((ms, n) => ms >= 0 && ms < forMs && (n === 0 || ms >= (due[n - 1] as number)))).toBe(true);
      }),
    );
  });

  it('is not led astray by rounding where hits are closest or a ramp ends at nothing', () => {
    const drawing = (first: number, then: number): Random => {
      let drawn = 0;
      const random: Random = { next: () => (drawn++ === 0 ? first : then), below: () => 0, fork: () => random };
      return random;
    };
    // From hit 5.4 of a ramp in steps of 2^-49: the roots of the quadratic step back by their last digit now and then.
    const close = pacerOf(poisson(ramp(1, 3, 3_000)), 3_000, drawing(-Math.expm1(-5.4), 2 ** -49));
    const due = Array.from({ length: 300 }, (_, n) => close(n) as number);
    expect(due.every((ms, n) => n === 0 || ms >= (due[n - 1] as number))).toBe(true);
    // A ramp of 0.9999995 hits counts as one of 1, and so has numbers behind its own last.
    expect(pacerOf(poisson(ramp(2, 0, 999.9995)), 2_000, drawing(-Math.expm1(-0.9999998), 0.5))(0)).toBe(999.9995);
  });

  it('is the same for the same seed, whatever was drawn before, and another for another seed', () => {
    const arrivals = poisson(hold(1_000, 200), ramp(1_000, 2_000));
    const used = seeded(7);
    for (let i = 0; i < 5; i++) used.next();
    expect(allOf(pacerOf(arrivals, 1_000, used))).toEqual(timesOf(arrivals, 1_000, 7));
    expect(timesOf(arrivals, 1_000, 8)).not.toEqual(timesOf(arrivals, 1_000, 7));
  });

  it('tells the last hit again, skips forwards, and refuses to go back', () => {
    const due = timesOf(poisson(hold(1_000)), 1_000);
    const pacer = pacerOf(poisson(hold(1_000)), 1_000, seeded(1));
    expect(pacer(0)).toBe(due[0]);
    expect(pacer(10)).toBe(due[10]);
    expect(pacer(10)).toBe(due[10]);
    expect(() => pacer(9)).toThrow('a poisson schedule is read forwards: hit 9 was asked for after hit 10');
    expect(pacer(due.length)).toBeUndefined();
    expect(pacer(due.length + 1_000_000_000)).toBeUndefined();
  });
});

describe('replay', () => {
  it('has the recorded times that are within the load', () => {
    const arrivals: Arrivals = { kind: 'replay', dueMs: [0, 1.5, 1.5, 20, 30] };
    expect(timesOf(arrivals, 30)).toEqual([0, 1.5, 1.5, 20]);
    expect(timesOf(arrivals, 31)).toEqual([0, 1.5, 1.5, 20, 30]);
    expect(pacerOf(arrivals, 31, seeded(1))(-1)).toBeUndefined();
  });
});

describe('partOf', () => {
  it('deals out a schedule so that all parts together are exactly it', () => {
    fc.assert(
      fc.property(schedules, fc.constantFrom(even, poisson), fc.integer({ min: 1, max: 5 }), fc.nat(100), ({ segments, forMs }, spacing, of, seed) => {
        const whole = timesOf(spacing(...segments), forMs, seed);
        const parts = Array.from({ length: of }, (_, index) => allOf(partOf(pacerOf(spacing(...segments), forMs, seeded(seed)), index, of)));
        expect(parts.reduce((sum, part) => sum + part.length, 0)).toBe(whole.length);
        expect(whole.map((_, n) => parts[n % of]?.[Math.floor(n / of)])).toEqual(whole);
      }),
    );
  });

  it('deals out a recording in turn', () => {
    const pacer = pacerOf({ kind: 'replay', dueMs: [0, 1, 2, 3, 4] }, 60_000, seeded(1));
    expect(allOf(partOf(pacer, 0, 2))).toEqual([0, 2, 4]);
    expect(allOf(partOf(pacer, 1, 2))).toEqual([1, 3]);
  });
});

/** The greatest distance between the distribution of a sample and the one that it should have. */
function distance(sample: readonly number[], distribution: (value: number) => number): number {
  const sorted = Float64Array.from(sample).sort();
  return sorted.reduce((most, value, index) => {
    const expected = distribution(value);
    return Math.max(most, Math.abs(expected - index / sorted.length), Math.abs(expected - (index + 1) / sorted.length));
  }, 0);
}

function correlation(one: readonly number[], other: readonly number[]): number {
  const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [a, b] = [mean(one), mean(other)];
  const sumOf = (f: (index: number) => number) => one.reduce((sum, _, index) => sum + f(index), 0);
  const [da, db] = [(i: number) => (one[i] as number) - a, (i: number) => (other[i] as number) - b];
  return sumOf((i) => da(i) * db(i)) / Math.sqrt(sumOf((i) => da(i) ** 2) * sumOf((i) => db(i) ** 2));
}

describe('poisson arrivals with bursts', () => {
  it('give a burst behind a fraction of a hit no hit more than it has', () => {
    for (const ratePerSecond of [1.1, 1.6, 2.1, 2.6]) {
      const segments = [
        { kind: 'hold', ratePerSecond, forMs: 1_000 },
        { kind: 'burst', hits: 5, everyMs: 1_000, forMs: 3_000 },
      ] as const;
      const pacer = pacerOf({ kind: 'segments', spacing: 'poisson', segments }, 10_000, seeded(3));
      const dues: number[] = [];
      for (let hits = 0, due = pacer(0); due !== undefined; due = pacer(++hits)) dues.push(due);
      expect(dues.filter((due) => due >= 1_000)).toEqual([1_000, 2_000, 3_000].flatMap((at) => Array.from({ length: 5 }, () => at)));
    }
  });
});
