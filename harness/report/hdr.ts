/**
 * A histogram in the form in which HdrHistogram's tools exchange theirs: the V2 encoding, deflated, as base64 ("HISTFAAAA...").
 *
 * Values are nanoseconds, because the tools divide by a million to show milliseconds. Each of our buckets goes to its highest microsecond, the
 * one that our own percentiles name. HdrHistogram with three significant digits keeps that to 1/1,024, so percentiles come back at
 * most 0.1% higher than ours. Our buckets lie at least 1/256 apart, so no two of them fall together.
 *
 * Written by hand and not by a library, because we have pairs of (bucket, count): a library would fill and scan an array of 28,672 counts
 * for each of the thousands of intervals of a run, nearly all of them zero.
 */
import { deflateSync } from 'node:zlib';
import { type Histogram, highestIn } from '../timeline/histogram.ts';

const NS_PER_US = 1_000;
const SIGNIFICANT_DIGITS = 3;
/** For three digits, every whole value below 2,048 has a place of its own, and every power of two above has 1,024. */
const PARTS_BITS = 10;
const PARTS = 1 << PARTS_BITS;
/** 2^37 ns are 137 s; a histogram of ours ends at 2^27 us = 134 s. The same for all, so that any two can be added. */
const HIGHEST_NS = 2 ** 37 - 1;

/** The last half byte but one says that counts are of variable length. */
const V2_COOKIE = 0x1c849313;
const V2_COMPRESSED_COOKIE = 0x1c849314;
const HEAD_BYTES = 40;
const COMPRESSED_HEAD_BYTES = 8;

/** Values of `histogram`, us, as nanoseconds. */
export function hdrBase64(histogram: Histogram): string {
  const payload = Buffer.from(payloadOf(histogram));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeInt32BE(V2_COOKIE, 0);
  head.writeInt32BE(payload.length, 4);
  // Bytes 8 to 11 stay zero: the offset of counts that were shifted.
  head.writeInt32BE(SIGNIFICANT_DIGITS, 12);
  head.writeBigInt64BE(1n, 16);
  head.writeBigInt64BE(BigInt(HIGHEST_NS), 24);
  // What one unit of a value stands for in histograms of fractions: in ours, one.
  head.writeDoubleBE(1, 32);
  const deflated = deflateSync(Buffer.concat([head, payload]));
  const outerHead = Buffer.alloc(COMPRESSED_HEAD_BYTES);
  outerHead.writeInt32BE(V2_COMPRESSED_COOKIE, 0);
  outerHead.writeInt32BE(deflated.length, 4);
  return Buffer.concat([outerHead, deflated]).toString('base64');
}

/** The counts by place, ascending; a run of places without any is one negative number. */
function payloadOf(histogram: Histogram): number[] {
  const bytes: number[] = [];
  const saved = histogram.encode();
  let next = 0;
  for (let i = 0; i < saved.length; i += 2) {
    const place = placeOf(highestIn(saved[i] as number) * NS_PER_US);
    if (place - next === 1) writeVariable(bytes, 0);
    else if (place > next) writeVariable(bytes, next - place);
    writeVariable(bytes, saved[i + 1] as number);
    next = place + 1;
  }
  return bytes;
}

function placeOf(ns: number): number {
  if (ns < 2 * PARTS) return ns;
  const shift = Math.floor(Math.log2(ns)) - PARTS_BITS;
  return shift * PARTS + Math.floor(ns / 2 ** shift);
}

/** ZigZag (so that small negative numbers are short, too), then seven bits to a byte, the lowest first. Numbers beyond 2^32 are whole in a double. */
function writeVariable(bytes: number[], value: number): void {
  let rest = value >= 0 ? 2 * value : -2 * value - 1;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}
