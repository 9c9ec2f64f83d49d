import fc from 'fast-check';
import { build, type JsHistogram } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { InputError } from '../core/errors.ts';
import { Histogram } from './histogram.ts';

const LONGEST_US = 120_000_000;

/** Mostly short and sometimes very long, as latencies are: the exponent is drawn, then the value. */
const latencyUs = fc.integer({ min: 1, max: 26 }).chain((bits) => fc.integer({ min: 1, max: Math.min(LONGEST_US, 2 ** bits) }));
const latencies = fc.array(latencyUs, { minLength: 1, maxLength: 300 });

/** The edges of buckets and of the range: 2^27 us are 134 s. */
const BEYOND_US = 2 ** 27;
const EDGES_US = [0, 1, 127, 128, 100_000_000, ...Array.from({ length: 27 }, (_, bit) => [2 ** bit - 1, 2 ** bit, 2 ** bit + 1]).flat(), BEYOND_US - 1];
const withEdges = fc.array(fc.oneof(latencyUs, fc.constantFrom(...EDGES_US)), { minLength: 1, maxLength: 300 });
const anyPercent = fc.oneof(fc.constantFrom(0.001, 1, 50, 90, 99, 99.9, 99.99, 100), fc.double({ min: 0.001, max: 100, noNaN: true }));

/** With two significant digits HdrHistogram cuts into the very buckets that we do: what it says must be the same to the last digit. */
function hdrOf(values: readonly number[], digits: 2 | 3 = 2): JsHistogram {
  const histogram = build({ highestTrackableValue: BEYOND_US - 1, numberOfSignificantValueDigits: digits, autoResize: false }) as JsHistogram;
  for (const us of values) histogram.recordValue(us);
  return histogram;
}

function savedOf(histogram: JsHistogram): number[] {
  const saved: number[] = [];
  for (let bucket = 0; bucket < histogram.countsArrayLength; bucket++) {
    const count = histogram.getCountAtIndex(bucket);
    if (count > 0) saved.push(bucket, count);
  }
  return saved;
}

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

  it('counts every value in the same bucket as HdrHistogram with two digits, at all edges', () => {
    for (const us of EDGES_US) expect([us, of([us]).encode()]).toEqual([us, savedOf(hdrOf([us]))]);
    fc.assert(
      fc.property(withEdges, (values) => {
        expect(of(values).encode()).toEqual(savedOf(hdrOf(values)));
      }),
    );
  });

  it('has the percentiles of HdrHistogram: exactly with two digits, to the width of a bucket with three', () => {
    fc.assert(
      fc.property(withEdges, anyPercent, (values, percent) => {
        const ours = of(values);
        const decoded = Histogram.decode(ours.encode());
        const two = hdrOf(values, 2).getValueAtPercentile(percent);
        const three = hdrOf(values, 3).getValueAtPercentile(percent);
        expect([ours.percentile(percent), decoded.percentile(percent)]).toEqual([two, two]);
        // The end of a wider bucket is never before the end of a narrower one for the same value.
        expect(two).toBeGreaterThanOrEqual(three);
        expect(two - three).toBeLessThanOrEqual(three / 128);
        expect(ours.max).toBe(hdrOf(values).getValueAtPercentile(100));
      }),
    );
  });

  it('merges as HdrHistogram adds, recorded or decoded', () => {
    fc.assert(
      fc.property(fc.array(withEdges, { minLength: 1, maxLength: 4 }), anyPercent, (parts, percent) => {
        const sum = hdrOf([]);
        const recorded = new Histogram();
        const decoded = Histogram.decode(of(parts[0] as number[]).encode());
        for (const [index, part] of parts.entries()) {
          sum.add(hdrOf(part));
          recorded.merge(of(part));
          if (index > 0) decoded.merge(Histogram.decode(of(part).encode()));
        }
        for (const merged of [recorded, decoded]) {
          expect(merged.encode()).toEqual(savedOf(sum));
          expect(merged.percentile(percent)).toBe(sum.getValueAtPercentile(percent));
          expect(merged.count).toBe(sum.totalCount);
        }
      }),
    );
  });

  it('is as new after it was cleared, and leaves nothing behind for the next one', () => {
    fc.assert(
      fc.property(withEdges, withEdges, (before, after) => {
        const used = of(before);
        used.percentile(50);
        used.clear();
        expect([used.count, used.max, used.percentile(50), used.encode()]).toEqual([0, 0, Number.NaN, []]);
        for (const us of after) used.record(us);
        expect(used.encode()).toEqual(of(after).encode());
        expect(used.max).toBe(of(after).max);
        const decoded = Histogram.decode(of(before).encode());
        decoded.clear();
        expect([decoded.count, decoded.encode()]).toEqual([0, []]);
      }),
    );
  });

  it('can be added to after it was read, however many values it holds', () => {
    for (const count of [1, 127, 128, 129, 1_000]) {
      const values = Array.from({ length: count }, (_, i) => i * 37);
      const histogram = of(values);
      histogram.encode();
      histogram.percentile(50);
      histogram.record(5);
      histogram.merge(of([9]));
      expect(histogram.encode()).toEqual(of([...values, 5, 9]).encode());
      expect(histogram.count).toBe(count + 2);
    }
  });

  it('keeps few values without an array of counts', () => {
    const many = Array.from({ length: 3_000 }, () => new Histogram());
    const before = process.memoryUsage().arrayBuffers;
    for (const histogram of many) for (let us = 0; us < 33; us++) histogram.record(us * 1_000);
    // 3,000 arrays of 10.5 KiB would be 32 MB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
    expect(many.every((histogram) => histogram.count === 33)).toBe(true);
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
