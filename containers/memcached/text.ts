/**
 * memcached's text protocol as the load speaks it.
 *
 * What comes back is held against what was asked: a VALUE must carry the key, the flags (0) and a length that the key can have, since a proxy that hands one
 * client's answer to another must not pass for a fast one. Answers without a key (a miss, STORED, a number) cannot be told from another request's.
 */
import type { Answer, Conversation, Protocol } from '../../harness/load/protocol.ts';
import { ascii, putLineEnd, putNumber, putWord, SPACE } from './bytes.ts';
import { type Items, PIECE } from './items.ts';
import { DELETED, END, EXISTS, FAILED, NOT_FOUND, NOT_STORED, NUMBER, PENDING, STATUSES, STORED, TOUCHED, VALUE, VERSION } from './line-reader.ts';
import type { Operation } from './operations.ts';
import { TextReader } from './text-reader.ts';
import { Tokens } from './tokens.ts';

const NO_KEY = 0;
const ONE_KEY = 1;
const SEVERAL_KEYS = 2;

const NOTHING = 0;
const WHOLE_VALUE = 1;
const SOME_MORE = 2;

/** How an operation is written, and what its answers mean. */
interface Form {
  /** Before the keys. */
  readonly word: Buffer;
  readonly keys: number;
  /** Behind the key. */
  readonly behind: Buffer;
  /** What is sent to be stored: its length stands in the line. */
  readonly sends: number;
  /** VALUE lines come before the END. */
  readonly reads: boolean;
  /** A cas token is sent (cas) or comes (gets). */
  readonly token: boolean;
  /** By status. */
  readonly answers: readonly Answer[];
}

type Meanings = readonly (readonly [number, Answer])[];

const STORING: Meanings = [
  [STORED, 'done'],
  [NOT_STORED, 'unmet'],
  [EXISTS, 'unmet'],
  [NOT_FOUND, 'miss'],
];
const COUNTING: Meanings = [
  [NUMBER, 'done'],
  [NOT_FOUND, 'miss'],
];

function form(line: string, meanings: Meanings, more: { keys?: number; sends?: number; reads?: boolean; token?: boolean } = {}): Form {
  const [word = '', behind = ''] = line.split('KEY');
  const answers = Array.from<Answer>({ length: STATUSES }).fill('garbled');
  answers[FAILED] = 'server';
  for (const [status, answer] of meanings) answers[status] = answer;
  return {
    word: ascii(word),
    behind: ascii(behind),
    keys: line.includes('KEY') ? ONE_KEY : NO_KEY,
    sends: NOTHING,
    reads: false,
    token: false,
    ...more,
    answers,
  };
}

/** Flags are 0 and nothing expires: what was stored is there until memcached needs the room. incr and decr count by 1. */
const FORMS: Readonly<Partial<Record<Operation, Form>>> = {
  get: form('get KEY', [[END, 'miss']], { reads: true }),
  gets: form('gets KEY', [[END, 'miss']], { reads: true, token: true }),
  'multi-get': form('get KEY', [[END, 'miss']], { keys: SEVERAL_KEYS, reads: true }),
  set: form('set KEY 0 0 ', STORING, { sends: WHOLE_VALUE }),
  add: form('add KEY 0 0 ', STORING, { sends: WHOLE_VALUE }),
  replace: form('replace KEY 0 0 ', STORING, { sends: WHOLE_VALUE }),
  append: form('append KEY 0 0 ', STORING, { sends: SOME_MORE }),
  prepend: form('prepend KEY 0 0 ', STORING, { sends: SOME_MORE }),
  cas: form('cas KEY 0 0 ', STORING, { sends: WHOLE_VALUE, token: true }),
  delete: form('delete KEY', [
    [DELETED, 'done'],
    [NOT_FOUND, 'miss'],
  ]),
  incr: form('incr KEY 1', COUNTING),
  decr: form('decr KEY 1', COUNTING),
  touch: form('touch KEY 0', [
    [TOUCHED, 'done'],
    [NOT_FOUND, 'miss'],
  ]),
  version: form('version', [[VERSION, 'done']]),
};

/** `several` is the number of keys of a multi-get. */
export function textProtocol(items: Items, operations: readonly Operation[], several: number): Protocol {
  const forms = operations.map((operation) => FORMS[operation] as Form);
  const tokens = operations.includes('cas') ? new Tokens(items.keys, ascii('0')) : undefined;
  const keys = operations.includes('multi-get') ? several : 1;
  // The longest word is 'replace ', the longest numbers are a length of ten digits and a token of twenty.
  const longestRequestBytes = 64 + keys * (items.names.longest + 1) + Math.max(items.longestStored, PIECE.length);
  return { longestRequestBytes, converse: () => new TextConversation(items, forms, tokens, keys) };
}

