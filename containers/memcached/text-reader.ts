/** Replies of memcached's text protocol: what their lines say. */
import { ascii, isWord, type Names, NINE, SPACE, ZERO } from './bytes.ts';
import { LONGEST_KEY, LONGEST_NUMBER } from './items.ts';
import { DELETED, END, EXISTS, FAILED, GARBLED, LineReader, NOT_FOUND, NOT_STORED, NUMBER, OK, STAT, STORED, TOUCHED, VALUE, VERSION } from './line-reader.ts';

const STORED_WORD = ascii('STORED');
const END_WORD = ascii('END');
/** Other lines that are one word and nothing else. */
const WORDS: readonly (readonly [Buffer, number])[] = [
  [ascii('NOT_STORED'), NOT_STORED],
  [ascii('EXISTS'), EXISTS],
  [ascii('NOT_FOUND'), NOT_FOUND],
  [ascii('DELETED'), DELETED],
  [ascii('TOUCHED'), TOUCHED],
  [ascii('OK'), OK],
  [ascii('RESET'), OK],
];
/** Lines that begin with a word and go on behind a space. */
const BEGINNINGS: readonly (readonly [Buffer, number])[] = [
  [ascii('STAT '), STAT],
  [ascii('VERSION '), VERSION],
];
const FAILURES = [ascii('SERVER_ERROR'), ascii('CLIENT_ERROR'), ascii('ERROR')];
const VALUE_WORD = ascii('VALUE ');
const E = 69;
const V = 86;

export class TextReader extends LineReader {
  /** The key that a VALUE most likely carries, by its number: then it is compared as a whole and not searched for its end. */
  expected = 0;
  /** Whether the VALUE carried it. */
  isExpected = false;
  readonly #names: Names | undefined;

  constructor(longestValue: number, keepsValues: boolean, names?: Names) {
    super(longestValue, keepsValues);
    this.#names = names;
  }

  protected override skip(bytes: Buffer, at: number, end: number): number {
    const from = at + VALUE_WORD.length;
    this.isExpected = bytes[at] === V && this.#names !== undefined && this.#names.isAt(bytes, from, end, this.expected) && isWord(bytes, at, from, VALUE_WORD);
    return this.isExpected && this.#names ? from + this.#names.lengthOf(this.expected) : at;
  }

  protected override readWords(bytes: Buffer, from: number, to: number, skipped: number): void {
    const first = bytes[from] as number;
    if (skipped > from) this.#readValueLine(bytes, from + VALUE_WORD.length, skipped, to);
    else if (first === E && to - from === 3) this.status = isWord(bytes, from, to, END_WORD) ? END : GARBLED;
    else if (first === V && beginsWith(bytes, from, to, VALUE_WORD)) this.#readValueLine(bytes, from + VALUE_WORD.length, from + VALUE_WORD.length, to);
    else if (first >= ZERO && first <= NINE) this.status = isNumber(bytes, from, to) ? NUMBER : GARBLED;
    else this.status = wordOf(bytes, from, to);
  }

  /** `<key> <flags> <bytes>[ <cas>]`, of which the key is known to go on to `skipped` at least. */
  #readValueLine(bytes: Buffer, from: number, skipped: number, to: number): void {
    let i = skipped;
    while ((bytes[i] as number) > SPACE) i++;
    this.isExpected = this.isExpected && i === skipped;
    this.keyFrom = from;
    this.keyTo = i;
    if (i === from || i - from > LONGEST_KEY || bytes[i] !== SPACE) return;
    // The line ends with a carriage return, which is no digit: no loop runs beyond it.
    let digit = (bytes[++i] as number) - ZERO;
    let flags = 0;
    const flagsFrom = i;
    while (digit >= 0 && digit <= 9) {
      flags = flags * 10 + digit;
      digit = (bytes[++i] as number) - ZERO;
    }
    if (i === flagsFrom || flags > 0xffffffff || bytes[i] !== SPACE) return;
    digit = (bytes[++i] as number) - ZERO;
    let length = 0;
    const lengthFrom = i;
    while (digit >= 0 && digit <= 9) {
      length = length * 10 + digit;
      digit = (bytes[++i] as number) - ZERO;
    }
    if (i === lengthFrom) return;
    this.flags = flags;
    this.valueBytes = length;
    this.casFrom = to;
    this.casTo = to;
    if (i < to) {
      if (bytes[i] !== SPACE || !isNumber(bytes, i + 1, to)) return;
      this.casFrom = i + 1;
    }
    this.status = VALUE;
  }
}

/** Whether it is 1 to 20 digits. */
function isNumber(bytes: Buffer, from: number, to: number): boolean {
  if (to <= from || to - from > LONGEST_NUMBER) return false;
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number;
    if (byte < ZERO || byte > NINE) return false;
  }
  return true;
}

function beginsWith(bytes: Buffer, from: number, to: number, word: Buffer): boolean {
  return to - from >= word.length && isWord(bytes, from, from + word.length, word);
}

function wordOf(bytes: Buffer, from: number, to: number): number {
  if (isWord(bytes, from, to, STORED_WORD)) return STORED;
  for (const [word, status] of WORDS) if (isWord(bytes, from, to, word)) return status;
  for (const [word, status] of BEGINNINGS) if (beginsWith(bytes, from, to, word)) return status;
  return isFailure(bytes, from, to) ? FAILED : GARBLED;
}

/** An error of any of the three kinds, with or without words behind it. Also what the meta protocol says when something went wrong. */
export function isFailure(bytes: Buffer, from: number, to: number): boolean {
  return FAILURES.some((word) => beginsWith(bytes, from, to, word) && (to - from === word.length || bytes[from + word.length] === SPACE));
}
