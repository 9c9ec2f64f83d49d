/**
 * How long things took, in buckets: small enough to keep one for every series and window, exact enough to judge by.
 *
 * Buckets are log-linear over whole microseconds: each of 0 to 127 has its own, and every power of two above is cut into 128
 * equal parts, so that a bucket is never wider than 1/128 = 0.78% of what it holds. Twenty powers above 2^7
 * reach 2^27 us = 134 s; what is longer counts in the last bucket. 128 + 20 x 128 = 2,688 buckets of four bytes are 10.5 KiB
 * while recording; what was decoded stays in pairs of (bucket, count), which for the fifty requests of a window is some
 * hundred bytes, and is unpacked only when something is added to it.
 *
 * All that is reported follows from the buckets alone, so that a histogram read back from a file says the same as
 * the one that was written.
 */
import { InputError } from '../core/errors.ts';

/** A histogram as [bucket, count, bucket, count, ...], buckets ascending and only those that hold something. */
export type SavedHistogram = readonly number[];

const PART_BITS = 7;
const PARTS = 1 << PART_BITS;
const HIGHEST_BIT = 26;
const BUCKETS = (HIGHEST_BIT - PART_BITS + 2) * PARTS;
const HIGHEST_US = 2 ** (HIGHEST_BIT + 1) - 1;

/** Which bucket holds this many microseconds. Fractions are cut off; less than zero counts as zero. */
function bucketOf(us: number): number {
  if (!(us >= PARTS)) return us > 0 ? us | 0 : 0;
  if (us >= HIGHEST_US) return BUCKETS - 1;
  const shift = 31 - Math.clz32(us) - PART_BITS;
  // The leading bit of (us >>> shift) is always set: it steps the result on by PARTS, past the exact buckets.
  return (shift << PART_BITS) + (us >>> shift);
}

/** The highest whole microsecond that falls into a bucket. */
function highestIn(bucket: number): number {
  if (bucket < PARTS) return bucket;
  const shift = (bucket >> PART_BITS) - 1;
  return (PARTS + (bucket & (PARTS - 1)) + 1) * 2 ** shift - 1;
}

export class Histogram {
  /** Counts by bucket; absent while nothing was recorded or merged here. */
  #counts: Uint32Array | undefined;
  /** What was decoded, as (bucket, count) pairs in ascending order; absent once it was unpacked into #counts. */
  #packed: Uint32Array | undefined;
  #count = 0;
  /** The outermost buckets that hold something, so that the thousands of empty ones around them are never looked at. */
  #lowest = BUCKETS;
  #highest = 0;

  /** How many values it holds. */
  get count(): number {
    return this.#count;
  }

  /** The highest value, us, to the width of its bucket (rounded up by at most 0.78%); 0 when empty. */
  get max(): number {
    return this.#count === 0 ? 0 : highestIn(this.#highest);
  }

  /** Counts one value, in microseconds. */
  record(us: number): void {
    this.#add(this.#unpacked(), bucketOf(us), 1);
  }

  /** Adds all that the other holds; the other stays as it is. */
  merge(other: Histogram): void {
    if (other.#count === 0) return;
    const counts = this.#unpacked();
    if (other.#packed) {
      const pairs = other.#packed;
      for (let i = 0; i < pairs.length; i += 2) this.#add(counts, pairs[i] as number, pairs[i + 1] as number);
    } else if (other.#counts) {
      // Merging a histogram into itself doubles it: each bucket is read once before it is written.
      for (let bucket = other.#lowest; bucket <= other.#highest; bucket++) {
        const count = other.#counts[bucket] as number;
        if (count > 0) this.#add(counts, bucket, count);
      }
    }
  }

  /**
   * The lowest value, us, that at least `percent` (0 to 100) of all values do not exceed, rounded up to the end of
   * its bucket. NaN when empty: nothing measured is not the same as nothing waited.
   */
  percentile(percent: number): number {
    if (this.#count === 0) return Number.NaN;
    // The small term keeps 99.9% of 1,000 from becoming 1,000 through the representation of 0.999.
    const wanted = Math.min(this.#count, Math.max(1, Math.ceil((percent / 100) * this.#count - 1e-9)));
    let seen = 0;
    if (this.#packed) {
      for (let i = 0; i < this.#packed.length; i += 2) {
        seen += this.#packed[i + 1] as number;
        if (seen >= wanted) return highestIn(this.#packed[i] as number);
      }
    } else if (this.#counts) {
      for (let bucket = this.#lowest; bucket <= this.#highest; bucket++) {
        seen += this.#counts[bucket] as number;
        if (seen >= wanted) return highestIn(bucket);
      }
    }
    return this.max;
  }

  /** The form in which it is written down: bucket, count, bucket, count, ... ascending. */
  encode(): SavedHistogram {
    if (this.#packed) return Array.from(this.#packed);
    const saved: number[] = [];
    if (!this.#counts) return saved;
    for (let bucket = this.#lowest; bucket <= this.#highest; bucket++) {
      const count = this.#counts[bucket] as number;
      if (count > 0) saved.push(bucket, count);
    }
    return saved;
  }

  /** The inverse of `encode`. Throws InputError when it is not of that form. */
  static decode(saved: SavedHistogram): Histogram {
    const histogram = new Histogram();
    if (saved.length === 0) return histogram;
    if (saved.length % 2 !== 0) throw new InputError(`histogram: ${saved.length} numbers are not pairs of bucket and count`);
    let before = -1;
    for (let i = 0; i < saved.length; i += 2) {
      const bucket = saved[i] as number;
      const count = saved[i + 1] as number;
      if (!(Number.isInteger(bucket) && bucket > before && bucket < BUCKETS)) {
        throw new InputError(`histogram: bucket ${bucket} after ${before}; buckets are whole, ascending and below ${BUCKETS}`);
      }
      if (!(Number.isInteger(count) && count > 0 && count < 2 ** 32)) {
        throw new InputError(`histogram: count ${count} in bucket ${bucket}; counts are whole, above zero and below 2^32`);
      }
      histogram.#count += count;
      before = bucket;
    }
    histogram.#lowest = saved[0] as number;
    histogram.#highest = before;
    histogram.#packed = Uint32Array.from(saved);
    return histogram;
  }

  #add(counts: Uint32Array, bucket: number, count: number): void {
    counts[bucket] = (counts[bucket] as number) + count;
    this.#count += count;
    if (bucket > this.#highest) this.#highest = bucket;
    if (bucket < this.#lowest) this.#lowest = bucket;
  }

  #unpacked(): Uint32Array {
    if (this.#counts) return this.#counts;
    const counts = new Uint32Array(BUCKETS);
    const pairs = this.#packed ?? new Uint32Array(0);
    for (let i = 0; i < pairs.length; i += 2) counts[pairs[i] as number] = pairs[i + 1] as number;
    this.#packed = undefined;
    this.#counts = counts;
    return counts;
  }
}
