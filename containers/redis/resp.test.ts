import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer, Conversation } from '../../harness/load/protocol.ts';
import { REDIS_OPERATIONS, type RedisOperation, redisProtocol } from './resp.ts';

const SIZES = [0, 3, 10, 70_000];
const protocol = redisProtocol({ keys: SIZES.length, keyName: (key) => `k:${key}`, sizes: (key) => SIZES[key] as number, operations: REDIS_OPERATIONS });
const numberOf = (operation: RedisOperation) => REDIS_OPERATIONS.indexOf(operation);

function asked(operation: RedisOperation, key: number): string {
  const out = Buffer.alloc(protocol.longestRequestBytes + 5, '?');
  const end = protocol.converse().ask(out, 5, numberOf(operation), key);
  expect(end).toBeLessThanOrEqual(out.length);
  return out.toString('latin1', 5, end);
}

interface Heard {
  readonly answer: Answer | undefined;
  /** How many bytes of the answer were read. */
  readonly read: number;
}

/** Feeds bytes in pieces that end where told, from the middle of a buffer that holds other things before and behind, until there is an answer. */
function hearInPieces(conversation: Conversation, operation: RedisOperation, key: number, bytes: Buffer, ends: readonly number[] = []): Heard {
  const lent = Buffer.alloc(bytes.length + 64);
  let read = 0;
  for (const end of [...ends, bytes.length]) {
    lent.fill('+OK\r\n$3\r\n');
    bytes.copy(lent, 32, read, end);
    const stopped = conversation.hear(lent, 32, 32 + end - read, numberOf(operation), key);
    const { answer } = conversation;
    if (answer !== undefined) return { answer, read: read + stopped - 32 };
    expect(stopped).toBe(32 + end - read);
    read = end;
  }
  return { answer: undefined, read };
}

function hear(operation: RedisOperation, key: number, answer: string): Heard {
  return hearInPieces(protocol.converse(), operation, key, Buffer.from(answer, 'latin1'));
}

