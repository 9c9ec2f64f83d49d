import { describe, expect, it } from 'vitest';
import type { Answer } from '../../harness/load/protocol.ts';
import { hearAll, requestOf } from './answers.fixture.ts';
import { memcachedProtocol, OPERATIONS_OF, type Operation, type ProtocolOptions } from './protocol.ts';

const OPERATIONS = OPERATIONS_OF.text;
const options = (more: Partial<ProtocolOptions> = {}): ProtocolOptions => ({
  keys: 10,
  keyName: (key) => `key-${key}`,
  sizes: (key) => (key === 9 ? 1 : 3),
  operations: OPERATIONS,
  multiGet: 3,
  numbers: (key) => key === 9,
  ...more,
});

function requests(more?: Partial<ProtocolOptions>) {
  const protocol = memcachedProtocol('text', options(more));
  const conversation = protocol.converse();
  return (operation: Operation, key: number) => requestOf(conversation, protocol.longestRequestBytes, OPERATIONS.indexOf(operation), key).toString('latin1');
}

function answerTo(operation: Operation, answer: string, key = 7): Answer | undefined {
  return hearAll(memcachedProtocol('text', options()).converse(), [{ operation: OPERATIONS.indexOf(operation), key }], Buffer.from(answer, 'latin1'))[0];
}

