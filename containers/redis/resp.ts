/**
 * RESP2, the protocol of Redis, as the load speaks it: GET, SET, DEL, INCR and PING.
 *
 * What comes back is held against what was asked: its type, and for a value its length. RESP answers carry no key, so that a value of the
 * right length that belongs to another key cannot be told from the right one; give keys values of different lengths where answers could
 * be mixed up. A connection keeps a few numbers between any two bytes, so that values of a megabyte cost no memory; requests and
 * answers of the load allocate nothing.
 */
import type { Answer, Conversation, Protocol } from '../../harness/load/protocol.ts';

/**
 * - `get`, `set`: a value of the length that belongs to the key.
 * - `del`: takes the key away; a key that was not there is a miss.
 * - `incr`: counts on a key of its own beside each key, named with ':n' behind it, since values are no numbers.
 * - `ping`: has no key.
 */
export const REDIS_OPERATIONS = ['get', 'set', 'del', 'incr', 'ping'] as const;
export type RedisOperation = (typeof REDIS_OPERATIONS)[number];

export interface RedisProtocolOptions {
  /** Keys are the numbers from 0 to this - 1. */
  readonly keys: number;
  /** The key of a number, in ASCII. */
  readonly keyName: (key: number) => string;
  /** How long the value of a key is, bytes. */
  readonly sizes: (key: number) => number;
  /** What the numbers of the workload's operations stand for, in their order. */
  readonly operations: readonly RedisOperation[];
}

/** Errors are one line. The longest that Redis writes quote 128 bytes of each argument; beyond this length it is no line of this protocol. */
const LONGEST_LINE = 4_096;
/** -9223372036854775808 has 19 digits: more is no number of this protocol. */
const MOST_DIGITS = 19;

const CR = 13;
const LF = 10;
const DOLLAR = 36;
const PLUS = 43;
const MINUS = 45;
const COLON = 58;
const ZERO = 48;
const NINE = 57;

/** What is behind the '+'. */
const OK = Buffer.from('OK\r\n', 'latin1');
const PONG = Buffer.from('PONG\r\n', 'latin1');
const LINE_END = Buffer.from('\r\n', 'latin1');

/** Where the parsing of an answer stands. */
const TYPE = 0;
/** In the digits behind ':' or '$'. */
const NUMBER = 1;
const NUMBER_LF = 2;
/** In a simple string, of which every byte is known beforehand. */
const WORD = 3;
const VALUE = 4;
const VALUE_CR = 5;
const VALUE_LF = 6;
const ERROR = 7;
const ERROR_LF = 8;

/** The protocol for these keys. */
export function redisProtocol(options: RedisProtocolOptions): Protocol {
  const book = new Requests(options);
  return { longestRequestBytes: book.longestBytes, converse: () => new RespConversation(book) };
}

/**
 * Every request, encoded once. Behind what begins an operation stands the key, and behind that for SET the length and the value, of which all are the
 * beginning of the longest.
 */
class Requests {
  readonly operations: readonly RedisOperation[];
  readonly sizes: Uint32Array;
  readonly longestBytes: number;
  readonly #heads: readonly Buffer[];
  readonly #keys: Arguments;
  readonly #counters: Arguments;
  readonly #value: Buffer;

  constructor({ keys, keyName, sizes, operations }: RedisProtocolOptions) {
    const asked = (...names: RedisOperation[]) => operations.some((operation) => names.includes(operation));
    this.operations = operations;
    this.#heads = operations.map((operation) => {
      const parts = operation === 'ping' ? 1 : operation === 'set' ? 3 : 2;
      return Buffer.from(`*${parts}\r\n$${operation.length}\r\n${operation.toUpperCase()}\r\n`, 'latin1');
    });
    this.sizes = Uint32Array.from({ length: keys }, (_, key) => sizes(key));
    this.#keys = argumentsOf(asked('get', 'set', 'del') ? keys : 0, keyName, this.sizes);
    this.#counters = argumentsOf(asked('incr') ? keys : 0, (key) => `${keyName(key)}:n`, this.sizes);
    const longestValue = this.sizes.reduce((longest, size) => Math.max(longest, size), 0);
    this.#value = Buffer.alloc(longestValue, 'x');
    const longestHead = Math.max(0, ...this.#heads.map((bytes) => bytes.length));
    this.longestBytes = longestHead + Math.max(this.#keys.longest, this.#counters.longest) + longestValue + LINE_END.length;
  }

  write(out: Buffer, at: number, operation: number, key: number): number {
    const name = this.operations[operation];
    const head = this.#heads[operation] as Buffer;
    let end = at + head.copy(out, at);
    if (name === 'ping') return end;
    const { bytes, places } = name === 'incr' ? this.#counters : this.#keys;
    end += bytes.copy(out, end, places[2 * key], places[2 * key + (name === 'set' ? 2 : 1)]);
    if (name !== 'set') return end;
    end += this.#value.copy(out, end, 0, this.sizes[key]);
    return end + LINE_END.copy(out, end);
  }
}

