import { describe, expect, it } from 'vitest';
import { InputError } from '../../harness/core/errors.ts';
import type { Answer } from '../../harness/load/protocol.ts';
import { hearAll, packet, requestOf } from './answers.fixture.ts';
import { memcachedProtocol, OPERATIONS_OF, type Operation, type ProtocolOptions } from './protocol.ts';

const OPERATIONS = OPERATIONS_OF.binary;
const OPTIONS: ProtocolOptions = {
  keys: 1_000,
  keyName: (key) => `key-${key}`,
  sizes: (key) => (key === 9 ? 1 : 3),
  operations: OPERATIONS,
  numbers: (key) => key === 9,
};
const AUTH = { user: 'app', password: 'secret' };

function answerTo(operation: Operation | 'login', bytes: Buffer, key = 712): Answer | undefined {
  const options = operation === 'login' ? { ...OPTIONS, auth: AUTH } : OPTIONS;
  const place = OPERATIONS.indexOf(operation as Operation);
  const asked = [{ operation: place < 0 ? OPERATIONS.length : place, key }];
  const whole = hearAll(memcachedProtocol('binary', options).converse(), asked, bytes)[0];
  const cuts = Array.from({ length: bytes.length }, (_, at) => at);
  expect(hearAll(memcachedProtocol('binary', options).converse(), asked, bytes, cuts)[0]).toBe(whole);
  return whole;
}

const value = Buffer.from('abc');
const flags = Buffer.alloc(4);
const words = Buffer.from('Not found');

