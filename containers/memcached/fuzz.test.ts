/**
 * The protocols against generated traffic: well-formed answers to pipelined requests, cut anywhere, and garbage. fast-check prints the seed and the smallest example of
 * what fails.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../harness/load/protocol.ts';
import { answerIn, carryAll, hearAll, outcomeOf, packet, type Told } from './answers.fixture.ts';
import { BinaryReader, WHOLE } from './binary-reader.ts';
import { END, LineReader, VALUE } from './line-reader.ts';
import { MetaReader } from './meta-reader.ts';
import { memcachedProtocol, OPERATIONS_OF, type Operation, type ProtocolName } from './protocol.ts';
import { TextReader } from './text-reader.ts';

const PROTOCOLS = ['text', 'meta', 'binary'] as const;
const CASES = 2_000;
/** A kind of case that came up more seldom than this was hardly tried. */
const FEW = CASES / 100;
const KEYS = 12;
/** The keys that count. */
const isNumber = (key: number) => key >= 10;
const SEVERAL = 3;
/** Of 1 to 250 characters: shorter than the step in which they are compared, as long, longer, and all with the same beginning. */
const LENGTHS = [1, 2, 7, 8, 9, 15, 16, 17, 40, 250, 8, 16];
const keyName = (key: number) => `${'k'.repeat((LENGTHS[key] as number) - 1)}${key.toString(36)}`;

interface Drawn {
  readonly operation: Operation;
  readonly key: number;
  readonly answer: Answer;
  readonly grown: number;
  readonly token: number;
}

const ANSWERS: Partial<Record<Operation, readonly Answer[]>> = {
  get: ['hit', 'miss', 'server'],
  gets: ['hit', 'miss', 'server'],
  'multi-get': ['hit', 'miss', 'server'],
  set: ['done', 'server'],
  cas: ['done', 'unmet', 'miss', 'server'],
  delete: ['done', 'miss', 'server'],
  incr: ['done', 'miss', 'server'],
  decr: ['done', 'miss', 'server'],
  touch: ['done', 'miss', 'server'],
  version: ['done', 'server'],
  noop: ['done', 'server'],
};
const CONDITIONAL: readonly Answer[] = ['done', 'unmet', 'server'];

const exchangeOf = (protocol: ProtocolName): fc.Arbitrary<Drawn> =>
  fc.constantFrom(...OPERATIONS_OF[protocol]).chain((operation) =>
    fc.record({
      operation: fc.constant(operation),
      key: fc.nat({ max: KEYS - 1 }),
      answer: fc.constantFrom(...(ANSWERS[operation] ?? CONDITIONAL)),
      grown: fc.nat({ max: 3 }),
      token: fc.nat(),
    }),
  );

const sizes = fc.array(fc.oneof({ weight: 20, arbitrary: fc.nat({ max: 200 }) }, { weight: 1, arbitrary: fc.constantFrom(2_048, 16_384, 100_000) }), {
  minLength: KEYS,
  maxLength: KEYS,
});

/** From 0 to 1, each with the same chance: of a `double` fast-check draws the bits, so that nine of ten would lie below a thousandth. */
const anyShare = fc.nat({ max: 1_000_000 }).map((millionths) => millionths / 1_000_000);

/** Places to cut at: a few anywhere, or one in every so many bytes. */
const cuts = fc.oneof(fc.record({ shares: fc.array(anyShare, { maxLength: 12 }) }), fc.record({ every: fc.integer({ min: 1, max: 60 }) }));

function placesOf(cut: { shares: number[] } | { every: number }, length: number): number[] {
  if ('shares' in cut) return cut.shares.map((share) => Math.floor(share * length));
  // No more than two thousand pieces, whatever the length.
  const every = Math.max(cut.every, Math.ceil(length / 2_000));
  return Array.from({ length: Math.floor(length / every) }, (_, n) => (n + 1) * every);
}

/** Made of what could be mistaken for the end of something. */
function valueOfLength(length: number): Buffer {
  return Buffer.alloc(length, '\r\nEND\r\nVALUE k 0 3\r\nHD O1\r\n\x81\x00');
}

function told({ operation, key, answer, grown, token }: Drawn, lengths: readonly number[]): Told {
  const asked = operation === 'multi-get' ? Array.from({ length: SEVERAL }, (_, n) => (key + n) % KEYS) : [key];
  // Some are missing in a miss of several, and they come in any order.
  const there = answer === 'hit' ? asked : operation === 'multi-get' && answer === 'miss' ? asked.slice(0, token % SEVERAL) : [];
  const rotated = [...there.slice(grown % 2), ...there.slice(0, grown % 2)];
  const found = rotated.map((place) => ({
    key: place,
    name: keyName(place),
    value: valueOfLength(isNumber(place) ? 1 + (token % 20) : (lengths[place] as number) + 8 * grown),
  }));
  return { operation, key, answer, found, token };
}

