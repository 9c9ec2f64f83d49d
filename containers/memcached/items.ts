/**
 * The keys and values of one load: encoded once, shared by all its connections.
 *
 * Every value is the beginning of one endless text, as long as its key says, so that a value costs no memory of its own. What comes back is held
 * against that length. Two kinds of operations change a stored value, and what can still be said of its length then decides how they are done:
 * - `append` and `prepend` add `PIECE` and nothing else: eight bytes, so that ten thousand of them make 80 kB and not a value beyond the limit
 *   of 1 MiB. The value is then as long as it was stored plus a multiple of eight, and that is checked.
 * - `incr` and `decr` need a number. memcached writes the new number over the old one, padded with spaces to the old length, or, while another connection
 *   reads the old one, into a new value with as many bytes as it has digits. A number has at most 20 digits (2^64 - 1), so such keys hold 1 to
 *   20 digits at first, and a later value has 1 to 20 bytes: no more can be known.
 */
import { InputError } from '../../harness/core/errors.ts';
import { ascii, Names } from './bytes.ts';

/** memcached's own limit. */
export const LONGEST_KEY = 250;
/** The largest -I that memcached takes: 1 GiB. */
export const LONGEST_VALUE = 2 ** 30;
/** Digits of 2^64 - 1. */
export const LONGEST_NUMBER = 20;
/** What append and prepend add. */
export const PIECE = ascii('aftershk');

const TEXT = ascii('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_');
const MOST_KEYS = 10_000_000;

export interface ItemOptions {
  /** How many keys there are; they are called by their numbers, 0 to `keys` - 1. */
  readonly keys: number;
  /** The name of a key: 1 to 250 bytes of ASCII without spaces or control characters. */
  readonly keyName: (key: number) => string;
  /** How many bytes every write of a key stores; 1 to 20 where the value is a number. */
  readonly sizes: (key: number) => number;
}

/** What a load's operations do to the values of a key beside storing them whole. */
export interface Changes {
  /** append or prepend are among the operations: any value that is no number may grow. */
  readonly grow: boolean;
  /** The keys whose values are numbers. */
  readonly isNumber: (key: number) => boolean;
}

export class Items {
  readonly keys: number;
  readonly names: Names;
  /** The longest value that is stored, bytes. */
  readonly longestStored: number;
  /** The longest value that may come back, bytes. */
  readonly longestHeard: number;
  readonly #grow: boolean;
  readonly #sizes: Uint32Array;
  readonly #numbers: Uint8Array;
  readonly #text: Buffer;
  /** Beginnings of the text, by their lengths: made once for each length that occurs. */
  readonly #values = new Map<number, Buffer>();
  readonly #digits = Array.from({ length: LONGEST_NUMBER + 1 }, (_, size) => Buffer.alloc(size, '0'));

  /** Throws InputError when a key has no name that memcached takes, or a length that it could not store. */
  constructor({ keys, keyName, sizes }: ItemOptions, { grow, isNumber }: Changes) {
    this.keys = wholeNumber('keys', keys, 1, MOST_KEYS);
    this.#grow = grow;
    this.#numbers = new Uint8Array(keys);
    this.#sizes = new Uint32Array(keys);
    let longest = 0;
    for (let key = 0; key < keys; key++) {
      const counts = isNumber(key);
      const least = counts ? 1 : 0;
      const size = wholeNumber(`sizes(${key})${counts ? ', a number' : ''}`, sizes(key), least, counts ? LONGEST_NUMBER : LONGEST_VALUE);
      this.#numbers[key] = least;
      this.#sizes[key] = size;
      longest = Math.max(longest, size);
    }
    this.names = new Names(keys, (key) => validKey(keyName(key), `keyName(${key})`));
    this.longestStored = longest;
    this.longestHeard = grow ? LONGEST_VALUE : Math.max(longest, LONGEST_NUMBER);
    this.#text = Buffer.alloc(longest, TEXT);
  }

  /** What every write of this key stores. */
  value(key: number): Buffer {
    const size = this.#sizes[key] as number;
    if (this.#numbers[key]) return this.#digits[size] as Buffer;
    let value = this.#values.get(size);
    if (value === undefined) {
      value = this.#text.subarray(0, size);
      this.#values.set(size, value);
    }
    return value;
  }

  /** Whether a value of this key can be so long. */
  fits(key: number, length: number): boolean {
    const size = this.#sizes[key] as number;
    if (this.#numbers[key]) return length >= 1 && length <= LONGEST_NUMBER;
    return length === size || (this.#grow && length > size && (length - size) % PIECE.length === 0);
  }
}

/** The name of a key as memcached takes it. `what` names it in the error. Throws InputError. */
export function validKey(name: unknown, what: string): string {
  if (typeof name === 'string' && /^[!-~]{1,250}$/.test(name)) return name;
  const shown = JSON.stringify(name)?.slice(0, 80);
  throw new InputError(`${what}: ${shown} is not allowed; write 1 to ${LONGEST_KEY} characters of ASCII without spaces`);
}

/** Throws InputError that names the key and what is allowed. */
export function wholeNumber(key: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InputError(`${key}: ${String(value)} is not allowed; write a whole number from ${least} to ${most}`);
}
