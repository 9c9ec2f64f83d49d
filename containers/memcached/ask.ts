/**
 * Asks one memcached over its text protocol: for probes, tests, and whoever wants to know what is stored.
 *
 * ```ts
 * using cache = await askMemcached({ host: '127.0.0.1', port: 11211 });
 * await cache.set('greeting', 'hello');
 * (await cache.get('greeting'))?.value.toString();   // 'hello'
 * ```
 * Every question ends within its time limit; when there is no answer, or an error, it rejects with an EnvironmentError of one line.
 */
import { InputError } from '../../harness/core/errors.ts';
import { Asking, type AskOptions, type Heard, type Target } from './asking.ts';
import { ascii } from './bytes.ts';
import { validKey, wholeNumber } from './items.ts';
import { DELETED, END, EXISTS, FAILED, GARBLED, NOT_FOUND, NOT_STORED, NUMBER, OK, PENDING, STAT, STORED, TOUCHED, VALUE, VERSION } from './line-reader.ts';
import { TextReader } from './text-reader.ts';

export type { AskOptions, Target } from './asking.ts';

export interface Found {
  readonly value: Buffer;
  readonly flags: number;
}

export interface FoundWithToken extends Found {
  /** To be given to `cas`. */
  readonly token: bigint;
}

/** What became of a value: 'not stored' by add, replace, append and prepend, 'exists' (as another one) and 'not found' by cas. */
export type Kept = 'stored' | 'not stored' | 'exists' | 'not found';

export interface StoreOptions {
  /** 0 to 2^32 - 1. Default 0. */
  readonly flags?: number;
  /** Seconds until it expires; 0, the default, never. memcached takes more than 30 days for a time since 1970. */
  readonly expiry?: number;
}

const MOST_32 = 2 ** 32 - 1;
const MOST_64 = 2n ** 64n - 1n;
const DEFAULT_LONGEST = 1_048_576;

/** What a reply makes of an answer: complete, not yet, or no answer to this. */
type Take<T> = (reader: TextReader) => { readonly answer: T } | 'more' | 'garbled';

/** Connects. Throws EnvironmentError. */
export async function askMemcached(target: Target, options: AskOptions = {}): Promise<MemcachedAsker> {
  return new MemcachedAsker(await Asking.open(target, options), options.longestValueBytes ?? DEFAULT_LONGEST);
}

export class MemcachedAsker implements Disposable {
  readonly #asking: Asking;
  readonly #reader: TextReader;

  constructor(asking: Asking, longestValueBytes: number) {
    this.#asking = asking;
    this.#reader = new TextReader(longestValueBytes, true);
  }

  async get(key: string): Promise<Found | undefined> {
    return (await this.getMany([key])).get(key);
  }