function protocolOf(name: ProtocolName, lengths: readonly number[]) {
  return memcachedProtocol(name, {
    keys: KEYS,
    keyName,
    sizes: (key) => (isNumber(key) ? 20 : (lengths[key] as number)),
    operations: OPERATIONS_OF[name],
    numbers: isNumber,
    multiGet: SEVERAL,
  });
}

const conversationOf = (name: ProtocolName, lengths: readonly number[]) => protocolOf(name, lengths).converse();

/** How often each kind of thing came up. */
class Counts {
  readonly #counts = new Map<string, number>();

  add(kind: string): void {
    this.#counts.set(kind, this.of(kind) + 1);
  }

  of(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** Those of these that came up too seldom. */
  fewOf(kinds: Iterable<string>): string[] {
    return [...new Set(kinds)].filter((kind) => this.of(kind) < FEW).map((kind) => `${kind}: ${this.of(kind)}`);
  }
}

const LENGTHS_HEARD = Array.from({ length: KEYS }, (_, key) => key * 3);

/** No answer to this request: to one for another key, where answers tell that, or nothing that the protocol knows. */
function wrongAnswer(name: ProtocolName, exchange: Drawn): { readonly kind: string; readonly bytes: Buffer } {
  const { operation, key, token } = exchange;
  const reads = operation === 'get' || operation === 'gets' || operation === 'multi-get';
  const hasKey = operation !== 'version' && operation !== 'noop';
  // Beyond the keys that are asked for together.
  const other = (key + SEVERAL + (token % (KEYS - 2 * SEVERAL))) % KEYS;
  if (token % 2 === 0 && (name === 'text' ? reads : hasKey))
    return { kind: 'of another key', bytes: answerIn(name, told({ ...exchange, key: other, answer: reads ? 'hit' : 'done' }, LENGTHS_HEARD)) };
  const nonsense = Buffer.from('NONSENSE\r\n');
  return { kind: 'of no protocol', bytes: name === 'binary' ? packet({ magic: 0x80, opcode: 0, opaque: key }) : nonsense };
}

const askedOf = (name: ProtocolName, exchanges: readonly Drawn[]) =>
  exchanges.map(({ operation, key }) => ({ operation: OPERATIONS_OF[name].indexOf(operation), key }));

describe.each(PROTOCOLS)('the %s protocol', (name) => {
  it(`hears the same however the answers are cut, in ${CASES} generated cases`, () => {
    let cases = 0;
    const counts = new Counts();
    fc.assert(
      fc.property(fc.array(exchangeOf(name), { minLength: 1, maxLength: 12 }), sizes, cuts, (exchanges, lengths, cut) => {
        cases++;
        for (const kind of new Set(exchanges.flatMap(({ operation, answer }) => [`${operation} ${answer}`, answer]))) counts.add(kind);
        const bytes = Buffer.concat(exchanges.map((exchange) => answerIn(name, told(exchange, lengths))));
        const asked = askedOf(name, exchanges);
        const expected = exchanges.map(({ answer }) => answer);
        expect(hearAll(conversationOf(name, lengths), asked, bytes)).toEqual(expected);
        expect(hearAll(conversationOf(name, lengths), asked, bytes, placesOf(cut, bytes.length))).toEqual(expected);
      }),
      { numRuns: CASES },
    );
    expect(cases).toBe(CASES);
    expect(
      counts.fewOf(OPERATIONS_OF[name].flatMap((operation) => (ANSWERS[operation] ?? CONDITIONAL).flatMap((answer) => [`${operation} ${answer}`, answer]))),
    ).toEqual([]);
  });

  it(`takes a wrong answer for garbled, and hears nothing that comes behind it, in ${CASES} generated cases`, () => {
    let cases = 0;
    const counts = new Counts();
    fc.assert(
      fc.property(
        fc.array(exchangeOf(name), { maxLength: 4 }),
        exchangeOf(name),
        fc.array(exchangeOf(name), { maxLength: 4 }),
        cuts,
        (before, wrong, behind, cut) => {
          cases++;
          const { kind, bytes: wrongBytes } = wrongAnswer(name, wrong);
          for (const one of [kind, `behind ${before.length}`, `before ${behind.length}`]) counts.add(one);
          const good = (exchanges: readonly Drawn[]) => exchanges.map((exchange) => answerIn(name, told(exchange, LENGTHS_HEARD)));
          const bytes = Buffer.concat([...good(before), wrongBytes, ...good(behind)]);
          const asked = askedOf(name, [...before, wrong, ...behind]);
          const places = placesOf(cut, bytes.length);
          const answers = before.map(({ answer }) => answer);
          expect(hearAll(conversationOf(name, LENGTHS_HEARD), asked, bytes, places)).toEqual([...answers, 'garbled']);
          // All that are under way on that connection fail with it, in their order, and it is closed.
          const outcomes = [...answers.map(outcomeOf), ...[wrong, ...behind].map(() => 'garbled')];
          expect(carryAll(protocolOf(name, LENGTHS_HEARD), asked, bytes, places)).toEqual({
            ended: outcomes.map((outcome, request) => ({ request, outcome })),
            underWay: 0,
            isClosed: true,
            opened: 1,
          });
        },
      ),
      { numRuns: CASES },
    );
    expect(cases).toBe(CASES);
    expect(counts.fewOf(['of another key', 'of no protocol', ...[0, 1, 2, 3, 4].flatMap((length) => [`behind ${length}`, `before ${length}`])])).toEqual([]);
  });

  it(`takes any garbage and any damaged answer without an end, a throw or a number of bytes that it did not have, in ${CASES} generated cases`, () => {
    const damage = fc.array(fc.record({ at: anyShare, kind: fc.constantFrom('change', 'insert', 'delete', 'cut off'), byte: fc.nat(255) }), {
      minLength: 1,
      maxLength: 4,
    });
    const damaged = fc.tuple(fc.array(exchangeOf(name), { minLength: 1, maxLength: 4 }), damage).map(([exchanges, damages]) => ({
      from: 'damaged',
      exchanges,
      bytes: damages.reduce(harmed, Buffer.concat(exchanges.map((exchange) => answerIn(name, told(exchange, LENGTHS_HEARD))))),
    }));
    const garbage = fc.record({
      from: fc.constant('garbage'),
      exchanges: fc.array(exchangeOf(name), { minLength: 1, maxLength: 4 }),
      // Without a size, fast-check stops at ten.
      bytes: fc.uint8Array({ maxLength: 5_000, size: 'max' }).map((bytes) => Buffer.from(bytes)),
    });
    let cases = 0;
    const counts = new Counts();
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: damaged }, { weight: 1, arbitrary: garbage }), cuts, ({ from, exchanges, bytes }, cut) => {
        cases++;
        const asked = askedOf(name, exchanges);
        // More requests than there can be answers, so that all bytes are heard.
        const always = Array.from({ length: bytes.length + 1 }, (_, n) => asked[n % asked.length] as (typeof asked)[number]);
        const places = placesOf(cut, bytes.length);
        const heard = hearAll(conversationOf(name, LENGTHS_HEARD), always, bytes, places);
        const isGarbled = heard.includes('garbled');
        const good = isGarbled ? heard.slice(0, -1) : heard;
        expect(good).not.toContain('garbled');
        // On a connection of the load the good ones count, and with the garbled one all that are under way have ended. One is asked for more than will be heard.
        const requests = always.slice(0, heard.length + 1);
        const { ended, underWay, isClosed } = carryAll(protocolOf(name, LENGTHS_HEARD), requests, bytes, places);
        expect(ended.map(({ request }) => request)).toEqual(ended.map((_, request) => request));
        expect(ended.map(({ outcome }) => outcome)).toEqual([...good.map(outcomeOf), ...(isGarbled ? requests.slice(good.length).map(() => 'garbled') : [])]);
        expect([underWay, isClosed]).toEqual(isGarbled ? [0, true] : [1, false]);

        for (const kind of [from, isGarbled ? `${from}: garbled` : 'none garbled', ...(isGarbled && good.length > 0 ? ['good and garbled'] : [])])
          counts.add(kind);
        if (!isGarbled && good.length < exchanges.length) counts.add('cut short');
      }),
      { numRuns: CASES },
    );
    expect(cases).toBe(CASES);
    const kinds = ['damaged', 'garbage', 'damaged: garbled', 'garbage: garbled', 'none garbled', 'good and garbled', 'cut short'];
    expect(counts.fewOf(kinds)).toEqual([]);
  });
});

