/** Replies of memcached's meta protocol: two letters, for VA the length of a value, and flags, each a letter with what belongs to it. */
import { CR, SPACE, ZERO } from './bytes.ts';
import { LONGEST_NUMBER } from './items.ts';
import { END, EXISTS, FAILED, GARBLED, HEAD, LineReader, NOT_FOUND, NOT_STORED, NOTHING_DONE, VALUE } from './line-reader.ts';
import { isFailure } from './text-reader.ts';

const SMALL_A = 97;
const SMALL_Z = 122;
const CAPITAL_A = 65;
const CAPITAL_Z = 90;

/** Two letters as one number. */
const pair = (letters: string) => (letters.charCodeAt(0) << 8) | letters.charCodeAt(1);
const VA = pair('VA');
const HD = pair('HD');
const EN = pair('EN');
const NF = pair('NF');
const NS = pair('NS');
const EX = pair('EX');
const MN = pair('MN');

const C = 99;
const F = 102;
const K = 107;
const O = 79;

export class MetaReader extends LineReader {
  /** What came back of the opaque that was sent, when it is a number; -1 without one. */
  opaque = -1;
  #small = 0;
  #capital = 0;

  /** Whether the reply carried this flag, such as 'k' or 'W'. */
  has(flag: string): boolean {
    const code = flag.charCodeAt(0);
    return code >= SMALL_A ? (this.#small & (1 << (code - SMALL_A))) !== 0 : (this.#capital & (1 << (code - CAPITAL_A))) !== 0;
  }

  protected override readWords(bytes: Buffer, from: number, to: number): void {
    this.#small = 0;
    this.#capital = 0;
    this.opaque = -1;
    this.flags = 0;
    this.valueBytes = 0;
    this.keyFrom = to;
    this.keyTo = to;
    this.casFrom = to;
    this.casTo = to;
    const behind = bytes[from + 2] as number;
    if (to - from < 2 || (behind !== SPACE && behind !== CR)) {
      this.status = isFailure(bytes, from, to) ? FAILED : GARBLED;
      return;
    }
    const word = ((bytes[from] as number) << 8) | (bytes[from + 1] as number);
    const status = statusOf(word);
    if (status === GARBLED) return;
    let i = from + 2;
    if (status === VALUE) {
      const lengthFrom = ++i;
      while ((bytes[i] as number) > SPACE) i++;
      this.valueBytes = numberIn(bytes, lengthFrom, i);
      if (this.valueBytes < 0) return;
    }
    if (this.#readFlags(bytes, i, to)) this.status = status;
  }

  /** Every flag is a letter behind a space, and goes on to the next space. */
  #readFlags(bytes: Buffer, from: number, to: number): boolean {
    let i = from;
    while (i < to) {
      if (bytes[i] !== SPACE) return false;
      const letter = bytes[i + 1] as number;
      const start = i + 2;
      i = start;
      while ((bytes[i] as number) > SPACE) i++;
      if (letter >= SMALL_A && letter <= SMALL_Z) this.#small |= 1 << (letter - SMALL_A);
      else if (letter >= CAPITAL_A && letter <= CAPITAL_Z) this.#capital |= 1 << (letter - CAPITAL_A);
      else return false;
      if (letter === O) this.opaque = numberIn(bytes, start, i);
      else if (letter === F) this.flags = numberIn(bytes, start, i);
      else if (letter === C) {
        if (numberIn(bytes, start, i) < 0) return false;
        this.casFrom = start;
        this.casTo = i;
      } else if (letter === K) {
        this.keyFrom = start;
        this.keyTo = i;
      }
    }
    return true;
  }
}

function statusOf(word: number): number {
  if (word === HD) return HEAD;
  if (word === VA) return VALUE;
  if (word === EN) return END;
  if (word === NF) return NOT_FOUND;
  if (word === NS) return NOT_STORED;
  if (word === EX) return EXISTS;
  return word === MN ? NOTHING_DONE : GARBLED;
}

/** The number that these bytes are in decimal digits, 20 at most; -1 when they are none. */
function numberIn(bytes: Buffer, from: number, to: number): number {
  if (to <= from || to - from > LONGEST_NUMBER) return -1;
  let number = 0;
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
