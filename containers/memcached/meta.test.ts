import { describe, expect, it } from 'vitest';
import type { Answer } from '../../harness/load/protocol.ts';
import { hearAll, requestOf } from './answers.fixture.ts';
import { VALUE } from './line-reader.ts';
import { MetaReader } from './meta-reader.ts';
import { memcachedProtocol, OPERATIONS_OF, type Operation, type ProtocolOptions } from './protocol.ts';

const OPERATIONS = OPERATIONS_OF.meta;
const OPTIONS: ProtocolOptions = {
  keys: 1_000,
  keyName: (key) => `key-${key}`,
  sizes: (key) => (key === 9 ? 1 : 3),
  operations: OPERATIONS,
  numbers: (key) => key === 9,
};

function answerTo(operation: Operation, answer: string, key = 712): Answer | undefined {
  const asked = [{ operation: OPERATIONS.indexOf(operation), key }];
  const bytes = Buffer.from(answer, 'latin1');
  const whole = hearAll(memcachedProtocol('meta', OPTIONS).converse(), asked, bytes)[0];
  const cuts = Array.from({ length: bytes.length }, (_, at) => at);
  expect(hearAll(memcachedProtocol('meta', OPTIONS).converse(), asked, bytes, cuts)[0]).toBe(whole);
  return whole;
}

