/**
 * Asks one memcached over its binary protocol, after a login where one is wanted: what the text protocol cannot do, since a memcached that wants a login refuses it.
 *
 * ```ts
 * using cache = await askMemcachedBinary({ host: '127.0.0.1', port: 11211 }, { auth: { user: 'app', password: 'secret' } });
 * (await cache.stats()).get('curr_items');
 * ```
 * Every question ends within its time limit; when there is no answer, or an error, it rejects with an EnvironmentError of one line.
 */
import type { Found } from './ask.ts';
import { Asking, type AskOptions, type Heard, type Target } from './asking.ts';
import { BinaryReader, GARBLED, HEADER_BYTES, PENDING } from './binary-reader.ts';
import { type Credentials, loginRequest, OPCODE, putHeader, STATUS } from './binary-requests.ts';
import { ascii } from './bytes.ts';
import { validKey } from './items.ts';

export interface AskBinaryOptions extends AskOptions {
  /** Who logs in, with SASL PLAIN. Nobody by default. */
  readonly auth?: Credentials;
}

const DEFAULT_LONGEST = 1_048_576;

type Take<T> = (reader: BinaryReader) => { readonly answer: T } | 'more' | 'refused' | 'garbled';

/** Connects and logs in. Throws EnvironmentError. */
export async function askMemcachedBinary(target: Target, options: AskBinaryOptions = {}): Promise<BinaryMemcachedAsker> {
  const login = options.auth && loginRequest(options.auth);
  const asker = new BinaryMemcachedAsker(await Asking.open(target, options), options.longestValueBytes ?? DEFAULT_LONGEST);
  try {
    if (login && options.auth) await asker.login(options.auth.user, login);
    return asker;
  } catch (thrown) {
    asker.close();
    throw thrown;
  }
}

export class BinaryMemcachedAsker implements Disposable {
  readonly #asking: Asking;
  readonly #reader: BinaryReader;
  #asked = 0;

  constructor(asking: Asking, longestValueBytes: number) {
    this.#asking = asking;
    this.#reader = new BinaryReader(longestValueBytes, true);
  }

  get(key: string): Promise<Found | undefined> {
    const name = ascii(validKey(key, 'key'));
    return this.#ask(`get ${key}`, OPCODE.get, { key: name }, (reader) => {
      if (reader.status === STATUS.notFound) return { answer: undefined };
      if (reader.status !== STATUS.ok) return 'refused';
      if (reader.keyFrom - reader.extrasFrom !== 4 || reader.keyTo !== reader.keyFrom) return 'garbled';
      return { answer: { value: Buffer.from(bodyOf(reader)), flags: reader.source.readUInt32BE(reader.extrasFrom) } };
    });
  }

  /** Never expires; its flags are 0. */
  set(key: string, value: string | Uint8Array): Promise<void> {
    return this.#ask(`set ${key}`, OPCODE.set, { extras: Buffer.alloc(8), key: ascii(validKey(key, 'key')), value: Buffer.from(value) }, done);
  }

  /** Whether it was there. */
  delete(key: string): Promise<boolean> {
    return this.#ask(`delete ${key}`, OPCODE.delete, { key: ascii(validKey(key, 'key')) }, ({ status }) =>
      status === STATUS.ok || status === STATUS.notFound ? { answer: status === STATUS.ok } : 'refused',
    );
  }

  /** Of a group such as 'items' or 'slabs'; the general ones without. */
  stats(group?: string): Promise<ReadonlyMap<string, string>> {
    const all = new Map<string, string>();
    const key = ascii(group === undefined ? '' : validKey(group, 'group'));
    return this.#ask(group === undefined ? 'stat' : `stat ${group}`, OPCODE.stat, { key }, (reader) => {
      if (reader.status !== STATUS.ok) return 'refused';
      // A statistic without a name is the end of them.
      if (reader.keyTo === reader.keyFrom) return { answer: all };
      all.set(reader.source.toString('latin1', reader.keyFrom, reader.keyTo), bodyOf(reader).toString('latin1'));
      return 'more';
    });
  }

  /** Forgets all items. */
  flushAll(): Promise<void> {
    return this.#ask('flush', OPCODE.flush, {}, done);
  }

  /** Answered only after the login, where one is wanted. */
  noop(): Promise<void> {
    return this.#ask('noop', OPCODE.noop, {}, done);
  }

  /** '1.6.18'. Answered before the login, too. */
  version(): Promise<string> {
    return this.#ask('version', OPCODE.version, {}, textAnswer);
  }

  /** The ways to log in, such as ['PLAIN']. memcached takes the question for the beginning of a login: who was logged in no longer is. Rejects when it wants none. */
  async mechanisms(): Promise<string[]> {
    return (await this.#ask('sasl list', OPCODE.saslList, {}, textAnswer)).split(' ');
  }

  /** What `loginRequest` made. */
  login(user: string, request: Buffer): Promise<void> {
    return this.#send(`login of ${user}`, OPCODE.saslAuth, request, 0, done);
  }

  /** Questions under way end with an error. */
  close(): void {
    this.#asking.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #ask<T>(
    what: string,
    opcode: number,
    { extras = NONE, key = NONE, value = NONE }: { extras?: Buffer; key?: Buffer; value?: Buffer },
    take: Take<T>,
  ): Promise<T> {
    const opaque = ++this.#asked >>> 0;
    const header = Buffer.alloc(HEADER_BYTES);
    putHeader(header, 0, opcode, key.length, extras.length, extras.length + key.length + value.length, opaque);
    return this.#send(what, opcode, Buffer.concat([header, extras, key, value]), opaque, take);
  }

  #send<T>(what: string, opcode: number, request: Buffer, opaque: number, take: Take<T>): Promise<T> {
    return this.#asking.ask(what, request, (bytes, from): Heard<T> => {
      const reader = this.#reader;
      const at = reader.read(bytes, from, bytes.length);
      if (reader.state === PENDING) return { at };
      if (reader.state === GARBLED || reader.opcode !== opcode || reader.opaque !== opaque) return { at, end: 'garbled' };
      const taken = take(reader);
      if (taken === 'refused') return { at, end: { refusal: bodyOf(reader).toString('latin1') || `status ${reader.status}` } };
      return taken === 'more' ? { at } : { at, end: taken };
    });
  }
}

const NONE = Buffer.alloc(0);

function bodyOf(reader: BinaryReader): Buffer {
  return reader.valueSource.subarray(reader.valueFrom, reader.valueFrom + reader.valueBytes);
}

function done({ status }: BinaryReader): { answer: undefined } | 'refused' {
  return status === STATUS.ok ? { answer: undefined } : 'refused';
}

function textAnswer(reader: BinaryReader): { answer: string } | 'refused' {
  return reader.status === STATUS.ok ? { answer: bodyOf(reader).toString('latin1') } : 'refused';
}