function harmed(bytes: Buffer, { at, kind, byte }: { at: number; kind: string; byte: number }): Buffer {
  const place = Math.floor(at * bytes.length);
  const [before, behind] = [bytes.subarray(0, place), bytes.subarray(place)];
  if (kind === 'cut off') return before;
  if (kind === 'insert') return Buffer.concat([before, Buffer.from([byte]), behind]);
  return Buffer.concat([before, kind === 'change' ? Buffer.from([byte]) : Buffer.alloc(0), behind.subarray(1)]);
}

describe('a reader that keeps values', () => {
  const value = fc
    .oneof(fc.uint8Array({ maxLength: 300, size: 'max' }), fc.constantFrom(0, 1, 2, 2_047, 2_048, 65_536, 1_000_000).map(valueOfLength))
    .map((bytes) => Buffer.from(bytes));

  it.each(PROTOCOLS)('of the %s protocol has the very bytes that were sent, however they are cut', (name) => {
    let cases = 0;
    let cutCases = 0;
    let empty = 0;
    let long = 0;
    fc.assert(
      fc.property(value, fc.nat({ max: KEYS - 1 }), cuts, (sent, key, cut) => {
        cases++;
        const answer = answerIn(name, { operation: 'gets', key, answer: 'hit', found: [{ key, name: keyName(key), value: sent }], token: 77 });
        const reader = readerOf(name);
        const values: Buffer[] = [];
        const places = placesOf(cut, answer.length);
        if (places.some((place) => place > 0 && place < answer.length)) cutCases++;
        if (sent.length === 0) empty++;
        if (sent.length > 2_048) long++;
        let from = 0;
        for (const end of [...places.sort((a, b) => a - b), answer.length]) {
          // A copy for each piece, spoilt afterwards, since the bytes are only lent.
          const piece = Buffer.from(answer.subarray(from, end));
          for (let at = 0; at < piece.length; ) {
            at = reader.read(piece, at, piece.length);
            const complete = reader instanceof LineReader ? reader.status === VALUE : reader.state === WHOLE;
            if (complete) values.push(Buffer.from(reader.valueSource.subarray(reader.valueFrom, reader.valueFrom + reader.valueBytes)));
          }
          piece.fill('#');
          from = Math.max(from, end);
        }
        expect(values).toHaveLength(1);
        expect(values[0]?.equals(sent)).toBe(true);
        if (name === 'text') expect((reader as LineReader).status).toBe(END);
      }),
      { numRuns: 500 },
    );
    expect(cases).toBe(500);
    // Most are cut, some hold nothing, some more than a line does.
    expect(cutCases).toBeGreaterThan(250);
    expect(empty).toBeGreaterThan(5);
    expect(long).toBeGreaterThan(20);
  });

  it.each([
    ['text', 'VALUE k 0 1000001\r\n'],
    ['text', 'VALUE k 0 99999999999999999999999999\r\n'],
    ['meta', 'VA 1000001 f0\r\n'],
    ['meta', 'VA 18446744073709551615\r\n'],
    ['binary', '\x81\0\0\0\x04\0\0\0\x7f\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0'],
    ['binary', '\x81\0\xff\xff\xff\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0'],
  ] as const)('of the %s protocol makes no room for a value that is too long to be one: %j', (name, header) => {
    const bytes = Buffer.from(header, 'latin1');
    for (const piece of [bytes.length, 5, 1]) {
      const reader = readerOf(name);
      for (let at = 0; at < bytes.length; at += piece) reader.read(bytes, at, Math.min(bytes.length, at + piece));
      expect(reader.valueSource.length).toBe(0);
    }
  });

  it('makes room for a value once, as long as its header tells', () => {
    const reader = readerOf('text');
    const header = Buffer.from('VALUE k 0 1000000\r\n');
    const piece = Buffer.alloc(1_000, 'x');
    reader.read(header, 0, header.length);
    const room = reader.valueSource;
    expect(room.length).toBe(1_000_000);
    for (let n = 0; n < 1_000; n++) reader.read(piece, 0, piece.length);
    reader.read(Buffer.from('\r\n'), 0, 2);
    expect(reader.valueSource).toBe(room);
    expect(room.equals(Buffer.alloc(1_000_000, 'x'))).toBe(true);
  });
});

function readerOf(name: ProtocolName): TextReader | MetaReader | BinaryReader {
  return name === 'text' ? new TextReader(1_000_000, true) : name === 'meta' ? new MetaReader(1_000_000, true) : new BinaryReader(1_000_000, true);
}