class TextConversation implements Conversation {
  answer: Answer | undefined;
  readonly #items: Items;
  readonly #forms: readonly Form[];
  readonly #tokens: Tokens | undefined;
  readonly #several: number;
  readonly #reader: TextReader;
  /** How many values have come of the answer that is being read, and for a multi-get of which keys. */
  #found = 0;
  readonly #seen: Uint8Array;

  constructor(items: Items, forms: readonly Form[], tokens: Tokens | undefined, several: number) {
    this.#items = items;
    this.#forms = forms;
    this.#tokens = tokens;
    this.#several = several;
    this.#seen = new Uint8Array(several);
    this.#reader = new TextReader(items.longestHeard, false, items.names);
  }

  ask(out: Buffer, at: number, operation: number, key: number): number {
    const form = this.#forms[operation] as Form;
    const { names } = this.#items;
    let end = putWord(out, at, form.word);
    if (form.keys === NO_KEY) return putLineEnd(out, end);
    end = names.put(out, end, key);
    if (form.keys === SEVERAL_KEYS) {
      for (let n = 1; n < this.#several; n++) {
        out[end++] = SPACE;
        end = names.put(out, end, this.#following(key, n));
      }
    }
    end = putWord(out, end, form.behind);
    if (form.sends !== NOTHING) {
      const value = form.sends === WHOLE_VALUE ? this.#items.value(key) : PIECE;
      end = putNumber(out, end, value.length);
      if (form.token && this.#tokens) {
        out[end++] = SPACE;
        end = this.#tokens.put(out, end, key);
      }
      end = putLineEnd(out, end);
      out.set(value, end);
      end += value.length;
    }
    return putLineEnd(out, end);
  }

  hear(bytes: Buffer, at: number, end: number, operation: number, key: number): number {
    const form = this.#forms[operation] as Form;
    const reader = this.#reader;
    this.answer = undefined;
    let here = at;
    while (here < end) {
      reader.expected = this.#found === 0 ? key : this.#following(key, this.#found);
      here = reader.read(bytes, here, end);
      const status = reader.status;
      if (status === PENDING) return here;
      if (status === VALUE && form.reads) {
        if (form.keys === SEVERAL_KEYS ? this.#isOneOf(key) : this.#isOf(key, form)) continue;
        return this.#finish('garbled', here);
      }
      if (status === END && form.reads && this.#found === (form.keys === SEVERAL_KEYS ? this.#several : 1)) return this.#finish('hit', here);
      return this.#finish(form.answers[status] as Answer, here);
    }
    return here;
  }

  #finish(answer: Answer, here: number): number {
    // Clearing costs as much as a quarter of a get.
    if (this.#several > 1 && this.#found > 0) this.#seen.fill(0);
    this.#found = 0;
    this.answer = answer;
    return here;
  }

  #following(key: number, n: number): number {
    const next = key + n;
    return next < this.#items.keys ? next : next - this.#items.keys;
  }

  /** Whether the value is the one of this key, and the first. */
  #isOf(key: number, form: Form): boolean {
    const { source, casFrom, casTo } = this.#reader;
    if (this.#found > 0 || !this.#isValueOf(key) || form.token !== casTo > casFrom) return false;
    this.#found = 1;
    if (form.token && this.#tokens) this.#tokens.keep(key, source, casFrom, casTo);
    return true;
  }

  /** Whether the value is of one of the keys that were asked for together, and the first of it. memcached answers in their order, a proxy before several of them in any. */
  #isOneOf(key: number): boolean {
    for (let tried = 0; tried < this.#several; tried++) {
      const n = (this.#found + tried) % this.#several;
      if (this.#seen[n] === 1 || !this.#isValueOf(this.#following(key, n))) continue;
      this.#seen[n] = 1;
      this.#found++;
      return true;
    }
    return false;
  }

  #isValueOf(key: number): boolean {
    const { expected, isExpected, source, keyFrom, keyTo, flags, valueBytes } = this.#reader;
    const { names } = this.#items;
    if (flags !== 0 || !this.#items.fits(key, valueBytes)) return false;
    return key === expected ? isExpected : keyTo - keyFrom === names.lengthOf(key) && names.isAt(source, keyFrom, keyTo, key);
  }
}
