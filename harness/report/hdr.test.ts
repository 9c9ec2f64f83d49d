import fc from 'fast-check';
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type JsHistogram } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { Histogram, highestIn } from '../timeline/histogram.ts';
import { hdrBase64 } from './hdr.ts';

const EDGES_US = [0, 1, 2, 127, 128, 255, 256, 100_000_000, ...Array.from({ length: 28 }, (_, bit) => [2 ** bit - 1, 2 ** bit, 2 ** bit + 1]).flat(), 1e12];
const latencyUs = fc.integer({ min: 1, max: 27 }).chain((bits) => fc.integer({ min: 0, max: 2 ** bits }));
const values = fc.array(fc.oneof(latencyUs, fc.constantFrom(...EDGES_US)), { minLength: 1, maxLength: 300 });
const percent = fc.oneof(fc.constantFrom(0.01, 50, 90, 99, 99.9, 100), fc.double({ min: 0.01, max: 100, noNaN: true }));

function of(us: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const one of us) histogram.record(one);
  return histogram;
}

/** The same made by the library itself: each value at the end of its bucket, in nanoseconds. */
function byLibrary(histogram: Histogram): JsHistogram {
  const made = build({ highestTrackableValue: 2 ** 37 - 1, numberOfSignificantValueDigits: 3, bitBucketSize: 64, autoResize: false }) as JsHistogram;
  const saved = histogram.encode();
  for (let i = 0; i < saved.length; i += 2) made.recordValueWithCount(highestIn(saved[i] as number) * 1_000, saved[i + 1] as number);
  return made;
}

function countsOf(histogram: JsHistogram): number[] {
  return Array.from({ length: histogram.countsArrayLength }, (_, place) => histogram.getCountAtIndex(place)).flatMap((count, place) =>
    count > 0 ? [place, count] : [],
  );
}

const decoded = (text: string) => decodeFromCompressedBase64(text, 64) as JsHistogram;

describe('the HdrHistogram encoding', () => {
  it('begins as V2 does', () => {
    expect(hdrBase64(of([1, 2, 3]))).toMatch(/^HISTFAAAA[A-Za-z0-9+/]+=*$/);
  });

  it('is read by HdrHistogram as what it would have written itself, at all edges', () => {
    for (const us of EDGES_US) expect([us, countsOf(decoded(hdrBase64(of([us]))))]).toEqual([us, countsOf(byLibrary(of([us])))]);
    fc.assert(
      fc.property(values, (us) => {
        const read = decoded(hdrBase64(of(us)));
        const made = byLibrary(of(us));
        expect(countsOf(read)).toEqual(countsOf(made));
        const rewritten = decoded(encodeIntoCompressedBase64(made));
        expect([read.totalCount, read.maxValue, read.numberOfSignificantValueDigits]).toEqual([rewritten.totalCount, rewritten.maxValue, 3]);
      }),
    );
  });

  it('gives our percentiles in nanoseconds, at most 1/1,024 higher', () => {
    fc.assert(
      fc.property(values, percent, (us, p) => {
        const ours = of(us).percentile(p) * 1_000;
        const theirs = decoded(hdrBase64(of(us))).getValueAtPercentile(p);
        expect(theirs).toBeGreaterThanOrEqual(ours);
        expect(theirs).toBeLessThanOrEqual(ours * (1 + 1 / 1_024));
      }),
    );
  });

  it('keeps counts of every size', () => {
    const counts = [1, 63, 64, 65, 8_191, 8_192, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
    const saved = counts.flatMap((count, i) => [i * 100, count]);
    const read = decoded(hdrBase64(Histogram.decode(saved)));
    expect(countsOf(read).filter((_, i) => i % 2 === 1)).toEqual(counts);
    expect(read.totalCount).toBe(counts.reduce((a, b) => a + b));
  });

  it('can be empty', () => {
    expect(decoded(hdrBase64(new Histogram())).totalCount).toBe(0);
  });
});
