/**
 * Bytes read and written where they lie: for a key or a line of ten to fifty bytes a call into the runtime costs as much as all the rest of a request, and
 * a string or a view made for it would keep the collector busy.
 *
 * Keys are moved and compared eight bytes at a time, as numbers of 64 bits that stand for nothing: 32 bytes take four steps of about 1 ns instead of 32. The
 * last step overlaps the one before it, so nothing beside the run is touched. Longer runs (values) are copied by `set`, about 25 ns whatever their length.
 */

export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const ZERO = 48;
export const NINE = 57;

const STEP = 8;

/** Requests are written into the same few buffers over and over, and answers lie in the same few: a view is made only when another comes. */
class Viewed {
  #bytes: Buffer = Buffer.alloc(0);
  #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, 0);

  of(bytes: Buffer): DataView {
    if (bytes !== this.#bytes) {
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      this.#bytes = bytes;
    }
    return this.#view;
  }
}
const written = new Viewed();
const read = new Viewed();

/** The view through which a buffer that requests are written to is written. */
export function viewToWrite(out: Buffer): DataView {
  return written.of(out);
}

/** The view through which a buffer that answers lie in is read. */
export function viewToRead(bytes: Buffer): DataView {
  return read.of(bytes);
}

/** Copies `from` to `to` of the source into `out` at `at`; returns where it ends. */
export function put(out: Buffer, at: number, source: Buffer, from: number, to: number): number {
  let end = at;
  for (let i = from; i < to; i++) out[end++] = source[i] as number;
  return end;
}

/** Copies a whole short word. */
export function putWord(out: Buffer, at: number, word: Buffer): number {
  return put(out, at, word, 0, word.length);
}

/** Writes a whole number from 0 to 2^32 - 1 in decimal digits; returns where they end. */
export function putNumber(out: Buffer, at: number, value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  let left = value >>> 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const rest = (left / 10) >>> 0;
    out[i] = ZERO + left - rest * 10;
    left = rest;
  }
  return at + digits;
}

/** Writes a carriage return and a line feed. */
export function putLineEnd(out: Buffer, at: number): number {
  out[at] = CR;
  out[at + 1] = LF;
  return at + 2;
}

/** Whether the run from `from` to `to` is exactly this word. */
export function isWord(bytes: Buffer, from: number, to: number, word: Buffer): boolean {
  if (to - from !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word[i]) return false;
  return true;
}

/** Many keys, one behind the other. They are ASCII, so that no eight bytes of them stand for no number or for zero, which compare otherwise than bytes. */
export class Names {
  readonly count: number;
  readonly longest: number;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #starts: Uint32Array;

  /** `name` gives 1 to 250 characters of ASCII, '!' to '~'. */
  constructor(count: number, name: (key: number) => string) {
    this.count = count;
    this.#starts = new Uint32Array(count + 1);
    let bytes = Buffer.allocUnsafeSlow(64 * count);
    let used = 0;
    let longest = 0;
    for (let key = 0; key < count; key++) {
      const text = name(key);
      if (used + text.length > bytes.length) bytes = Buffer.concat([bytes, Buffer.allocUnsafe(bytes.length + text.length)]);
      used += bytes.write(text, used, 'latin1');
      this.#starts[key + 1] = used;
      longest = Math.max(longest, text.length);
    }
    this.longest = longest;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, used);
  }

  lengthOf(key: number): number {
    return (this.#starts[key + 1] as number) - (this.#starts[key] as number);
  }

  /** Writes the name of this key; returns where it ends. */
  put(out: Buffer, at: number, key: number): number {
    const from = this.#starts[key] as number;
    const to = this.#starts[key + 1] as number;
    if (to - from < STEP) return put(out, at, this.#bytes, from, to);
    const target = written.of(out);
    const source = this.#view;
    const last = to - STEP;
    let end = at;
    for (let i = from; i < last; i += STEP, end += STEP) target.setFloat64(end, source.getFloat64(i, true), true);
    end = at + to - from;
    target.setFloat64(end - STEP, source.getFloat64(last, true), true);
    return end;
  }

  /** Whether the bytes from `at` on begin with the name of this key; they must lie before `end`. */
  isAt(bytes: Buffer, at: number, end: number, key: number): boolean {
    const from = this.#starts[key] as number;
    const to = this.#starts[key + 1] as number;
    const length = to - from;
    if (at + length > end) return false;
    if (length < STEP) {
      for (let i = 0; i < length; i++) if (bytes[at + i] !== this.#bytes[from + i]) return false;
      return true;
    }
    const heard = read.of(bytes);
    const own = this.#view;
    const last = to - STEP;
    for (let i = from, j = at; i < last; i += STEP, j += STEP) if (heard.getFloat64(j, true) !== own.getFloat64(i, true)) return false;
    return heard.getFloat64(at + length - STEP, true) === own.getFloat64(last, true);
  }
}

/** ASCII text as bytes. */
export function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
