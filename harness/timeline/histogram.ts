/**
 * How long things took, in buckets: small enough to keep one for every series and window, exact enough to judge by.
 *
 * Buckets are log-linear over whole microseconds: each of 0 to 127 has its own, and every power of two above is cut into 128
 * equal parts, so that a bucket is never wider than 1/128 = 0.78% of what it holds. Twenty powers above 2^7
 * reach 2^27 us = 134 s; what is longer counts in the last bucket. HdrHistogram with two significant digits cuts the same way.
 *
 * 128 + 20 x 128 = 2,688 counts of four bytes are 10.5 KiB, and a load of 3,000 series would fill 30 MB with them in every window. So a
 * histogram keeps its first values as they come, eight bytes each, and takes an array of counts when it has 128 of them (1 KiB) or is asked for
 * more than its count and maximum. `clear` puts the array aside for the next histogram that needs one. What was decoded stays in pairs of (bucket, count) and
 * is unpacked only when something is added to it.
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
export function bucketOf(us: number): number {
  if (!(us >= PARTS)) return us > 0 ? us | 0 : 0;
  if (us >= HIGHEST_US) return BUCKETS - 1;
  const shift = 31 - Math.clz32(us) - PART_BITS;
  // The leading bit of (us >>> shift) is always set: it steps the result on by PARTS, past the exact buckets.
  return (shift << PART_BITS) + (us >>> shift);
}

/** The highest whole microsecond that falls into a bucket. */
export function highestIn(bucket: number): number {
  if (bucket < PARTS) return bucket;
  const shift = (bucket >> PART_BITS) - 1;
  return (PARTS + (bucket & (PARTS - 1)) + 1) * 2 ** shift - 1;
}

/** So many values are kept as they come before they are counted. */
const FEW = 128;

/** Arrays of counts that nobody uses, all zero; 1,024 of them hold 10.5 MiB. */
const spare: Uint32Array[] = [];
const MOST_SPARE = 1_024;

export class Histogram {
  /** Counts by bucket; absent while the values are in #few or #pairs. */
  #counts: Uint32Array | undefined;
  /** What was decoded, as (bucket, count) pairs in ascending order; absent once it was unpacked into #counts. */
  #pairs: Uint32Array | undefined;
  /** The buckets of the first values as they came: as many as #count, while there are neither counts nor pairs. Never shortened, so that it is allocated once. */
  #few: number[] | undefined;
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
    this.recordBucket(bucketOf(us));
  }

  /** Counts one value by its bucket. A bucket is a small integer, which a call hands over without making an object of it, as it may of a fraction. */
  recordBucket(bucket: number): void {
    if (this.#counts === undefined && this.#pairs === undefined && this.#count < FEW) {
      this.#few ??= [];
      this.#few[this.#count] = bucket;
    } else {
      const counts = this.#counts ?? this.#counted();
      counts[bucket] = (counts[bucket] as number) + 1;
    }
    this.#count++;
    if (bucket > this.#highest) this.#highest = bucket;
    if (bucket < this.#lowest) this.#lowest = bucket;
  }

  /** Adds all that the other holds; the other stays as it is. */
  merge(other: Histogram): void {
    if (other.#count === 0) return;
    const counts = this.#counted();
    // From here on a histogram that is merged into itself is counted; each bucket is read once before it is written.
    if (other.#counts) addCounts(counts, other.#counts, other.#lowest, other.#highest);
    else if (other.#pairs) addPairs(counts, other.#pairs);
    else if (other.#few) addFew(counts, other.#few, other.#count);
    this.#count += other.#count;
    if (other.#highest > this.#highest) this.#highest = other.#highest;
    if (other.#lowest < this.#lowest) this.#lowest = other.#lowest;
  }

  /** Empties it, to be used again; costs as much as the range that was touched. */
  clear(): void {
    if (this.#counts) {
      this.#counts.fill(0, this.#lowest, this.#highest + 1);
      if (spare.length < MOST_SPARE) spare.push(this.#counts);
    }
    this.#counts = undefined;
    this.#pairs = undefined;
    this.#count = 0;
    this.#lowest = BUCKETS;
    this.#highest = 0;
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
    if (this.#pairs) {
      for (let i = 0; i < this.#pairs.length; i += 2) {
        seen += this.#pairs[i + 1] as number;
        if (seen >= wanted) return highestIn(this.#pairs[i] as number);
      }
    } else {
      const counts = this.#counted();
      for (let bucket = this.#lowest; bucket <= this.#highest; bucket++) {
        seen += counts[bucket] as number;
        if (seen >= wanted) return highestIn(bucket);
      }
    }
    return this.max;
  }

  /** The form in which it is written down: bucket, count, bucket, count, ... ascending. */
  encode(): SavedHistogram {
    if (this.#pairs) return Array.from(this.#pairs);
    if (this.#count === 0) return [];
    const counts = this.#counted();
    // Counted first, so that the list is allocated once: one that grows leaves twice as much behind.
    let filled = 0;
    for (let bucket = this.#lowest; bucket <= this.#highest; bucket++) if (counts[bucket] !== 0) filled++;
    // oxlint-disable-next-line unicorn/no-new-array -- `Array.from` calls a function for each of up to some thousand numbers, and setting `length` makes a hash table.
    const saved = new Array<number>(2 * filled);
    for (let bucket = this.#lowest, i = 0; bucket <= this.#highest; bucket++) {
      const count = counts[bucket] as number;
      if (count === 0) continue;
      saved[i++] = bucket;
      saved[i++] = count;
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
    histogram.#pairs = Uint32Array.from(saved);
    return histogram;
  }

  /** The counts by bucket, made of what is there. */
  #counted(): Uint32Array {
    if (this.#counts) return this.#counts;
    const counts = spare.pop() ?? new Uint32Array(BUCKETS);
    if (this.#pairs) addPairs(counts, this.#pairs);
    else if (this.#few) addFew(counts, this.#few, this.#count);
    this.#pairs = undefined;
    this.#counts = counts;
    return counts;
  }
}

function addCounts(to: Uint32Array, from: Uint32Array, lowest: number, highest: number): void {
  for (let bucket = lowest; bucket <= highest; bucket++) to[bucket] = (to[bucket] as number) + (from[bucket] as number);
}

function addPairs(to: Uint32Array, pairs: Uint32Array): void {
  for (let i = 0; i < pairs.length; i += 2) to[pairs[i] as number] = (to[pairs[i] as number] as number) + (pairs[i + 1] as number);
}

function addFew(to: Uint32Array, few: readonly number[], count: number): void {
  for (let i = 0; i < count; i++) to[few[i] as number] = (to[few[i] as number] as number) + 1;
}
