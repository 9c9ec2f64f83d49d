/**
 * The memcached text protocol as the load speaks it: `get` of one key and `set`.
 *
 * What comes back is held against what was asked: a VALUE must carry the key, the flags (0) and the length that were stored, since a
 * proxy that hands one client's answer to another must not pass for a fast one. The parser keeps its state between any
 * two bytes and holds no more than one line, so that values of a megabyte cost no memory.
 */
import type { Answer, Conversation, Protocol } from '../../harness/load/protocol.ts';

/** The numbers of the operations, in the order of `OPERATIONS`. */
export const GET = 0;
export const SET = 1;
export const OPERATIONS = ['get', 'set'] as const;

/** An error line can be longer than any that is kept; beyond this length it is no line of this protocol (its own limit is 2,048). */
const LONGEST_LINE = 2_048;
/** VALUE + key (250 at most) + flags + length fit, as does the part of an error line that tells its kind. */
const KEPT_OF_LINE = 320;

const LF = 10;
const CR = 13;
const VALUE_END = Buffer.from('\r\nEND\r\n', 'latin1');

export interface TextOptions {
  /** The key of this number: 1 to 250 bytes of ASCII without spaces or control characters. */
  readonly keyName: (key: number) => string;
  /** How long each value is, bytes. */
  readonly valueBytes: number;
}

/** The protocol for keys that all have values of one length. */
export function memcachedText(options: TextOptions): Protocol {
  const value = Buffer.alloc(options.valueBytes, 'x');
  return { converse: () => new TextConversation(options.keyName, value) };
}

type Phase = 'silent' | 'line' | 'value' | 'end';

class TextConversation implements Conversation {
  readonly #keyName: (key: number) => string;
  readonly #value: Buffer;
  readonly #line = Buffer.allocUnsafe(KEPT_OF_LINE);
  #lineLength = 0;
  #phase: Phase = 'silent';
  #operation = GET;
  /** The header that a hit must carry. */
  #header = '';
  /** Bytes of the value, or of what ends it, that have not come yet. */
  #left = 0;

  constructor(keyName: (key: number) => string, value: Buffer) {
    this.#keyName = keyName;
    this.#value = value;
  }

  ask(operation: number, key: number): Uint8Array {
    const name = this.#keyName(key);
    this.#operation = operation;
    this.#phase = 'line';
    this.#lineLength = 0;
    if (operation === GET) {
      this.#header = `VALUE ${name} 0 ${this.#value.length}\r\n`;
      return Buffer.from(`get ${name}\r\n`, 'latin1');
    }
    const command = `set ${name} 0 0 ${this.#value.length}\r\n`;
    const request = Buffer.allocUnsafe(command.length + this.#value.length + 2);
    request.write(command, 0, 'latin1');
    this.#value.copy(request, command.length);
    request[request.length - 2] = CR;
    request[request.length - 1] = LF;
    return request;
  }

  hear(bytes: Buffer, length: number): Answer | undefined {
    let at = 0;
    while (at < length) {
      if (this.#phase === 'silent') return 'garbled';
      if (this.#phase === 'line') {
        const end = lineEnd(bytes, at, length);
        this.#keep(bytes, at, end);
        at = end;
        if (bytes[end - 1] === LF) {
          const answer = this.#readLine();
          if (answer) return this.#finish(answer, at === length);
        } else if (this.#lineLength > LONGEST_LINE) {
          return this.#finish('garbled', true);
        }
      } else if (this.#phase === 'value') {
        const taken = Math.min(this.#left, length - at);
        this.#left -= taken;
        at += taken;
        if (this.#left === 0) this.#expectEnd();
      } else {
        if (bytes[at] !== VALUE_END[VALUE_END.length - this.#left]) return this.#finish('garbled', true);
        this.#left--;
        at++;
        if (this.#left === 0) return this.#finish('hit', at === length);
      }
    }
    return undefined;
  }

  /** Appends to the line what there is room for; its length counts all. */
  #keep(bytes: Buffer, from: number, to: number): void {
    if (this.#lineLength < KEPT_OF_LINE) bytes.copy(this.#line, this.#lineLength, from, to);
    this.#lineLength += to - from;
  }

  /** The answer that a whole line is, or undefined when it is the header of a value. */
  #readLine(): Answer | undefined {
    const line = this.#line.toString('latin1', 0, Math.min(this.#lineLength, KEPT_OF_LINE));
    if (this.#operation === GET) {
      if (line === this.#header) {
        this.#left = this.#value.length;
        if (this.#left > 0) this.#phase = 'value';
        else this.#expectEnd();
        return undefined;
      }
      if (line === 'END\r\n') return 'miss';
    } else if (line === 'STORED\r\n') {
      return 'stored';
    }
    return /^(SERVER_ERROR|CLIENT_ERROR|ERROR)[ \r]/.test(line) ? 'server' : 'garbled';
  }

  #expectEnd(): void {
    this.#phase = 'end';
    this.#left = VALUE_END.length;
  }

  #finish(answer: Answer, nothingBehind: boolean): Answer {
    this.#phase = 'silent';
    return nothingBehind ? answer : 'garbled';
  }
}

/** Just behind the next line feed, or `length` when there is none. Not indexOf, which would search on through what earlier reads left in the buffer. */
function lineEnd(bytes: Buffer, from: number, length: number): number {
  let at = from;
  while (at < length) if (bytes[at++] === LF) return at;
  return length;
}
