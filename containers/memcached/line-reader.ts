/**
 * Reads replies that are a line, or a line and the value that it announces, piece by piece as they come. This is what memcached's text and meta protocols
 * share; what a line says is for `text-reader.ts` and `meta-reader.ts`.
 *
 * A reply that lies whole in the bytes at hand is read where it is: nothing is copied and no object is made. Of one that is cut, the line is collected, and then
 * exactly the bytes that it announces: kept in a buffer made once, or only counted. What was found last is told by the fields, until the next call.
 */
import { CR, LF } from './bytes.ts';

/** memcached itself takes no longer line. */
export const LONGEST_LINE = 2_048;

/** What a reply is. The words of meta that mean the same as one of text share its number. */
export const PENDING = 0;
/** VALUE, VA */
export const VALUE = 1;
/** END, EN */
export const END = 2;
/** STORED, DELETED, TOUCHED, OK, RESET, HD */
export const STORED = 3;
export const DELETED = 4;
export const TOUCHED = 5;
export const OK = 6;
export const HEAD = 7;
/** NOT_STORED, NS */
export const NOT_STORED = 8;
/** EXISTS, EX */
export const EXISTS = 9;
/** NOT_FOUND, NF */
export const NOT_FOUND = 10;
/** What incr and decr answer with. */
export const NUMBER = 11;
export const VERSION = 12;
export const STAT = 13;
/** MN */
export const NOTHING_DONE = 14;
/** ERROR, CLIENT_ERROR, SERVER_ERROR */
export const FAILED = 15;
/** No reply of this protocol; the connection is of no further use. */
export const GARBLED = 16;
export const STATUSES = 17;

const NOTHING = Buffer.alloc(0);

export abstract class LineReader {
  status = PENDING;
  /** Where the line lies, without its end, and the ranges that were found in it. */
  source: Buffer = NOTHING;
  lineFrom = 0;
  lineTo = 0;
  keyFrom = 0;
  keyTo = 0;
  casFrom = 0;
  casTo = 0;
  flags = 0;
  valueBytes = 0;
  /** Where the value lies, from `valueFrom` on; empty when it came in pieces and these are not kept. */
  valueSource: Buffer = NOTHING;
  valueFrom = 0;

  readonly #longestValue: number;
  readonly #keepsValues: boolean;
  #line: Buffer = NOTHING;
  #kept = 0;
  /** Bytes of a value that was cut, and of the end of its line, that have not come yet. */
  #left = 0;

  /** A line that announces a value of more than `longestValue` bytes is taken for garbage. */
  constructor(longestValue: number, keepsValues: boolean) {
    this.#longestValue = longestValue;
    this.#keepsValues = keepsValues;
  }

  /**
   * Reads on in `bytes`, from `at` to `end`. Returns where it stopped: behind a reply, and `status` says which, or at `end` with `PENDING`, because more must come.
   */
  read(bytes: Buffer, at: number, end: number): number {
    if (this.#left > 0) return this.#readValue(bytes, at, end);
    if (this.#kept > 0) return this.#readLine(bytes, at, end);
    const skipped = this.skip(bytes, at, end);
    let lf = skipped;
    while (lf < end && bytes[lf] !== LF) lf++;
    if (lf === end) return this.#keepLine(bytes, at, end);
    this.#parse(bytes, at, lf, skipped);
    if (this.status !== VALUE) return lf + 1;
    const from = lf + 1;
    const to = from + this.valueBytes;
    if (to + 2 > end) {
      // The line moves to a place of its own, since the bytes are only lent and its ranges are looked at when the value is complete.
      this.#keepLine(bytes, at, from);
      this.#parse(this.#line, 0, lf - at, skipped - at);
      return this.#awaitValue(bytes, from, end);
    }
    this.valueSource = bytes;
    this.valueFrom = from;
    if (bytes[to] !== CR || bytes[to + 1] !== LF) this.status = GARBLED;
    return to + 2;
  }

  /** How far the line that begins at `at` is known beforehand: the search for its end begins there. At least `at`, at most `end`. */
  protected skip(_bytes: Buffer, at: number, _end: number): number {
    return at;
  }

  /** Says what the line from `from` to `to`, without its end, is: sets `status` and what belongs to it. `skipped` is what `skip` gave for it. */
  protected abstract readWords(bytes: Buffer, from: number, to: number, skipped: number): void;

  #parse(bytes: Buffer, from: number, lf: number, skipped: number): void {
    this.source = bytes;
    this.lineFrom = from;
    this.lineTo = lf - 1;
    this.status = GARBLED;
    if (lf > from && lf - from < LONGEST_LINE && bytes[lf - 1] === CR) this.readWords(bytes, from, lf - 1, skipped);
    if (this.status === VALUE && !(this.valueBytes <= this.#longestValue)) this.status = GARBLED;
  }

  /** Adds to the line, or gives it up when it has become too long to be one. */
  #keepLine(bytes: Buffer, from: number, to: number): number {
    this.status = PENDING;
    if (this.#kept + to - from > LONGEST_LINE) {
      this.#kept = 0;
      this.status = GARBLED;
      return to;
    }
    if (this.#line.length === 0) this.#line = Buffer.allocUnsafeSlow(LONGEST_LINE);
    bytes.copy(this.#line, this.#kept, from, to);
    this.#kept += to - from;
    return to;
  }

  #readLine(bytes: Buffer, at: number, end: number): number {
    let lf = at;
    while (lf < end && bytes[lf] !== LF) lf++;
    const to = lf < end ? lf + 1 : end;
    this.#keepLine(bytes, at, to);
    if (lf === end || this.status === GARBLED) return to;
    this.#parse(this.#line, 0, this.#kept - 1, this.skip(this.#line, 0, this.#kept));
    if (this.status === VALUE) return this.#awaitValue(bytes, to, end);
    this.#kept = 0;
    return to;
  }

  #awaitValue(bytes: Buffer, at: number, end: number): number {
    this.#left = this.valueBytes + 2;
    this.valueFrom = 0;
    this.valueSource = this.#keepsValues && this.valueBytes > 0 ? Buffer.allocUnsafe(this.valueBytes) : NOTHING;
    return this.#readValue(bytes, at, end);
  }

  #readValue(bytes: Buffer, at: number, end: number): number {
    this.status = PENDING;
    let here = at;
    if (this.#left > 2) {
      const taken = Math.min(this.#left - 2, end - here);
      if (this.#keepsValues) bytes.copy(this.valueSource, this.valueBytes + 2 - this.#left, here, here + taken);
      this.#left -= taken;
      here += taken;
    }
    for (; this.#left > 0 && here < end && this.#left <= 2; here++) {
      if (bytes[here] !== (this.#left === 2 ? CR : LF)) return this.#complete(GARBLED, here);
      this.#left--;
    }
    return this.#left > 0 ? here : this.#complete(VALUE, here);
  }

  #complete(status: number, at: number): number {
    this.status = status;
    this.#kept = 0;
    this.#left = 0;
    return at;
  }
}
