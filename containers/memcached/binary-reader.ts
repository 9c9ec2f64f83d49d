/**
 * Packets of memcached's binary protocol, read piece by piece as they come: a header of 24 bytes that tells how long the rest is, then extras, key and value.
 *
 * A packet that lies whole in the bytes at hand is read where it is: nothing is copied and no object is made. Of one that is cut, all before the value is
 * collected, and of the value exactly the bytes that the header announces: kept in a buffer made once, or only counted. What was found last is told by the
 * fields, until the next call.
 */
import { viewToRead } from './bytes.ts';
import { LONGEST_KEY } from './items.ts';

export const HEADER_BYTES = 24;
export const REQUEST = 0x80;
export const RESPONSE = 0x81;

/** What has come of a packet. */
export const PENDING = 0;
export const WHOLE = 1;
/** No packet of this protocol; the connection is of no further use. */
export const GARBLED = 2;

/** No answer has more extras than the four bytes of a get, and none of a request that is asked here more than the 20 of incr. */
const MOST_EXTRAS = 32;
const LONGEST_HEAD = HEADER_BYTES + MOST_EXTRAS + LONGEST_KEY;
const NOTHING = Buffer.alloc(0);

export class BinaryReader {
  state = PENDING;
  opcode = 0;
  /** 0 when all is well. */
  status = 0;
  opaque = 0;
  /** Where header, extras and key lie. */
  source: Buffer = NOTHING;
  headerFrom = 0;
  extrasFrom = 0;
  keyFrom = 0;
  keyTo = 0;
  valueBytes = 0;
  /** Where the value lies, from `valueFrom` on; empty when it came in pieces and these are not kept. */
  valueSource: Buffer = NOTHING;
  valueFrom = 0;

  readonly #longestValue: number;
  readonly #keepsValues: boolean;
  #head: Buffer = NOTHING;
  /** Bytes of the head that are kept, and how many it has; the latter is known once its first 24 are here. */
  #kept = 0;
  #headBytes = HEADER_BYTES;
  #left = 0;

  /** A packet that announces a value of more than `longestValue` bytes is taken for garbage. */
  constructor(longestValue: number, keepsValues: boolean) {
    this.#longestValue = longestValue;
    this.#keepsValues = keepsValues;
  }

  /**
   * Reads on in `bytes`, from `at` to `end`. Returns where it stopped: behind a packet, and `state` is `WHOLE` or `GARBLED`, or at `end` with `PENDING`, because
   * more must come.
   */
  read(bytes: Buffer, at: number, end: number): number {
    if (this.#left > 0) return this.#readValue(bytes, at, end);
    if (this.#kept > 0 || end - at < HEADER_BYTES) return this.#readHead(bytes, at, end);
    if (!this.#parse(bytes, at)) return this.#complete(GARBLED, end);
    if (end - this.keyTo < this.valueBytes) return this.#readHead(bytes, at, end);
    this.valueSource = bytes;
    this.valueFrom = this.keyTo;
    this.state = WHOLE;
    return this.keyTo + this.valueBytes;
  }

  /** Where the 8 bytes of the cas token lie in `source`. */
  get casFrom(): number {
    return this.headerFrom + 16;
  }

  #parse(bytes: Buffer, at: number): boolean {
    const view = viewToRead(bytes);
    const first = view.getUint32(at);
    const second = view.getUint32(at + 4);
    const keyBytes = first & 0xffff;
    const extrasBytes = second >>> 24;
    this.source = bytes;
    this.headerFrom = at;
    this.opcode = (first >>> 16) & 0xff;
    this.status = second & 0xffff;
    this.valueBytes = view.getUint32(at + 8) - keyBytes - extrasBytes;
    this.opaque = view.getUint32(at + 12);
    this.extrasFrom = at + HEADER_BYTES;
    this.keyFrom = this.extrasFrom + extrasBytes;
    this.keyTo = this.keyFrom + keyBytes;
    return first >>> 24 === RESPONSE && extrasBytes <= MOST_EXTRAS && keyBytes <= LONGEST_KEY && this.valueBytes >= 0 && this.valueBytes <= this.#longestValue;
  }

  /** Collects header, extras and key, in a place of their own since the bytes are only lent. */
  #readHead(bytes: Buffer, at: number, end: number): number {
    if (this.#head.length === 0) this.#head = Buffer.allocUnsafeSlow(LONGEST_HEAD);
    let here = at;
    for (;;) {
      const taken = Math.min(this.#headBytes - this.#kept, end - here);
      bytes.copy(this.#head, this.#kept, here, here + taken);
      this.#kept += taken;
      here += taken;
      if (this.#kept < this.#headBytes) {
        this.state = PENDING;
        return here;
      }
      if (!this.#parse(this.#head, 0)) return this.#complete(GARBLED, here);
      if (this.#headBytes === this.keyTo) break;
      this.#headBytes = this.keyTo;
    }
    this.#left = this.valueBytes;
    this.valueFrom = 0;
    this.valueSource = this.#keepsValues && this.valueBytes > 0 ? Buffer.allocUnsafe(this.valueBytes) : NOTHING;
    return this.#readValue(bytes, here, end);
  }

  #readValue(bytes: Buffer, at: number, end: number): number {
    const taken = Math.min(this.#left, end - at);
    if (this.#keepsValues) bytes.copy(this.valueSource, this.valueBytes - this.#left, at, at + taken);
    this.#left -= taken;
    if (this.#left === 0) return this.#complete(WHOLE, at + taken);
    this.state = PENDING;
    return at + taken;
  }

  #complete(state: number, at: number): number {
    this.state = state;
    this.#kept = 0;
    this.#headBytes = HEADER_BYTES;
    this.#left = 0;
    return at;
  }
}