  async gets(key: string): Promise<FoundWithToken | undefined> {
    return (await this.#values('gets', [key], (found, reader) => ({ ...found, token: BigInt(textOf(reader, reader.casFrom, reader.casTo)) }))).get(key);
  }

  /** Those that are there, by key. */
  getMany(keys: readonly string[]): Promise<ReadonlyMap<string, Found>> {
    return this.#values('get', keys, (found) => found);
  }

  set(key: string, value: string | Uint8Array, options?: StoreOptions): Promise<Kept> {
    return this.#store('set', key, value, options);
  }

  add(key: string, value: string | Uint8Array, options?: StoreOptions): Promise<Kept> {
    return this.#store('add', key, value, options);
  }

  replace(key: string, value: string | Uint8Array, options?: StoreOptions): Promise<Kept> {
    return this.#store('replace', key, value, options);
  }

  append(key: string, value: string | Uint8Array): Promise<Kept> {
    return this.#store('append', key, value);
  }

  prepend(key: string, value: string | Uint8Array): Promise<Kept> {
    return this.#store('prepend', key, value);
  }

  cas(key: string, value: string | Uint8Array, token: bigint, options?: StoreOptions): Promise<Kept> {
    if (!(token >= 0n && token <= MOST_64)) throw new InputError(`token: ${token} is not allowed; write one that gets gave`);
    return this.#store('cas', key, value, options, ` ${token}`);
  }

  /** Whether it was there. */
  delete(key: string): Promise<boolean> {
    return this.#line(`delete ${validKey(key, 'key')}`, ({ status }) => either(status, DELETED));
  }

  /** Whether it was there. */
  touch(key: string, expiry = 0): Promise<boolean> {
    return this.#line(`touch ${validKey(key, 'key')} ${seconds(expiry)}`, ({ status }) => either(status, TOUCHED));
  }

  /** The new number, or undefined when the key is not there. Rejects when its value is none. */
  incr(key: string, by: bigint | number = 1): Promise<bigint | undefined> {
    return this.#count('incr', key, by);
  }

  /** The new number, 0 at the least, or undefined when the key is not there. Rejects when its value is none. */
  decr(key: string, by: bigint | number = 1): Promise<bigint | undefined> {
    return this.#count('decr', key, by);
  }

  /** Of a group such as 'items' or 'slabs'; the general ones without. */
  stats(group?: string): Promise<ReadonlyMap<string, string>> {
    const all = new Map<string, string>();
    return this.#line(group === undefined ? 'stats' : `stats ${validKey(group, 'group')}`, (reader) => {
      if (reader.status === END || reader.status === OK) return { answer: all };
      if (reader.status !== STAT) return 'garbled';
      const [, name = '', value = ''] = /^STAT (\S+) ?(.*)$/.exec(textOf(reader, reader.lineFrom, reader.lineTo)) ?? [];
      all.set(name, value);
      return 'more';
    });
  }

  /** Forgets all items, at once or in so many seconds. */
  flushAll(inSeconds = 0): Promise<void> {
    return this.#line(`flush_all ${seconds(inSeconds)}`, ({ status }) => (status === OK ? { answer: undefined } : 'garbled'));
  }

  /** '1.6.18' */
  version(): Promise<string> {
    return this.#line('version', (reader) =>
      reader.status === VERSION ? { answer: textOf(reader, reader.lineFrom + 'VERSION '.length, reader.lineTo) } : 'garbled',
    );
  }

  /** Questions under way end with an error. */
  close(): void {
    this.#asking.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #values<F>(word: 'get' | 'gets', keys: readonly string[], make: (found: Found, reader: TextReader) => F): Promise<ReadonlyMap<string, F>> {
    const names = keys.map((key) => validKey(key, 'key'));
    const found = new Map<string, F>();
    if (names.length === 0) return Promise.resolve(found);
    return this.#line(`${word} ${names.join(' ')}`, (reader) => {
      if (reader.status === END) return { answer: found };
      const key = textOf(reader, reader.keyFrom, reader.keyTo);
      if (reader.status !== VALUE || !names.includes(key) || found.has(key) || reader.casTo > reader.casFrom !== (word === 'gets')) return 'garbled';
      const value = Buffer.from(reader.valueSource.subarray(reader.valueFrom, reader.valueFrom + reader.valueBytes));
      found.set(key, make({ value, flags: reader.flags }, reader));
      return 'more';
    });
  }

  #store(word: string, key: string, value: string | Uint8Array, { flags = 0, expiry = 0 }: StoreOptions = {}, token = ''): Promise<Kept> {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    const line = `${word} ${validKey(key, 'key')} ${wholeNumber('flags', flags, 0, MOST_32)} ${seconds(expiry)} ${bytes.length}${token}`;
    return this.#ask(`${word} ${key}`, Buffer.concat([ascii(`${line}\r\n`), bytes, ascii('\r\n')]), ({ status }) => {
      if (status === STORED) return { answer: 'stored' };
      if (status === NOT_STORED) return { answer: 'not stored' };
      if (status === EXISTS) return { answer: 'exists' };
      return status === NOT_FOUND ? { answer: 'not found' } : 'garbled';
    });
  }

  #count(word: 'incr' | 'decr', key: string, by: bigint | number): Promise<bigint | undefined> {
    if (!(by >= 0 && by <= MOST_64) || (typeof by === 'number' && !Number.isSafeInteger(by)))
      throw new InputError(`by: ${by} is not allowed; write a whole number from 0 to 2^64 - 1`);
    return this.#line(`${word} ${validKey(key, 'key')} ${by}`, (reader) => {
      if (reader.status === NUMBER) return { answer: BigInt(textOf(reader, reader.lineFrom, reader.lineTo)) };
      return reader.status === NOT_FOUND ? { answer: undefined } : 'garbled';
    });
  }

  #line<T>(line: string, take: Take<T>): Promise<T> {
    return this.#ask(line, ascii(`${line}\r\n`), take);
  }

  #ask<T>(what: string, request: Buffer, take: Take<T>): Promise<T> {
    return this.#asking.ask(what, request, (bytes, from): Heard<T> => {
      const reader = this.#reader;
      const at = reader.read(bytes, from, bytes.length);
      if (reader.status === PENDING) return { at };
      if (reader.status === GARBLED) return { at, end: 'garbled' };
      if (reader.status === FAILED) return { at, end: { refusal: textOf(reader, reader.lineFrom, reader.lineTo) } };
      const taken = take(reader);
      return taken === 'more' ? { at } : { at, end: taken };
    });
  }
}

function textOf(reader: TextReader, from: number, to: number): string {
  return reader.source.toString('latin1', from, to);
}

function either(status: number, done: number): { answer: boolean } | 'garbled' {
  return status === done || status === NOT_FOUND ? { answer: status === done } : 'garbled';
}

function seconds(value: number): number {
  return wholeNumber('seconds', value, 0, 2 ** 31 - 1);
}
