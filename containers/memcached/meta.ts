/**
 * memcached's meta protocol as the load speaks it.
 *
 * Every request carries the number of its key as its opaque (`O`), and every answer to it, a miss as well, brings it back: that proves which key the answer is
 * about. The flag `k` would prove the same with the whole key, some thirty bytes more in each answer and as many to compare. What a proxy
 * that confuses two requests for the same key does stays unseen, as it changes nothing.
 */
import type { Answer, Conversation, Protocol } from '../../harness/load/protocol.ts';
import { ascii, putLineEnd, putNumber, putWord, SPACE } from './bytes.ts';
import { type Items, PIECE } from './items.ts';
import { END, EXISTS, FAILED, GARBLED, HEAD, NOT_FOUND, NOT_STORED, NOTHING_DONE, PENDING, STATUSES, VALUE } from './line-reader.ts';
import { MetaReader } from './meta-reader.ts';
import type { Operation } from './operations.ts';
import { Tokens } from './tokens.ts';

const NOTHING = 0;
const WHOLE_VALUE = 1;
const SOME_MORE = 2;

/** How an operation is written, and what its answers mean. */
interface Form {
  /** Before the key; the whole request where there is none. */
  readonly word: Buffer;
  readonly hasKey: boolean;
  /** Behind the key, or behind the length of what is stored: flags, the last of which is `O`, or `C` where a cas token follows. */
  readonly flags: Buffer;
  readonly sends: number;
  /** A cas token is sent (cas) or comes (gets). */
  readonly token: boolean;
  /** By status. */
  readonly answers: readonly Answer[];
}

type Meanings = readonly (readonly [number, Answer])[];

const STORING: Meanings = [
  [HEAD, 'done'],
  [NOT_STORED, 'unmet'],
  [EXISTS, 'unmet'],
  [NOT_FOUND, 'miss'],
];
const FINDING: Meanings = [
  [VALUE, 'hit'],
  [END, 'miss'],
];
const CHANGING: Meanings = [
  [HEAD, 'done'],
  [NOT_FOUND, 'miss'],
];

function form(line: string, meanings: Meanings, more: { sends?: number; token?: boolean } = {}): Form {
  const [word = '', flags = ''] = line.split('KEY');
  const answers = Array.from<Answer>({ length: STATUSES }).fill('garbled');
  answers[FAILED] = 'server';
  for (const [status, answer] of meanings) answers[status] = answer;
  return { word: ascii(word), hasKey: line.includes('KEY'), flags: ascii(flags), sends: NOTHING, token: false, ...more, answers };
}

/** Flags are 0 and nothing expires: what was stored is there until memcached needs the room. incr and decr count by 1, which is ma's default. */
const FORMS: Readonly<Partial<Record<Operation, Form>>> = {
  get: form('mg KEY f v O', FINDING),
  gets: form('mg KEY f v c O', FINDING, { token: true }),
  set: form('ms KEY O', STORING, { sends: WHOLE_VALUE }),
  add: form('ms KEY ME O', STORING, { sends: WHOLE_VALUE }),
  replace: form('ms KEY MR O', STORING, { sends: WHOLE_VALUE }),
  append: form('ms KEY MA O', STORING, { sends: SOME_MORE }),
  prepend: form('ms KEY MP O', STORING, { sends: SOME_MORE }),
  cas: form('ms KEY C', STORING, { sends: WHOLE_VALUE, token: true }),
  delete: form('md KEY O', CHANGING),
  incr: form('ma KEY O', CHANGING),
  decr: form('ma KEY MD O', CHANGING),
  touch: form('mg KEY T0 O', [
    [HEAD, 'done'],
    [END, 'miss'],
  ]),
  noop: form('mn', [[NOTHING_DONE, 'done']]),
};
const OPAQUE_BEHIND_TOKEN = ascii(' O');

export function metaProtocol(items: Items, operations: readonly Operation[]): Protocol {
  const forms = operations.map((operation) => FORMS[operation] as Form);
  const tokens = operations.includes('cas') ? new Tokens(items.keys, ascii('0')) : undefined;
  // A word of three bytes, eight of flags, numbers of ten digits for the length and the opaque, and a token of twenty.
  const longestRequestBytes = 64 + items.names.longest + Math.max(items.longestStored, PIECE.length);
  return { longestRequestBytes, converse: () => new MetaConversation(items, forms, tokens) };
}

class MetaConversation implements Conversation {
  answer: Answer | undefined;
  readonly #items: Items;
  readonly #forms: readonly Form[];
  readonly #tokens: Tokens | undefined;
  readonly #reader: MetaReader;

  constructor(items: Items, forms: readonly Form[], tokens: Tokens | undefined) {
    this.#items = items;
    this.#forms = forms;
    this.#tokens = tokens;
    this.#reader = new MetaReader(items.longestHeard, false);
  }

  ask(out: Buffer, at: number, operation: number, key: number): number {
    const form = this.#forms[operation] as Form;
    let end = putWord(out, at, form.word);
    if (!form.hasKey) return putLineEnd(out, end);
    end = this.#items.names.put(out, end, key);
    if (form.sends === NOTHING) return putLineEnd(out, putNumber(out, putWord(out, end, form.flags), key));
    const value = form.sends === WHOLE_VALUE ? this.#items.value(key) : PIECE;
    out[end++] = SPACE;
    end = putWord(out, putNumber(out, end, value.length), form.flags);
    if (form.token && this.#tokens) end = putWord(out, this.#tokens.put(out, end, key), OPAQUE_BEHIND_TOKEN);
    end = putLineEnd(out, putNumber(out, end, key));
    out.set(value, end);
    return putLineEnd(out, end + value.length);
  }

  hear(bytes: Buffer, at: number, end: number, operation: number, key: number): number {
    const form = this.#forms[operation] as Form;
    const reader = this.#reader;
    const here = reader.read(bytes, at, end);
    const status = reader.status;
    if (status === PENDING) this.answer = undefined;
    else if (status === FAILED || status === GARBLED || !form.hasKey) this.answer = form.answers[status] as Answer;
    else this.answer = reader.opaque === key && (status !== VALUE || this.#isValueOf(key, form)) ? (form.answers[status] as Answer) : 'garbled';
    return here;
  }

  #isValueOf(key: number, form: Form): boolean {
    const { source, flags, valueBytes, casFrom, casTo } = this.#reader;
    if (flags !== 0 || !this.#reader.has('f') || !this.#items.fits(key, valueBytes) || form.token !== casTo > casFrom) return false;
    if (form.token && this.#tokens) this.#tokens.keep(key, source, casFrom, casTo);
    return true;
  }
}