/** '$3\r\nk:7\r\n' and, for SET, '$100\r\n' of each key, one behind the other. */
interface Arguments {
  readonly bytes: Buffer;
  /** Where the name of key k begins (2k), where it ends (2k + 1), and where the length behind it ends (2k + 2). */
  readonly places: Uint32Array;
  readonly longest: number;
}

function argumentsOf(keys: number, keyName: (key: number) => string, sizes: Uint32Array): Arguments {
  const places = new Uint32Array(2 * keys + 1);
  const parts: string[] = [];
  let used = 0;
  let longest = 0;
  for (let key = 0; key < keys; key++) {
    const name = keyName(key);
    const bulk = `$${name.length}\r\n${name}\r\n`;
    const length = `$${sizes[key]}\r\n`;
    parts.push(bulk, length);
    places[2 * key + 1] = used + bulk.length;
    used += bulk.length + length.length;
    places[2 * key + 2] = used;
    longest = Math.max(longest, bulk.length + length.length);
  }
  return { bytes: Buffer.from(parts.join(''), 'latin1'), places, longest };
}

class RespConversation implements Conversation {
  answer: Answer | undefined;
  readonly #requests: Requests;
  #phase = TYPE;
  #isLength = false;
  #negative = false;
  #digits = 0;
  #number = 0;
  /** Bytes of the value that have not come yet. */
  #left = 0;
  /** Bytes of the line that have come. */
  #taken = 0;
  #word: Buffer = OK;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  ask(out: Buffer, at: number, operation: number, key: number): number {
    return this.#requests.write(out, at, operation, key);
  }

  hear(bytes: Buffer, from: number, end: number, operation: number, key: number): number {
    this.answer = undefined;
    let at = from;
    while (at < end) {
      if (this.#phase === VALUE) {
        const taken = Math.min(this.#left, end - at);
        this.#left -= taken;
        at += taken;
        if (this.#left === 0) this.#phase = VALUE_CR;
        continue;
      }
      this.answer = this.#take(bytes[at++] as number, operation, key);
      if (this.answer !== undefined) {
        this.#phase = TYPE;
        return at;
      }
    }
    return at;
  }

  /** Takes one byte that is not part of a value. The answer, when it was the last of one, or cannot be part of one. */
  #take(byte: number, operation: number, key: number): Answer | undefined {
    switch (this.#phase) {
      case TYPE:
        return this.#begin(byte, operation);
      case NUMBER:
        return this.#takeDigit(byte);
      case NUMBER_LF:
        return byte === LF ? this.#readNumber(operation, key) : 'garbled';
      case WORD:
        if (byte !== this.#word[this.#taken++]) return 'garbled';
        return this.#taken === this.#word.length ? 'done' : undefined;
      case VALUE_CR:
        this.#phase = VALUE_LF;
        return byte === CR ? undefined : 'garbled';
      case VALUE_LF:
        return byte === LF ? 'hit' : 'garbled';
      case ERROR:
        if (byte === CR) this.#phase = ERROR_LF;
        return byte === LF || ++this.#taken > LONGEST_LINE ? 'garbled' : undefined;
      default:
        return byte === LF ? 'server' : 'garbled';
    }
  }

  #begin(byte: number, operation: number): Answer | undefined {
    const name = this.#requests.operations[operation];
    this.#taken = 0;
    if (byte === MINUS) {
      this.#phase = ERROR;
      return undefined;
    }
    if (name === 'set' || name === 'ping') {
      this.#phase = WORD;
      this.#word = name === 'set' ? OK : PONG;
      return byte === PLUS ? undefined : 'garbled';
    }
    this.#phase = NUMBER;
    this.#isLength = name === 'get';
    this.#negative = false;
    this.#digits = 0;
    this.#number = 0;
    return byte === (this.#isLength ? DOLLAR : COLON) ? undefined : 'garbled';
  }

  #takeDigit(byte: number): Answer | undefined {
    if (byte >= ZERO && byte <= NINE) {
      // A number that is too long for a double is only ever counted (INCR), never compared.
      this.#number = this.#number * 10 + byte - ZERO;
      return ++this.#digits > MOST_DIGITS ? 'garbled' : undefined;
    }
    if (byte === MINUS && this.#digits === 0 && !this.#negative) {
      this.#negative = true;
      return undefined;
    }
    this.#phase = NUMBER_LF;
    return byte === CR && this.#digits > 0 ? undefined : 'garbled';
  }

  /** What a whole number means. The length of a value is held against the key's own. */
  #readNumber(operation: number, key: number): Answer | undefined {
    if (this.#isLength) {
      if (this.#negative) return this.#number === 1 ? 'miss' : 'garbled';
      if (this.#number !== this.#requests.sizes[key]) return 'garbled';
      this.#left = this.#number;
      this.#phase = VALUE;
      return undefined;
    }
    if (this.#requests.operations[operation] === 'incr') return 'done';
    // DEL of one key takes away one or none.
    if (this.#negative || this.#number > 1) return 'garbled';
    return this.#number === 1 ? 'done' : 'miss';
  }
}
