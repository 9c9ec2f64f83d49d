import { describe, expect, it } from 'vitest';
import { InputError } from '../../harness/core/errors.ts';
import { type MemcachedOptions, memcached } from './index.ts';

const AUTH = { user: 'app', password: 'secret' };

describe('a memcached node', () => {
  it('is plain when it is not told otherwise', () => {
    const { command, files, probe, memoryMiB } = memcached('mc-1');
    expect(command.join(' ')).toBe('memcached -p 11211 -U 0 -m 64 -c 1024 -t 1');
    expect(files).toBeUndefined();
    expect(probe).toMatchObject({ send: 'version\r\n', expect: 'VERSION' });
    expect(memoryMiB).toBe(128);
  });

  it('takes its limits', () => {
    const { command, needs } = memcached('mc-1', { itemsMiB: 128, maxConnections: 10, maxItemBytes: 4 * 1_048_576, threads: 4 });
    expect(command.join(' ')).toBe('memcached -p 11211 -U 0 -m 128 -c 10 -t 4 -I 4194304');
    expect(needs).toMatchObject({ mostConnections: 10 });
  });

  it('makes its user before it starts, and has the password in a file and nowhere else', () => {
    const { command, files = {} } = memcached('mc-1', { sasl: AUTH });
    expect(command.slice(0, 2)).toEqual(['sh', '/etc/aftershock/memcached-with-login.sh']);
    expect(command.slice(2, 4)).toEqual(['app', '']);
    expect(command.slice(4).join(' ')).toBe('memcached -p 11211 -U 0 -m 64 -c 1024 -t 1 -S');
    expect(files['/etc/aftershock/memcached-password']).toBe('secret');
    expect(files['/etc/sasl2/memcached.conf']).toContain('mech_list: plain\n');
    expect([...command, files['/etc/aftershock/memcached-with-login.sh']].join(' ')).not.toContain('secret');
    expect(memcached('mc-1', { sasl: { ...AUTH, user: 'app@cache' } }).command.slice(2, 4)).toEqual(['app', 'cache']);
  });

  it('is asked something by its probe that is answered before a login', () => {
    const { probe } = memcached('mc-1', { sasl: AUTH });
    expect(Buffer.from(probe?.send ?? '', 'latin1').toString('hex')).toBe(`8020${'00'.repeat(22)}`);
    expect(Buffer.from(probe?.expect ?? '', 'latin1').toString('hex')).toBe(`8120${'00'.repeat(9)}05${'00'.repeat(12)}`);
    expect(probe?.ends).toBe('PLAIN');
  });

  it.each<[object, string]>([
    [{ itemsMiB: 1 }, 'itemsMiB: 1 is not allowed; write a whole number from 2 to 65536'],
    [{ maxItemBytes: 1_000_000 }, 'maxItemBytes: 1000000 is not allowed; write a multiple of 524288'],
    [{ maxItemBytes: 64 * 1_048_576 }, 'maxItemBytes: 67108864 is not allowed; write a whole number from 524288 to 33554432'],
    [{ threads: 0 }, 'threads: 0 is not allowed; write a whole number from 1 to 64'],
    [{ thread: 2 }, "unknown option of memcached 'thread'; did you mean 'threads'? known: maxConnections, itemsMiB, maxItemBytes, threads, sasl"],
    [{ sasl: { ...AUTH, realm: 'x' } }, "unknown option of sasl 'realm'; known: user, password"],
    [
      { sasl: { ...AUTH, user: 'a b' } },
      "sasl.user: 'a b' is not allowed; write 1 to 64 letters, digits, '.', '_' or '-', the first no sign, and if need be '@' and a realm",
    ],
    [
      { sasl: { ...AUTH, user: '-f' } },
      "sasl.user: '-f' is not allowed; write 1 to 64 letters, digits, '.', '_' or '-', the first no sign, and if need be '@' and a realm",
    ],
    [{ sasl: { user: 'app' } }, 'sasl.password: not allowed; write 1 to 128 characters of ASCII without spaces'],
    [{ sasl: { ...AUTH, password: 'two words' } }, 'sasl.password: not allowed; write 1 to 128 characters of ASCII without spaces'],
  ])('refuses %j in one line', (options, message) => {
    expect(() => memcached('mc-1', options as MemcachedOptions)).toThrow(new InputError(message));
  });
});