describe('the meta protocol', () => {
  it.each<[Operation, number, string]>([
    ['get', 712, 'mg key-712 f v O712\r\n'],
    ['gets', 712, 'mg key-712 f v c O712\r\n'],
    ['set', 712, 'ms key-712 3 O712\r\nabc\r\n'],
    ['set', 9, 'ms key-9 1 O9\r\n0\r\n'],
    ['add', 0, 'ms key-0 3 ME O0\r\nabc\r\n'],
    ['replace', 712, 'ms key-712 3 MR O712\r\nabc\r\n'],
    ['append', 712, 'ms key-712 8 MA O712\r\naftershk\r\n'],
    ['prepend', 712, 'ms key-712 8 MP O712\r\naftershk\r\n'],
    ['cas', 712, 'ms key-712 3 C0 O712\r\nabc\r\n'],
    ['delete', 712, 'md key-712 O712\r\n'],
    ['incr', 9, 'ma key-9 O9\r\n'],
    ['decr', 9, 'ma key-9 MD O9\r\n'],
    ['touch', 712, 'mg key-712 T0 O712\r\n'],
    ['noop', 712, 'mn\r\n'],
  ])('writes %s of key %i as memcached wants it', (operation, key, expected) => {
    const protocol = memcachedProtocol('meta', OPTIONS);
    expect(requestOf(protocol.converse(), protocol.longestRequestBytes, OPERATIONS.indexOf(operation), key).toString()).toBe(expected);
  });

  it.each<[string, Operation, string, Answer]>([
    ['a value', 'get', 'VA 3 f0 O712\r\nabc\r\n', 'hit'],
    ['a value with its flags in another order', 'get', 'VA 3 O712 f0\r\nabc\r\n', 'hit'],
    ['a value that looks like an answer', 'get', 'VA 3 f0 O712\r\nHD\r\r\n', 'hit'],
    ['nothing', 'get', 'EN O712\r\n', 'miss'],
    ['a value with its token', 'gets', 'VA 3 f0 c99 O712\r\nabc\r\n', 'hit'],
    ['a value without its token', 'gets', 'VA 3 f0 O712\r\nabc\r\n', 'garbled'],
    ['a token that is no number', 'gets', 'VA 3 f0 cx O712\r\nabc\r\n', 'garbled'],
    ['a value that was appended to', 'get', 'VA 11 f0 O712\r\nabcaftershk\r\n', 'hit'],
    ['stored', 'set', 'HD O712\r\n', 'done'],
    ['not stored', 'add', 'NS O712\r\n', 'unmet'],
    ['exists', 'cas', 'EX O712\r\n', 'unmet'],
    ['cas of what is gone', 'cas', 'NF O712\r\n', 'miss'],
    ['deleted', 'delete', 'HD O712\r\n', 'done'],
    ['nothing to delete', 'delete', 'NF O712\r\n', 'miss'],
    ['counted', 'incr', 'HD O712\r\n', 'done'],
    ['nothing to count', 'decr', 'NF O712\r\n', 'miss'],
    ['touched', 'touch', 'HD O712\r\n', 'done'],
    ['nothing to touch', 'touch', 'EN O712\r\n', 'miss'],
    ['nothing done', 'noop', 'MN\r\n', 'done'],
    ['a server error', 'get', 'SERVER_ERROR out of memory\r\n', 'server'],
    ['a client error', 'incr', 'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n', 'server'],
    ['an unknown command', 'noop', 'ERROR\r\n', 'server'],
    ['the value of another key', 'get', 'VA 3 f0 O713\r\nabc\r\n', 'garbled'],
    ['the miss of another key', 'get', 'EN O71\r\n', 'garbled'],
    ['the store of another key', 'set', 'HD O7\r\n', 'garbled'],
    ['a miss that does not say of what', 'get', 'EN\r\n', 'garbled'],
    ['a value that does not say of what', 'get', 'VA 3 f0\r\nabc\r\n', 'garbled'],
    ['a value without flags', 'get', 'VA 3 O712\r\nabc\r\n', 'garbled'],
    ['a value with other flags', 'get', 'VA 3 f1 O712\r\nabc\r\n', 'garbled'],
    ['a value of another length', 'get', 'VA 4 f0 O712\r\nabcd\r\n', 'garbled'],
    ['a value that goes on', 'get', 'VA 3 f0 O712\r\nabcd\r\n', 'garbled'],
    ['a value without a length', 'get', 'VA f0 O712\r\nabc\r\n', 'garbled'],
    ['a length that is no number', 'get', 'VA 3x f0 O712\r\nabc\r\n', 'garbled'],
    ['a value where it was not asked for', 'set', 'VA 3 f0 O712\r\nabc\r\n', 'garbled'],
    ['a store after a get', 'get', 'HD O712\r\n', 'garbled'],
    ['a flag that is no letter', 'get', 'EN 0712\r\n', 'garbled'],
    ['words of the text protocol', 'get', 'END\r\n', 'garbled'],
    ['a line without carriage return', 'get', 'EN O712\n', 'garbled'],
    ['a line that never ends', 'get', 'x'.repeat(3_000), 'garbled'],
  ])('takes %s for what it is', (_, operation, bytes, expected) => {
    expect(answerTo(operation, bytes)).toBe(expected);
  });

  it('takes nothing of one answer for the next', () => {
    const asked = [1, 2].map(() => ({ operation: OPERATIONS.indexOf('get'), key: 712 }));
    const hear = (answers: string) => hearAll(memcachedProtocol('meta', OPTIONS).converse(), asked, Buffer.from(answers));
    expect(hear('VA 3 f0 O712\r\nabc\r\nVA 3 O712\r\nabc\r\n')).toEqual(['hit', 'garbled']);
    expect(hear('VA 3 f0 O712\r\nabc\r\nEN\r\n')).toEqual(['hit', 'garbled']);
  });

  it('sends the token that any connection saw last with the next cas of that key', () => {
    const protocol = memcachedProtocol('meta', OPTIONS);
    hearAll(protocol.converse(), [{ operation: OPERATIONS.indexOf('gets'), key: 7 }], Buffer.from('VA 3 f0 c18446744073709551615 O7\r\nabc\r\n'));
    const cas = requestOf(protocol.converse(), protocol.longestRequestBytes, OPERATIONS.indexOf('cas'), 7).toString();
    expect(cas).toBe('ms key-7 3 C18446744073709551615 O7\r\nabc\r\n');
  });
});

describe('a meta reply', () => {
  it('tells its flags, those without a value as well', () => {
    const reader = new MetaReader(100, true);
    const bytes = Buffer.from('VA 2 c5 f4294967295 kfoo O42 W s2 t-1\r\nhi\r\n');
    expect(reader.read(bytes, 0, bytes.length)).toBe(bytes.length);
    expect(reader.status).toBe(VALUE);
    expect(['c', 'f', 'k', 'O', 'W', 's', 't', 'h', 'X'].map((flag) => reader.has(flag))).toEqual([true, true, true, true, true, true, true, false, false]);
    expect(reader.flags).toBe(4_294_967_295);
    expect(reader.opaque).toBe(42);
    expect(reader.source.toString('latin1', reader.keyFrom, reader.keyTo)).toBe('foo');
    expect(reader.source.toString('latin1', reader.casFrom, reader.casTo)).toBe('5');
  });
});