describe('the text protocol', () => {
  it.each<[Operation, number, string]>([
    ['get', 7, 'get key-7\r\n'],
    ['gets', 7, 'gets key-7\r\n'],
    ['multi-get', 8, 'get key-8 key-9 key-0\r\n'],
    ['set', 7, 'set key-7 0 0 3\r\nabc\r\n'],
    ['set', 9, 'set key-9 0 0 1\r\n0\r\n'],
    ['add', 7, 'add key-7 0 0 3\r\nabc\r\n'],
    ['replace', 7, 'replace key-7 0 0 3\r\nabc\r\n'],
    ['append', 7, 'append key-7 0 0 8\r\naftershk\r\n'],
    ['prepend', 7, 'prepend key-7 0 0 8\r\naftershk\r\n'],
    ['cas', 7, 'cas key-7 0 0 3 0\r\nabc\r\n'],
    ['delete', 7, 'delete key-7\r\n'],
    ['incr', 9, 'incr key-9 1\r\n'],
    ['decr', 9, 'decr key-9 1\r\n'],
    ['touch', 7, 'touch key-7 0\r\n'],
    ['version', 7, 'version\r\n'],
  ])('writes %s of key %i as memcached wants it', (operation, key, expected) => {
    expect(requests()(operation, key)).toBe(expected);
  });

  it('writes keys and values of any length it may have, and tells the longest request beforehand', () => {
    const keyName = (key: number) => 'k'.repeat(key + 1);
    const request = requests({ keys: 250, keyName, sizes: (key) => key * 4_000, numbers: () => false, multiGet: 250 });
    for (const key of [0, 6, 7, 8, 9, 15, 16, 17, 31, 249]) {
      expect(request('get', key)).toBe(`get ${'k'.repeat(key + 1)}\r\n`);
      expect(request('multi-get', key).length).toBe('get'.length + 250 + (250 * 251) / 2 + '\r\n'.length);
      expect(request('set', key)).toMatch(new RegExp(`^set k{${key + 1}} 0 0 ${key * 4_000}\r\n[a-zA-Z0-9_-]{${key * 4_000}}\r\n$`));
    }
  });

  it.each<[string, Operation, string, Answer]>([
    ['a value', 'get', 'VALUE key-7 0 3\r\nabc\r\nEND\r\n', 'hit'],
    ['a value that looks like the end of one', 'get', 'VALUE key-7 0 3\r\n\r\nE\r\nEND\r\n', 'hit'],
    ['nothing', 'get', 'END\r\n', 'miss'],
    ['a value with its token', 'gets', 'VALUE key-7 0 3 18446744073709551615\r\nabc\r\nEND\r\n', 'hit'],
    ['a value without its token', 'gets', 'VALUE key-7 0 3\r\nabc\r\nEND\r\n', 'garbled'],
    ['a token that nobody asked for', 'get', 'VALUE key-7 0 3 12\r\nabc\r\nEND\r\n', 'garbled'],
    ['a value that was appended to', 'get', 'VALUE key-7 0 19\r\nabcaftershkaftershk\r\nEND\r\n', 'hit'],
    ['a value that cannot have become so long', 'get', 'VALUE key-7 0 12\r\nabcaftershka\r\nEND\r\n', 'garbled'],
    ['all of several values', 'multi-get', values(7, 8, 9), 'hit'],
    ['several values in another order', 'multi-get', values(9, 7, 8), 'hit'],
    ['some of several values', 'multi-get', values(9, 7), 'miss'],
    ['none of several values', 'multi-get', values(), 'miss'],
    ['a value that was not asked for among several', 'multi-get', values(7, 6, 9), 'garbled'],
    ['a longer key than was asked for among several', 'multi-get', `VALUE key-8 0 3\r\nabc\r\nVALUE key-77 0 3\r\nabc\r\n${values(9)}`, 'garbled'],
    ['a value that comes twice', 'multi-get', values(7, 8, 7), 'garbled'],
    ['more values than were asked for', 'multi-get', values(7, 8, 9, 7), 'garbled'],
    ['stored', 'set', 'STORED\r\n', 'done'],
    ['not stored', 'add', 'NOT_STORED\r\n', 'unmet'],
    ['exists', 'cas', 'EXISTS\r\n', 'unmet'],
    ['cas of what is gone', 'cas', 'NOT_FOUND\r\n', 'miss'],
    ['deleted', 'delete', 'DELETED\r\n', 'done'],
    ['nothing to delete', 'delete', 'NOT_FOUND\r\n', 'miss'],
    ['touched', 'touch', 'TOUCHED\r\n', 'done'],
    ['nothing to touch', 'touch', 'NOT_FOUND\r\n', 'miss'],
    ['a number', 'incr', '18446744073709551615\r\n', 'done'],
    ['a number that is too long', 'incr', '184467440737095516150\r\n', 'garbled'],
    ['nothing to count', 'decr', 'NOT_FOUND\r\n', 'miss'],
    ['no number', 'incr', 'CLIENT_ERROR cannot increment or decrement non-numeric value\r\n', 'server'],
    ['a version', 'version', 'VERSION 1.6.18\r\n', 'done'],
    ['a server error', 'get', 'SERVER_ERROR Connection refused\r\n', 'server'],
    ['a server error after a value', 'multi-get', 'VALUE key-7 0 3\r\nabc\r\nSERVER_ERROR out of memory writing get response\r\n', 'server'],
    ['an error that says no more', 'get', 'SERVER_ERROR\r\n', 'server'],
    ['a client error', 'set', 'CLIENT_ERROR bad data chunk\r\n', 'server'],
    ['an unknown command', 'get', 'ERROR\r\n', 'server'],
    ['too many connections', 'get', 'ERROR Too many open connections\r\n', 'server'],
    ['a long server error', 'get', `SERVER_ERROR ${'long '.repeat(300)}\r\n`, 'server'],
    ['the value of another key', 'get', 'VALUE key-8 0 3\r\nabc\r\nEND\r\n', 'garbled'],
    ['the value of a longer key', 'get', 'VALUE key-77 0 3\r\nabc\r\nEND\r\n', 'garbled'],
    ['the value of a shorter key', 'get', 'VALUE key- 0 3\r\nabc\r\nEND\r\n', 'garbled'],
    ['a second value', 'get', 'VALUE key-7 0 3\r\nabc\r\nVALUE key-7 0 3\r\nabc\r\nEND\r\n', 'garbled'],
    ['a value of another length', 'get', 'VALUE key-7 0 4\r\nabcd\r\nEND\r\n', 'garbled'],
    ['a value with other flags', 'get', 'VALUE key-7 1 3\r\nabc\r\nEND\r\n', 'garbled'],
    ['a value that goes on', 'get', 'VALUE key-7 0 3\r\nabcd\r\nEND\r\n', 'garbled'],
    ['a value without a length', 'get', 'VALUE key-7 0\r\nabc\r\nEND\r\n', 'garbled'],
    ['the answer to a set after a get', 'get', 'STORED\r\n', 'garbled'],
    ['a miss after a set', 'set', 'END\r\n', 'garbled'],
    ['a value after a set', 'set', 'VALUE key-7 0 3\r\nabc\r\n', 'garbled'],
    ['an error word that goes on', 'get', 'ERRORS\r\n', 'garbled'],
    ['a line without carriage return', 'get', 'END\n', 'garbled'],
    ['an empty line', 'get', '\r\n', 'garbled'],
    ['a line that never ends', 'get', 'x'.repeat(3_000), 'garbled'],
  ])('takes %s for what it is', (_, operation, bytes, expected) => {
    expect(answerTo(operation, bytes)).toBe(expected);
    // Each piece is one byte, so that every line is collected and none is read where it lies.
    const conversation = memcachedProtocol('text', options()).converse();
    const cuts = Array.from({ length: bytes.length }, (__, at) => at);
    expect(hearAll(conversation, [{ operation: OPERATIONS.indexOf(operation), key: 7 }], Buffer.from(bytes, 'latin1'), cuts)[0]).toBe(expected);
  });

  it('knows of a number no more than that it has 1 to 20 digits or spaces', () => {
    expect(answerTo('get', 'VALUE key-9 0 20\r\n12345678901234567890\r\nEND\r\n', 9)).toBe('hit');
    expect(answerTo('get', 'VALUE key-9 0 0\r\n\r\nEND\r\n', 9)).toBe('garbled');
    expect(answerTo('get', `VALUE key-9 0 21\r\n${'1'.repeat(21)}\r\nEND\r\n`, 9)).toBe('garbled');
  });

  it('tells keys apart wherever they differ', () => {
    const names = [
      'abcdefghijklmnopqrstuvwxyz',
      '_bcdefghijklmnopqrstuvwxyz',
      'abcdefghi_klmnopqrstuvwxyz',
      'abcdefghijklmnopqrstuvwxy_',
      'abcdefg',
      '_bcdefg',
      'abcdef_',
    ];
    const protocol = memcachedProtocol('text', { keys: names.length, keyName: (key) => names[key] as string, sizes: () => 0, operations: ['get'] });
    for (const asked of names.keys()) {
      for (const [told, name] of names.entries()) {
        const heard = hearAll(protocol.converse(), [{ operation: 0, key: asked }], Buffer.from(`VALUE ${name} 0 0\r\n\r\nEND\r\n`));
        expect(heard).toEqual([asked === told ? 'hit' : 'garbled']);
      }
    }
  });

  it('holds a value against its own length alone where nothing appends or counts', () => {
    const protocol = memcachedProtocol('text', { keys: 10, keyName: (key) => `key-${key}`, sizes: () => 3, operations: ['get', 'set'] });
    expect(hearAll(protocol.converse(), [{ operation: 0, key: 9 }], Buffer.from('VALUE key-9 0 11\r\nabcaftershk\r\nEND\r\n'))).toEqual(['garbled']);
  });

  it('sends the token that any connection saw last with the next cas of that key', () => {
    const protocol = memcachedProtocol('text', options());
    const [one, other] = [protocol.converse(), protocol.converse()];
    const gets = OPERATIONS.indexOf('gets');
    hearAll(one, [{ operation: gets, key: 7 }], Buffer.from('VALUE key-7 0 3 18446744073709551615\r\nabc\r\nEND\r\n'));
    hearAll(one, [{ operation: gets, key: 6 }], Buffer.from('VALUE key-6 0 3 5\r\nabc\r\nEND\r\n'));
    const cas = (key: number) => requestOf(other, protocol.longestRequestBytes, OPERATIONS.indexOf('cas'), key).toString();
    expect(cas(7)).toBe('cas key-7 0 0 3 18446744073709551615\r\nabc\r\n');
    expect(cas(6)).toBe('cas key-6 0 0 3 5\r\nabc\r\n');
    expect(cas(5)).toBe('cas key-5 0 0 3 0\r\nabc\r\n');
  });

  it('tells the answers of requests that were sent together apart', () => {
    const asked = (['set', 'get', 'get', 'delete', 'get'] as const).map((operation) => ({ operation: OPERATIONS.indexOf(operation), key: 7 }));
    const bytes = Buffer.from('STORED\r\nVALUE key-7 0 3\r\nabc\r\nEND\r\nSERVER_ERROR busy\r\nDELETED\r\nEND\r\n');
    expect(hearAll(memcachedProtocol('text', options()).converse(), asked, bytes)).toEqual(['done', 'hit', 'server', 'done', 'miss']);
  });
});

function values(...keys: number[]): string {
  return `${keys.map((key) => (key === 9 ? `VALUE key-9 0 1\r\n1\r\n` : `VALUE key-${key} 0 3\r\nabc\r\n`)).join('')}END\r\n`;
}
