/**
 * memcached's binary protocol as the load speaks it, with a login (SASL PLAIN) as the opening of a connection where one is wanted.
 *
 * Every request carries the number of its key as its opaque, and every answer brings it back beside the operation that it answers: that proves which key it
 * is about, a miss as well, and costs nothing.
 */
import type { Answer, Conversation, Protocol } from '../../harness/load/protocol.ts';
import { BinaryReader, GARBLED, HEADER_BYTES, PENDING } from './binary-reader.ts';
import { type Credentials, loginRequest, OPCODE, putHeader, STATUS } from './binary-requests.ts';
import { putWord } from './bytes.ts';
import { type Items, PIECE } from './items.ts';
import type { Operation } from './operations.ts';
import { Tokens } from './tokens.ts';

const NOTHING = 0;
const WHOLE_VALUE = 1;
const SOME_MORE = 2;

/** How an operation is written, and what its answers mean. */
interface Form {
  readonly opcode: number;
  readonly hasKey: boolean;
  /** Between header and key: flags and expiry of a value, step and first value of a counter. */
  readonly extras: Buffer;
  readonly sends: number;
  /** The answer to a get carries flags before its value. */
  readonly reads: boolean;
  /** A cas token is sent (cas) or kept (gets). */
  readonly token: boolean;
  readonly found: Answer;
  readonly notFound: Answer;
}

function form(opcode: number, more: Partial<Form> = {}): Form {
  return { opcode, hasKey: true, extras: Buffer.alloc(0), sends: NOTHING, reads: false, token: false, found: 'done', notFound: 'miss', ...more };
}

/** Flags are 0 and nothing expires: what was stored is there until memcached needs the room. */
const STORED = { extras: Buffer.alloc(8), sends: WHOLE_VALUE } as const;
/** Counts by 1. An expiry of all ones says that a counter that is not there is not to be made. */
const COUNTED = { extras: Buffer.from('0000000000000001 0000000000000000 ffffffff'.replaceAll(' ', ''), 'hex') } as const;

const FORMS: Readonly<Partial<Record<Operation, Form>>> = {
  get: form(OPCODE.get, { reads: true, found: 'hit' }),
  gets: form(OPCODE.get, { reads: true, found: 'hit', token: true }),
  set: form(OPCODE.set, STORED),
  add: form(OPCODE.add, STORED),
  // Only here absent is the unmet condition: the other protocols say NOT_STORED.
  replace: form(OPCODE.replace, { ...STORED, notFound: 'unmet' }),
  append: form(OPCODE.append, { sends: SOME_MORE }),
  prepend: form(OPCODE.prepend, { sends: SOME_MORE }),
  cas: form(OPCODE.set, { ...STORED, token: true }),
  delete: form(OPCODE.delete),
  incr: form(OPCODE.incr, COUNTED),
  decr: form(OPCODE.decr, COUNTED),
  touch: form(OPCODE.touch, { extras: Buffer.alloc(4) }),
  version: form(OPCODE.version, { hasKey: false }),
  noop: form(OPCODE.noop, { hasKey: false }),
};

export function binaryProtocol(items: Items, operations: readonly Operation[], auth?: Credentials): Protocol {
  const forms = operations.map((operation) => FORMS[operation] as Form);
  // A token of zeros would ask for no comparison, so that the first cas of a key would be a set: all ones are the token of no value.
  const tokens = operations.includes('cas') ? new Tokens(items.keys, Buffer.alloc(8, 0xff)) : undefined;
  const login = auth ? loginRequest(auth) : undefined;
  const longestRequestBytes = Math.max(
    login?.length ?? 0,
    HEADER_BYTES + COUNTED.extras.length + items.names.longest + Math.max(items.longestStored, PIECE.length),
  );
  const converse = () => new BinaryConversation(items, forms, tokens, login);
  return login ? { longestRequestBytes, opening: forms.length, converse } : { longestRequestBytes, converse };
}

/** The longest words of an error, which are the value of its answer. */
const LONGEST_WORDS = 1_024;

class BinaryConversation implements Conversation {
  answer: Answer | undefined;
  readonly #items: Items;
  readonly #forms: readonly Form[];
  readonly #tokens: Tokens | undefined;
  readonly #login: Buffer | undefined;
  readonly #reader: BinaryReader;

  constructor(items: Items, forms: readonly Form[], tokens: Tokens | undefined, login: Buffer | undefined) {
    this.#items = items;
    this.#forms = login ? [...forms, form(OPCODE.saslAuth, { hasKey: false })] : forms;
    this.#tokens = tokens;
    this.#login = login;
    this.#reader = new BinaryReader(Math.max(items.longestHeard, LONGEST_WORDS), false);
  }

  ask(out: Buffer, at: number, operation: number, key: number): number {
    const form = this.#forms[operation] as Form;
    if (this.#login && form.opcode === OPCODE.saslAuth) return putWord(out, at, this.#login);
    if (!form.hasKey) return putHeader(out, at, form.opcode, 0, 0, 0, key);
    const { names } = this.#items;
    const keyBytes = names.lengthOf(key);
    const extras = form.extras;
    if (form.sends === NOTHING) {
      const end = putHeader(out, at, form.opcode, keyBytes, extras.length, extras.length + keyBytes, key);
      return names.put(out, putWord(out, end, extras), key);
    }
    const value = form.sends === WHOLE_VALUE ? this.#items.value(key) : PIECE;
    let end = putHeader(out, at, form.opcode, keyBytes, extras.length, extras.length + keyBytes + value.length, key);
    if (form.token && this.#tokens) this.#tokens.put(out, at + 16, key);
    end = names.put(out, putWord(out, end, extras), key);
    out.set(value, end);
    return end + value.length;
  }

  hear(bytes: Buffer, at: number, end: number, operation: number, key: number): number {
    const form = this.#forms[operation] as Form;
    const reader = this.#reader;
    const here = reader.read(bytes, at, end);
    if (reader.state === PENDING) this.answer = undefined;
    else if (reader.state === GARBLED || reader.opcode !== form.opcode || reader.opaque !== key) this.answer = 'garbled';
    else this.answer = this.#meaning(form, key);
    return here;
  }

  #meaning(form: Form, key: number): Answer {
    const { status } = this.#reader;
    if (status === STATUS.ok) return !form.reads || this.#isValueOf(key, form) ? form.found : 'garbled';
    if (!form.hasKey) return 'server';
    if (status === STATUS.notFound) return form.notFound;
    return status === STATUS.exists || status === STATUS.notStored ? 'unmet' : 'server';
  }

  /** Whether it is the value of a get: four bytes of flags, all 0, no key, and a length that this key can have. */
  #isValueOf(key: number, form: Form): boolean {
    const { source, extrasFrom, keyFrom, keyTo, valueBytes, casFrom } = this.#reader;
    if (keyFrom - extrasFrom !== 4 || keyTo !== keyFrom || !this.#items.fits(key, valueBytes)) return false;
    if (source[extrasFrom] !== 0 || source[extrasFrom + 1] !== 0 || source[extrasFrom + 2] !== 0 || source[extrasFrom + 3] !== 0) return false;
    if (form.token && this.#tokens) this.#tokens.keep(key, source, casFrom, casFrom + 8);
    return true;
  }
}
