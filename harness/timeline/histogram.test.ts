import fc from 'fast-check';
import { build } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { InputError } from '../core/errors.ts';
import { Histogram } from './histogram.ts';

const LONGEST_US = 120_000_000;

/** Mostly short and sometimes very long, as latencies are: the exponent is drawn, then the value. */
const latencyUs = fc.integer({ min: 1, max: 26 }).chain((bits) => fc.integer({ min: 1, max: Math.min(LONGEST_US, 2 ** bits) }));
const latencies = fc.array(latencyUs, { minLength: 1, maxLength: 300 });

function of(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const us of values) histogram.record(us);
  return histogram;
}

describe('Histogram', () => {
  it('reports any single value from 1 us to 120 s at most 1% too high and never too low', () => {
    fc.assert(
      fc.property(latencyUs, (us) => {
        const reported = of([us]).percentile(50);
        expect(reported).toBeGreaterThanOrEqual(us);
        expect(reported).toBeLessThanOrEqual(us * 1.01);
      }),
    );
    expect(of([LONGEST_US]).max).toBeLessThanOrEqual(LONGEST_US * 1.01);
    expect(of([LONGEST_US]).max).toBeGreaterThanOrEqual(LONGEST_US);
  });

  it('agrees with HdrHistogram within 1% on every percentile and on the maximum', () => {
    fc.assert(
      fc.property(latencies, fc.constantFrom(0, 1, 25, 50, 75, 90, 99, 99.9, 100), (values, percent) => {
        const oracle = build({ highestTrackableValue: 2 * LONGEST_US, numberOfSignificantValueDigits: 4 });
        for (const us of values) oracle.recordValue(us);
        const ours = of(values);
        const expected = oracle.getValueAtPercentile(percent);
        expect(Math.abs(ours.percentile(percent) - expected)).toBeLessThanOrEqual(expected * 0.01);
        expect(Math.abs(ours.max - oracle.maxValue)).toBeLessThanOrEqual(oracle.maxValue * 0.01);
        expect(ours.count).toBe(oracle.totalCount);
      }),
    );
  });

  it('is the same whether recorded whole or merged from parts, packed or not', () => {
    fc.assert(
      fc.property(fc.array(latencies, { maxLength: 5 }), (parts) => {
        const live = new Histogram();
        const fromSaved = new Histogram();
        for (const part of parts) {
          live.merge(of(part));
          fromSaved.merge(Histogram.decode(of(part).encode()));
        }
        const whole = of(parts.flat());
        for (const merged of [live, fromSaved]) {
          expect(merged.encode()).toEqual(whole.encode());
          expect(merged.count).toBe(whole.count);
          expect(merged.max).toBe(whole.max);
        }
      }),
    );
  });

  it('says the same after encode and decode, and can be added to afterwards', () => {
    fc.assert(
      fc.property(latencies, latencyUs, (values, another) => {
        const whole = of(values);
        const back = Histogram.decode(JSON.parse(JSON.stringify(whole.encode())));
        for (const percent of [0, 50, 99, 100]) expect(back.percentile(percent)).toBe(whole.percentile(percent));
        expect([back.count, back.max]).toEqual([whole.count, whole.max]);
        back.record(another);
        expect(back.encode()).toEqual(of([...values, another]).encode());
      }),
    );
  });

  it('doubles when merged into itself', () => {
    const histogram = of([10, 2_000, 2_000]);
    histogram.merge(histogram);
    expect(histogram.encode()).toEqual(of([10, 10, 2_000, 2_000, 2_000, 2_000]).encode());
    expect(histogram.count).toBe(6);
  });

  it('counts what is below zero as zero and what is beyond its range in its last bucket', () => {
    expect(of([-5, 0, 0.4]).encode()).toEqual([0, 3]);
    const far = of([200_000_000, 1e12, Number.POSITIVE_INFINITY]);
    expect(far.count).toBe(3);
    expect(far.encode()).toHaveLength(2);
    expect(far.max).toBeGreaterThan(LONGEST_US);
  });

  it('has no percentile when it is empty', () => {
    expect(new Histogram().percentile(99)).toBeNaN();
    expect(new Histogram().encode()).toEqual([]);
    expect(Histogram.decode([]).count).toBe(0);
  });

  it('takes the 999th of a thousand as the 99.9th percentile', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => (i < 999 ? 50 : 5_000));
    expect(of(values).percentile(99.9)).toBe(50);
  });

  it.each([
    ['an odd number of numbers', [1, 2, 3], 'pairs of bucket and count'],
    ['buckets out of order', [5, 1, 4, 1], 'ascending'],
    ['a bucket beyond its range', [99_999, 1], 'below 2688'],
    ['a count of zero', [5, 0], 'above zero'],
    ['what is no number', ['5', 1], 'whole'],
  ])('refuses to decode %s', (_, saved, words) => {
    expect(() => Histogram.decode(saved as number[])).toThrow(InputError);
    expect(() => Histogram.decode(saved as number[])).toThrow(words);
  });
});
