/**
 * The cas tokens that a load saw last, by key. A token is 64 bits, more than a number of JavaScript holds: it is kept as the bytes that came and sent as they are.
 */
import { put } from './bytes.ts';

/** 2^64 - 1 in decimal digits; in the binary protocol a token is 8 bytes. */
const LONGEST_TOKEN = 20;
/** One byte tells how long the token is. */
const STRIDE = LONGEST_TOKEN + 1;

export class Tokens {
  readonly #bytes: Buffer;
  readonly #unseen: Buffer;

  /** `unseen` stands for the token of a key of which none was seen. */
  constructor(keys: number, unseen: Buffer) {
    this.#bytes = Buffer.alloc(keys * STRIDE);
    this.#unseen = unseen;
  }

  keep(key: number, source: Buffer, from: number, to: number): void {
    const at = key * STRIDE;
    this.#bytes[at] = to - from;
    put(this.#bytes, at + 1, source, from, to);
  }

  /** Writes the token of this key; returns where it ends. */
  put(out: Buffer, at: number, key: number): number {
    const from = key * STRIDE;
    const length = this.#bytes[from] as number;
    return length === 0 ? put(out, at, this.#unseen, 0, this.#unseen.length) : put(out, at, this.#bytes, from + 1, from + 1 + length);
  }
}
