import { describe, expect, it } from 'vitest';
import { InputError } from '../../harness/core/errors.ts';
import { memcachedProtocol, OPERATIONS_OF, type ProtocolName, type ProtocolOptions } from './protocol.ts';

const OPTIONS: ProtocolOptions = { keys: 10, keyName: (key) => `key-${key}`, sizes: () => 3, operations: ['get', 'set'] };

describe('memcachedProtocol', () => {
  it.each<[ProtocolName, Partial<ProtocolOptions>, string]>([
    ['text', { operations: [] }, 'operations: none are named; name one or more'],
    ['text', { operations: ['noop'] }, `operations: the text protocol has no 'noop'; write some of ${OPERATIONS_OF.text.join(', ')}`],
    ['meta', { operations: ['get', 'multi-get'] }, `operations: the meta protocol has no 'multi-get'; write some of ${OPERATIONS_OF.meta.join(', ')}`],
    ['binary', { operations: ['multi-get'] }, `operations: the binary protocol has no 'multi-get'; write some of ${OPERATIONS_OF.binary.join(', ')}`],
    ['text', { keys: 0 }, 'keys: 0 is not allowed; write a whole number from 1 to 10000000'],
    ['text', { keys: 1.5 }, 'keys: 1.5 is not allowed; write a whole number from 1 to 10000000'],
    ['text', { keyName: (key) => (key === 3 ? 'a b' : 'a') }, 'keyName(3): "a b" is not allowed; write 1 to 250 characters of ASCII without spaces'],
    ['text', { keyName: () => '' }, 'keyName(0): "" is not allowed; write 1 to 250 characters of ASCII without spaces'],
    ['text', { keyName: () => 'k'.repeat(251) }, `keyName(0): "${'k'.repeat(79)} is not allowed; write 1 to 250 characters of ASCII without spaces`],
    ['text', { keyName: () => 'schlüssel' }, 'keyName(0): "schlüssel" is not allowed; write 1 to 250 characters of ASCII without spaces'],
    ['text', { sizes: (key) => key - 5 }, 'sizes(0): -5 is not allowed; write a whole number from 0 to 1073741824'],
    ['text', { operations: ['incr', 'set'], sizes: () => 21 }, 'sizes(0), a number: 21 is not allowed; write a whole number from 1 to 20'],
    ['text', { operations: ['incr', 'append'] }, 'numbers: missing; append and prepend would spoil what incr and decr count, so name the keys of these'],
    ['text', { multiGet: 11 }, 'multiGet: 11 is not allowed; write a whole number from 1 to 10'],
    ['text', { auth: { user: 'a', password: 'b' } }, 'auth: the text protocol has no login here; use binary'],
    ['meta', { auth: { user: 'a', password: 'b' } }, 'auth: the meta protocol has no login here; use binary'],
    ['txt' as ProtocolName, {}, "unknown protocol 'txt'; did you mean 'text'? known: text, meta, binary"],
  ])('refuses what %s cannot do, in one line', (name, more, message) => {
    const making = () => memcachedProtocol(name, { ...OPTIONS, ...more });
    expect(making).toThrow(InputError);
    expect(making).toThrow(new InputError(message));
  });

  it.each(['text', 'meta', 'binary'] as const)('takes every operation that it says %s speaks, and a million keys', (name) => {
    const keys = 1_000_000;
    const protocol = memcachedProtocol(name, { keys, keyName: (key) => `k${key}`, sizes: () => 1, numbers: () => false, operations: OPERATIONS_OF[name] });
    const out = Buffer.alloc(protocol.longestRequestBytes);
    const end = protocol.converse().ask(out, 0, OPERATIONS_OF[name].indexOf('get'), keys - 1);
    expect(out.toString('latin1', 0, end)).toContain('k999999');
  });
});