describe('redisProtocol', () => {
  it('writes requests as Redis wants them', () => {
    expect(asked('get', 1)).toBe('*2\r\n$3\r\nGET\r\n$3\r\nk:1\r\n');
    expect(asked('set', 1)).toBe('*3\r\n$3\r\nSET\r\n$3\r\nk:1\r\n$3\r\nxxx\r\n');
    expect(asked('set', 0)).toBe('*3\r\n$3\r\nSET\r\n$3\r\nk:0\r\n$0\r\n\r\n');
    expect(asked('set', 3)).toBe(`*3\r\n$3\r\nSET\r\n$3\r\nk:3\r\n$70000\r\n${'x'.repeat(70_000)}\r\n`);
    expect(asked('del', 2)).toBe('*2\r\n$3\r\nDEL\r\n$3\r\nk:2\r\n');
    expect(asked('incr', 2)).toBe('*2\r\n$4\r\nINCR\r\n$5\r\nk:2:n\r\n');
    expect(asked('ping', 0)).toBe('*1\r\n$4\r\nPING\r\n');
  });

  it.each<[string, RedisOperation, number, string, Answer]>([
    ['a value', 'get', 1, '$3\r\nabc\r\n', 'hit'],
    ['a value that looks like an answer', 'get', 2, '$10\r\n\r\n$-1\r\n\r\n+\r\n', 'hit'],
    ['an empty value', 'get', 0, '$0\r\n\r\n', 'hit'],
    ['nil', 'get', 1, '$-1\r\n', 'miss'],
    ['stored', 'set', 1, '+OK\r\n', 'done'],
    ['a key that went', 'del', 1, ':1\r\n', 'done'],
    ['a key that was not there', 'del', 1, ':0\r\n', 'miss'],
    ['a count', 'incr', 1, ':17\r\n', 'done'],
    ['a negative count', 'incr', 1, ':-9223372036854775808\r\n', 'done'],
    ['a pong', 'ping', 0, '+PONG\r\n', 'done'],
    ['an error', 'get', 1, '-ERR unknown command\r\n', 'server'],
    ['an error to a set', 'set', 1, "-OOM command not allowed when used memory > 'maxmemory'.\r\n", 'server'],
    ['an error to a ping', 'ping', 0, '-NOAUTH Authentication required.\r\n', 'server'],
    ['a long error', 'incr', 1, `-ERR ${'long '.repeat(700)}\r\n`, 'server'],
    ['a value of another length', 'get', 1, '$4\r\nabcd\r\n', 'garbled'],
    ['a length that goes on', 'get', 1, '$30\r\nabc\r\n', 'garbled'],
    ['a value that goes on', 'get', 1, '$3\r\nabcd\r\n', 'garbled'],
    ['a value that ends without its line feed', 'get', 1, '$3\r\nabc\r+', 'garbled'],
    ['a length without digits', 'get', 1, '$\r\n', 'garbled'],
    ['another negative length', 'get', 1, '$-2\r\n', 'garbled'],
    ['a length with two signs', 'get', 1, '$--1\r\n', 'garbled'],
    ['a sign behind a digit', 'incr', 1, ':1-\r\n', 'garbled'],
    ['a number of twenty digits', 'incr', 1, ':12345678901234567890\r\n', 'garbled'],
    ['a number without its line feed', 'incr', 1, ':1\r:1\r\n', 'garbled'],
    ['two keys deleted of one', 'del', 1, ':2\r\n', 'garbled'],
    ['fewer keys deleted than none', 'del', 1, ':-1\r\n', 'garbled'],
    ['the answer to a set after a get', 'get', 1, '+OK\r\n', 'garbled'],
    ['the answer to a get after a set', 'set', 1, '$-1\r\n', 'garbled'],
    ['the answer to a ping after a set', 'set', 1, '+PONG\r\n', 'garbled'],
    ['an array', 'get', 1, '*1\r\n$3\r\nabc\r\n', 'garbled'],
    ['an error without carriage return', 'get', 1, '-ERR\n', 'garbled'],
    ['an error with a lone carriage return', 'get', 1, '-ERR\r.\r\n', 'garbled'],
    ['an error that never ends', 'get', 1, `-${'x'.repeat(5_000)}`, 'garbled'],
    ['memcached', 'get', 1, 'END\r\n', 'garbled'],
  ])('takes %s for what it is', (_, operation, key, bytes, expected) => {
    const { answer, read } = hear(operation, key, bytes);
    expect(answer).toBe(expected);
    if (expected !== 'garbled') expect(read).toBe(bytes.length);
  });

  it('has no answer where nothing came, whatever was answered before', () => {
    const conversation = protocol.converse();
    expect(conversation.answer).toBeUndefined();
    expect(hearInPieces(conversation, 'set', 1, Buffer.from('+OK\r\n')).answer).toBe('done');
    expect(conversation.hear(Buffer.from('+OK\r\n'), 2, 2, numberOf('set'), 1)).toBe(2);
    expect(conversation.answer).toBeUndefined();
  });

  /** From 0 to 1, each with the same chance: of a `double` fast-check draws the bits, so that nine of ten would lie below a thousandth. */
  const anyShare = fc.nat({ max: 1_000_000 }).map((millionths) => millionths / 1_000_000);
  const operations = fc.constantFrom(...REDIS_OPERATIONS);
  const keys = fc.integer({ min: 0, max: SIZES.length - 1 });
  const values = (key: number) => Buffer.from('\r\n$-1\r\n+OK'.repeat(7_000), 'latin1').subarray(0, SIZES[key]);

  /** Every answer that can be correct, and errors. */
  function answersTo(operation: RedisOperation, key: number): fc.Arbitrary<[Buffer, Answer]> {
    const text = (words: string, answer: Answer) => fc.constant<[Buffer, Answer]>([Buffer.from(words, 'latin1'), answer]);
    const error = text('-LOADING Redis is loading the dataset in memory\r\n', 'server');
    const value: [Buffer, Answer] = [Buffer.concat([Buffer.from(`$${SIZES[key]}\r\n`), values(key), Buffer.from('\r\n')]), 'hit'];
    const correct: Record<RedisOperation, fc.Arbitrary<[Buffer, Answer]>> = {
      get: fc.oneof(text('$-1\r\n', 'miss'), fc.constant(value)),
      set: text('+OK\r\n', 'done'),
      del: fc.oneof(text(':0\r\n', 'miss'), text(':1\r\n', 'done')),
      incr: fc.integer().map((count): [Buffer, Answer] => [Buffer.from(`:${count}\r\n`), 'done']),
      ping: text('+PONG\r\n', 'done'),
    };
    return fc.oneof(correct[operation], error);
  }

  it('hears the same however the answers are cut, one after another in one stream', () => {
    const exchange = fc.tuple(operations, keys).chain(([operation, key]) => answersTo(operation, key).map((answer) => ({ operation, key, answer })));
    const cuts = fc.array(anyShare, { maxLength: 20, size: 'max' });
    let cases = 0;
    let cutCases = 0;
    const counts = new Map<Answer, number>();
    fc.assert(
      fc.property(fc.array(exchange, { minLength: 1, maxLength: 6 }), cuts, (exchanges, shares) => {
        cases++;
        for (const { answer } of exchanges) counts.set(answer[1], (counts.get(answer[1]) ?? 0) + 1);
        const stream = Buffer.concat(exchanges.map(({ answer }) => answer[0]));
        const ends = [...new Set([...shares.map((share) => Math.floor(share * stream.length)), stream.length])].sort((a, b) => a - b);
        if (ends.some((end) => end > 0 && end < stream.length)) cutCases++;
        const conversation = protocol.converse();
        const heard: (Answer | undefined)[] = [];
        let from = 0;
        for (const end of ends) {
          for (let at = from; at < end; ) {
            const { operation, key } = exchanges[heard.length] as (typeof exchanges)[number];
            const stopped = conversation.hear(stream, at, end, numberOf(operation), key);
            if (conversation.answer === undefined) expect(stopped).toBe(end);
            else heard.push(conversation.answer);
            at = stopped;
          }
          from = end;
        }
        expect(heard).toEqual(exchanges.map(({ answer }) => answer[1]));
      }),
      { numRuns: 300 },
    );
    expect(cases).toBe(300);
    expect(cutCases).toBeGreaterThan(200);
    expect((['hit', 'miss', 'done', 'server'] as const).filter((answer) => (counts.get(answer) ?? 0) < 15)).toEqual([]);
  });

  it('hears the same when every byte comes alone', () => {
    for (const [operation, key, answer] of [
      ['get', 2, '$10\r\n0123456789\r\n'],
      ['get', 0, '$0\r\n\r\n'],
      ['incr', 1, ':-12\r\n'],
      ['set', 1, '+OK\r\n'],
      ['set', 1, '-ERR no\r\n'],
    ] as const) {
      const bytes = Buffer.from(answer, 'latin1');
      const whole = hear(operation, key, answer);
      const ends = Array.from({ length: bytes.length }, (_, index) => index + 1);
      expect(hearInPieces(protocol.converse(), operation, key, bytes, ends)).toEqual(whole);
    }
  });

  it('survives garbage: whatever comes, however it is cut, it stops inside of it, and says the same', () => {
    const alphabet = fc.constantFrom(...Buffer.from('+-:$*0123456789\r\nOKPNGER \0', 'latin1'), 255);
    // Without a size, fast-check stops at ten or so.
    const size = 'max' as const;
    const garbage = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 60, size }), fc.array(alphabet, { minLength: 1, maxLength: 60, size }));
    const asked = fc.tuple(operations, keys).chain(([operation, key]) =>
      fc.record({
        operation: fc.constant(operation),
        key: fc.constant(key),
        // By chance alone next to nothing would begin as an answer does.
        noise: fc.oneof(
          garbage.map((bytes) => Buffer.from(bytes)),
          fc.tuple(answersTo(operation, key), anyShare, garbage).map(([[answer], share, bytes]) => {
            return Buffer.concat([answer.subarray(0, Math.round(share * answer.length)), Buffer.from(bytes)]);
          }),
        ),
      }),
    );
    const cuts = fc.array(anyShare, { maxLength: 6 });
    let cases = 0;
    const counts = new Map<Answer | 'more', number>();
    fc.assert(
      fc.property(asked, cuts, ({ operation, key, noise: bytes }, cut) => {
        cases++;
        const ends = [...new Set(cut.map((share) => Math.floor(share * bytes.length)))].sort((a, b) => a - b);
        const whole = hearInPieces(protocol.converse(), operation, key, bytes);
        counts.set(whole.answer ?? 'more', (counts.get(whole.answer ?? 'more') ?? 0) + 1);
        expect(whole.read).toBeLessThanOrEqual(bytes.length);
        expect(whole.read).toBeGreaterThan(0);
        expect(hearInPieces(protocol.converse(), operation, key, bytes, ends)).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
    expect(cases).toBe(2_000);
    const few = { garbled: 500, more: 50, done: 10, server: 5 } as const;
    for (const answer of ['garbled', 'more', 'done', 'server'] as const) expect(counts.get(answer) ?? 0, answer).toBeGreaterThan(few[answer]);
  });
});
