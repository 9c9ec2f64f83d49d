import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer, Conversation } from '../../harness/load/protocol.ts';
import { GET, memcachedText, SET } from './text.ts';

const keyName = (key: number) => `key-${key}`;

/** Feeds an answer cut after each of the given shares of its length, and tells what was made of it. */
function hearInPieces(conversation: Conversation, answer: string, cuts: readonly number[] = []): (Answer | undefined)[] {
  const bytes = Buffer.from(answer, 'latin1');
  const ends = [...new Set(cuts.map((cut) => Math.floor(cut * bytes.length)).filter((end) => end > 0 && end < bytes.length))].sort((a, b) => a - b);
  const shared = Buffer.alloc(bytes.length + 64, '\n');
  const heard: (Answer | undefined)[] = [];
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    // One buffer for all pieces, as the engine lends it: what lies behind `length` is left over from something else.
    shared.fill('\n');
    bytes.copy(shared, 0, from, end);
    heard.push(conversation.hear(shared, end - from));
    from = end;
  }
  return heard;
}

function answerTo(operation: number, answer: string, valueBytes = 3): Answer | undefined {
  const conversation = memcachedText({ keyName, valueBytes }).converse();
  conversation.ask(operation, 7);
  return hearInPieces(conversation, answer).at(-1);
}

describe('memcachedText', () => {
  it('writes get and set as memcached wants them', () => {
    const conversation = memcachedText({ keyName, valueBytes: 3 }).converse();
    expect(Buffer.from(conversation.ask(GET, 7)).toString()).toBe('get key-7\r\n');
    expect(Buffer.from(conversation.ask(SET, 7)).toString()).toBe('set key-7 0 0 3\r\nxxx\r\n');
  });

  it.each<[string, number, string, Answer]>([
    ['a value', GET, 'VALUE key-7 0 3\r\nabc\r\nEND\r\n', 'hit'],
    ['a value that looks like the end of one', GET, 'VALUE key-7 0 3\r\n\r\nE\r\nEND\r\n', 'hit'],
    ['nothing', GET, 'END\r\n', 'miss'],
    ['stored', SET, 'STORED\r\n', 'stored'],
    ['a server error', GET, 'SERVER_ERROR Connection refused\r\n', 'server'],
    ['a server error to set', SET, 'SERVER_ERROR out of memory storing object\r\n', 'server'],
    ['a client error', SET, 'CLIENT_ERROR bad data chunk\r\n', 'server'],
    ['an unknown command', GET, 'ERROR\r\n', 'server'],
    ['a long server error', GET, `SERVER_ERROR ${'long '.repeat(300)}\r\n`, 'server'],
    ['the value of another key', GET, 'VALUE key-8 0 3\r\nabc\r\nEND\r\n', 'garbled'],
    ['a value of another length', GET, 'VALUE key-7 0 4\r\nabcd\r\nEND\r\n', 'garbled'],
    ['a value with other flags', GET, 'VALUE key-7 1 3\r\nabc\r\nEND\r\n', 'garbled'],
    ['a value that goes on', GET, 'VALUE key-7 0 3\r\nabcd\r\nEND\r\n', 'garbled'],
    ['the answer to a set after a get', GET, 'STORED\r\n', 'garbled'],
    ['a miss after a set', SET, 'END\r\n', 'garbled'],
    ['an error word that goes on', GET, 'ERRORS\r\n', 'garbled'],
    ['a line without carriage return', GET, 'END\n', 'garbled'],
    ['something after the end', GET, 'END\r\nEND\r\n', 'garbled'],
    ['a line that never ends', GET, 'x'.repeat(3_000), 'garbled'],
  ])('takes %s for what it is', (_, operation, bytes, expected) => {
    expect(answerTo(operation, bytes)).toBe(expected);
  });

  it('takes bytes that nobody asked for as garbled', () => {
    const conversation = memcachedText({ keyName, valueBytes: 3 }).converse();
    expect(hearInPieces(conversation, 'END\r\n')).toEqual(['garbled']);
    conversation.ask(GET, 7);
    expect(hearInPieces(conversation, 'END\r\n')).toEqual(['miss']);
    expect(hearInPieces(conversation, 'END\r\n')).toEqual(['garbled']);
  });

  it('hears the same however the answer is cut, and answers only at its last byte', () => {
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
    const valueBytes = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(65_536, 1_000_000));
    const kind = fc.constantFrom('hit', 'miss', 'stored', 'server');
    const rounds = fc.array(fc.tuple(kind, cuts), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(valueBytes, rounds, (length, asked) => {
        const conversation = memcachedText({ keyName, valueBytes: length }).converse();
        for (const [expected, cut] of asked) {
          const answers = {
            // The value is made of what could be mistaken for its end.
            hit: `VALUE key-7 0 ${length}\r\n${'\r\nEND'.repeat(Math.ceil(length / 5)).slice(0, length)}\r\nEND\r\n`,
            miss: 'END\r\n',
            stored: 'STORED\r\n',
            server: 'SERVER_ERROR busy\r\n',
          };
          conversation.ask(expected === 'stored' ? SET : GET, 7);
          const heard = hearInPieces(conversation, answers[expected as keyof typeof answers], cut);
          expect(heard.pop()).toBe(expected);
          expect(heard.every((answer) => answer === undefined)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('survives being cut after every byte', () => {
    const answer = 'VALUE key-7 0 3\r\nabc\r\nEND\r\n';
    const conversation = memcachedText({ keyName, valueBytes: 3 }).converse();
    conversation.ask(GET, 7);
    const heard = hearInPieces(
      conversation,
      answer,
      Array.from({ length: answer.length }, (_, i) => (i + 0.5) / answer.length),
    );
    expect(heard.at(-1)).toBe('hit');
    expect(heard.slice(0, -1).every((piece) => piece === undefined)).toBe(true);
  });
});