describe('the binary protocol', () => {
  it.each<[Operation, number, string]>([
    // magic opcode, key, extras and type, vbucket, body, opaque, token; extras, key, value
    ['get', 712, '8000 0007 0000 0000 00000007 000002c8 0000000000000000 6b65792d373132'],
    ['gets', 712, '8000 0007 0000 0000 00000007 000002c8 0000000000000000 6b65792d373132'],
    ['set', 712, '8001 0007 0800 0000 00000012 000002c8 0000000000000000 0000000000000000 6b65792d373132 616263'],
    ['set', 9, '8001 0005 0800 0000 0000000e 00000009 0000000000000000 0000000000000000 6b65792d39 30'],
    ['add', 712, '8002 0007 0800 0000 00000012 000002c8 0000000000000000 0000000000000000 6b65792d373132 616263'],
    ['replace', 712, '8003 0007 0800 0000 00000012 000002c8 0000000000000000 0000000000000000 6b65792d373132 616263'],
    ['append', 712, '800e 0007 0000 0000 0000000f 000002c8 0000000000000000 6b65792d373132 616674657273686b'],
    ['prepend', 712, '800f 0007 0000 0000 0000000f 000002c8 0000000000000000 6b65792d373132 616674657273686b'],
    ['cas', 712, '8001 0007 0800 0000 00000012 000002c8 ffffffffffffffff 0000000000000000 6b65792d373132 616263'],
    ['delete', 712, '8004 0007 0000 0000 00000007 000002c8 0000000000000000 6b65792d373132'],
    ['incr', 9, '8005 0005 1400 0000 00000019 00000009 0000000000000000 0000000000000001 0000000000000000 ffffffff 6b65792d39'],
    ['decr', 9, '8006 0005 1400 0000 00000019 00000009 0000000000000000 0000000000000001 0000000000000000 ffffffff 6b65792d39'],
    ['touch', 712, '801c 0007 0400 0000 0000000b 000002c8 0000000000000000 00000000 6b65792d373132'],
    ['version', 712, '800b 0000 0000 0000 00000000 000002c8 0000000000000000'],
    ['noop', 712, '800a 0000 0000 0000 00000000 000002c8 0000000000000000'],
  ])('writes %s of key %i as memcached wants it', (operation, key, expected) => {
    const protocol = memcachedProtocol('binary', OPTIONS);
    const conversation = protocol.converse();
    for (let time = 0; time < 2; time++)
      expect(requestOf(conversation, protocol.longestRequestBytes, OPERATIONS.indexOf(operation), key).toString('hex')).toBe(expected.replaceAll(' ', ''));
  });

  it.each<[string, Operation, Buffer, Answer]>([
    ['a value', 'get', packet({ opcode: 0, opaque: 712, extras: flags, value }), 'hit'],
    ['nothing', 'get', packet({ opcode: 0, opaque: 712, status: 1, value: words }), 'miss'],
    ['a value that was appended to', 'get', packet({ opcode: 0, opaque: 712, extras: flags, value: Buffer.alloc(19) }), 'hit'],
    ['stored', 'set', packet({ opcode: 1, opaque: 712, token: 5 }), 'done'],
    ['exists', 'add', packet({ opcode: 2, opaque: 712, status: 2, value: words }), 'unmet'],
    ['nothing to replace', 'replace', packet({ opcode: 3, opaque: 712, status: 1, value: words }), 'unmet'],
    ['nothing to append to', 'append', packet({ opcode: 14, opaque: 712, status: 5, value: words }), 'unmet'],
    ['changed in between', 'cas', packet({ opcode: 1, opaque: 712, status: 2, value: words }), 'unmet'],
    ['cas of what is gone', 'cas', packet({ opcode: 1, opaque: 712, status: 1, value: words }), 'miss'],
    ['deleted', 'delete', packet({ opcode: 4, opaque: 712 }), 'done'],
    ['nothing to delete', 'delete', packet({ opcode: 4, opaque: 712, status: 1, value: words }), 'miss'],
    ['a number', 'incr', packet({ opcode: 5, opaque: 712, value: Buffer.alloc(8) }), 'done'],
    ['no number', 'incr', packet({ opcode: 5, opaque: 712, status: 6, value: words }), 'server'],
    ['touched', 'touch', packet({ opcode: 28, opaque: 712 }), 'done'],
    ['a version', 'version', packet({ opcode: 11, opaque: 712, value: Buffer.from('1.6.18') }), 'done'],
    ['nothing done', 'noop', packet({ opcode: 10, opaque: 712 }), 'done'],
    ['too large', 'set', packet({ opcode: 1, opaque: 712, status: 3, value: words }), 'server'],
    ['an error with many words', 'get', packet({ opcode: 0, opaque: 712, status: 0x84, value: Buffer.alloc(1_000, 'w') }), 'server'],
    ['who has not logged in', 'get', packet({ opcode: 0, opaque: 712, status: 0x20, value: Buffer.from('Auth failure.') }), 'server'],
    ['the answer of another key', 'get', packet({ opcode: 0, opaque: 711, extras: flags, value }), 'garbled'],
    ['the miss of another key', 'get', packet({ opcode: 0, opaque: 0, status: 1, value: words }), 'garbled'],
    ['the answer to another operation', 'get', packet({ opcode: 1, opaque: 712 }), 'garbled'],
    ['a value of another length', 'get', packet({ opcode: 0, opaque: 712, extras: flags, value: Buffer.alloc(4) }), 'garbled'],
    ['a value without flags', 'get', packet({ opcode: 0, opaque: 712, value }), 'garbled'],
    ['a value with other flags', 'get', packet({ opcode: 0, opaque: 712, extras: Buffer.from([0, 0, 0, 1]), value }), 'garbled'],
    ['a value with a key', 'get', packet({ opcode: 0, opaque: 712, extras: flags, key: Buffer.from('key-712'), value }), 'garbled'],
    ['an error to what has no key', 'version', packet({ opcode: 11, opaque: 712, status: 1 }), 'server'],
    ['a miss whose body is shorter than its key', 'get', packet({ opcode: 0, opaque: 712, status: 1, key: Buffer.alloc(10), bodyBytes: 3 }), 'garbled'],
    ['a miss with a key that is none', 'get', packet({ opcode: 0, opaque: 712, status: 1, key: Buffer.alloc(300) }), 'garbled'],
    ['a request', 'get', packet({ magic: 0x80, opcode: 0, opaque: 712 }), 'garbled'],
    ['a body that is shorter than what is in it', 'get', packet({ opcode: 0, opaque: 712, extras: flags, value, bodyBytes: 3 }), 'garbled'],
    ['a body without bounds', 'get', packet({ opcode: 0, opaque: 712, extras: flags, bodyBytes: 0xffffffff }), 'garbled'],
    ['words of the text protocol', 'get', Buffer.from('SERVER_ERROR text is not for such as you\r\n'), 'garbled'],
  ])('takes %s for what it is', (_, operation, bytes, expected) => {
    expect(answerTo(operation, bytes)).toBe(expected);
  });

  it('sends the token that any connection saw last with the next cas of that key', () => {
    const protocol = memcachedProtocol('binary', OPTIONS);
    const token = Number.MAX_SAFE_INTEGER;
    hearAll(protocol.converse(), [{ operation: OPERATIONS.indexOf('gets'), key: 7 }], packet({ opcode: 0, opaque: 7, extras: flags, value, token }));
    const cas = requestOf(protocol.converse(), protocol.longestRequestBytes, OPERATIONS.indexOf('cas'), 7);
    expect(cas.readBigUInt64BE(16)).toBe(BigInt(token));
  });

  it('begins with a login where one is wanted, and otherwise with nothing', () => {
    expect(memcachedProtocol('binary', OPTIONS).opening).toBeUndefined();
    const protocol = memcachedProtocol('binary', { ...OPTIONS, keys: 10, auth: { user: 'app@cache', password: 'a much longer secret than any request' } });
    expect(protocol.opening).toBe(OPERATIONS.length);
    const login = requestOf(protocol.converse(), protocol.longestRequestBytes, OPERATIONS.length, 0);
    expect(login).toEqual(
      packet({ magic: 0x80, opcode: 0x21, opaque: 0, key: Buffer.from('PLAIN'), value: Buffer.from('\0app@cache\0a much longer secret than any request') }),
    );
    expect(answerTo('login', packet({ opcode: 0x21, opaque: 0, value: Buffer.from('Authenticated') }), 0)).toBe('done');
    expect(answerTo('login', packet({ opcode: 0x21, opaque: 0, status: 0x20, value: Buffer.from('Auth failure.') }), 0)).toBe('server');
    expect(answerTo('login', packet({ opcode: 0x21, opaque: 0, status: 0x21, value: Buffer.from('go on') }), 0)).toBe('server');
    expect(answerTo('login', packet({ opcode: 10, opaque: 0 }), 0)).toBe('garbled');
  });

  it.each([
    ['user', { user: '', password: 'x' }],
    ['user', { user: 'a\0b', password: 'x' }],
    ['password', { user: 'a', password: 'x'.repeat(256) }],
  ])('refuses a login that cannot be sent: %s', (key, auth) => {
    const making = () => memcachedProtocol('binary', { ...OPTIONS, auth });
    expect(making).toThrow(InputError);
    expect(making).toThrow(`auth.${key}: write 1 to 255 characters, none of them NUL`);
  });
});
