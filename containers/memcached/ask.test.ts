import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EnvironmentError, InputError } from '../../harness/core/errors.ts';
import { packet } from './answers.fixture.ts';
import { askMemcached } from './ask.ts';
import { askMemcachedBinary } from './ask-binary.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A server that gives these answers, one for each request, in order; then it is silent. A number among the pieces of an answer is a rest, ms. */
async function serverThat(...answers: (string | Buffer | 'close' | readonly (string | number)[])[]): Promise<{ host: string; port: number; heard: string[] }> {
  const heard: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', async (bytes) => {
      heard.push(bytes.toString('latin1'));
      const answer = answers.shift();
      if (answer === 'close') socket.destroy();
      else if (typeof answer === 'string') socket.write(answer, 'latin1');
      else if (Buffer.isBuffer(answer)) socket.write(answer);
      for (const piece of Array.isArray(answer) ? answer : []) {
        if (typeof piece === 'number') await new Promise((resolve) => setTimeout(resolve, piece));
        else socket.write(piece, 'latin1');
      }
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, heard };
}

async function refusal(question: Promise<unknown>): Promise<string> {
  const thrown: unknown = await question.then(
    () => 'no error',
    (error) => error,
  );
  expect(thrown).toBeInstanceOf(EnvironmentError);
  const { message } = thrown as Error;
  expect(message).not.toContain('\n');
  return message.replace(/:\d{4,5}/, ':PORT');
}

describe('asking over the text protocol', () => {
  it('tells answers as what they are', async () => {
    const server = await serverThat(
      'VALUE a 5 3\r\nabc\r\nEND\r\n',
      'END\r\n',
      'VALUE a 0 2 18446744073709551615\r\n\r\n\r\nEND\r\n',
      'VALUE b 0 1\r\nx\r\nVALUE a 0 0\r\n\r\nEND\r\n',
      'STORED\r\n',
      'EXISTS\r\n',
      '18446744073709551615\r\n',
      'STAT pid 1\r\nSTAT version 1.6 with words\r\nSTAT nothing \r\nEND\r\n',
      'OK\r\n',
      'VERSION 1.6.18\r\n',
      'NOT_FOUND\r\n',
    );
    using cache = await askMemcached(server);
    expect(await cache.get('a')).toEqual({ value: Buffer.from('abc'), flags: 5 });
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.gets('a')).toEqual({ value: Buffer.from('\r\n'), flags: 0, token: 18446744073709551615n });
    expect([...(await cache.getMany(['a', 'b', 'c']))].map(([key, { value }]) => [key, value.toString()])).toEqual([
      ['b', 'x'],
      ['a', ''],
    ]);
    expect(await cache.set('a', 'ä', { flags: 7, expiry: 60 })).toBe('stored');
    expect(await cache.cas('a', Buffer.from('xy'), 12n)).toBe('exists');
    expect(await cache.incr('n', 2n ** 63n)).toBe(18446744073709551615n);
    expect([...(await cache.stats())]).toEqual([
      ['pid', '1'],
      ['version', '1.6 with words'],
      ['nothing', ''],
    ]);
    await cache.flushAll();
    expect(await cache.version()).toBe('1.6.18');
    expect(await cache.delete('a')).toBe(false);
    expect(server.heard).toEqual([
      'get a\r\n',
      'get a\r\n',
      'gets a\r\n',
      'get a b c\r\n',
      'set a 7 60 2\r\n\xc3\xa4\r\n',
      'cas a 0 0 2 12\r\nxy\r\n',
      'incr n 9223372036854775808\r\n',
      'stats\r\n',
      'flush_all 0\r\n',
      'version\r\n',
      'delete a\r\n',
    ]);
  });

  it('asks one question after another, and lets none be lost by an error of the one before', async () => {
    const server = await serverThat('SERVER_ERROR out of memory storing object\r\n', ['VALUE k 0', 5, ' 3\r', 5, '\nabc\r\nEN', 5, 'D\r\n'], 'STORED\r\n');
    using cache = await askMemcached(server);
    const [first, second, third] = [refusal(cache.set('k', 'x')), cache.get('k'), cache.set('k', 'y')];
    expect(await first).toBe("memcached at 127.0.0.1:PORT did not answer 'set k': it said 'SERVER_ERROR out of memory storing object'");
    expect((await second)?.value.toString()).toBe('abc');
    expect(await third).toBe('stored');
  });

  it('keeps values of its own, whatever comes behind them', async () => {
    using cache = await askMemcached(await serverThat('VALUE k 0 3\r\nabc\r\nEND\r\n', 'VALUE k 0 3\r\nxyz\r\nEND\r\n'));
    const first = await cache.get('k');
    await cache.get('k');
    expect(first?.value.toString()).toBe('abc');
  });

  it.each<[string, string | 'close' | (string | number)[], string]>([
    ['does not answer', [], 'no answer within 150 ms'],
    ['answers bit by bit and never to the end', Array.from({ length: 200 }, (_, n) => (n % 2 ? 10 : 'VALUE k 0 300\r\n')), 'no answer within 150 ms'],
    ['closes the connection', 'close', 'it closed the connection'],
    ['speaks another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'it sent what is no answer: "HTTP/1.1 400 Bad Request\\r\\n\\r\\n"'],
    ['sends bytes without an end of line', 'x'.repeat(5_000), `it sent what is no answer: "${'x'.repeat(40)}"`],
    ['answers something else', 'STORED\r\n', 'it sent what is no answer: "STORED\\r\\n"'],
    ['answers with another key', 'VALUE j 0 1\r\nx\r\nEND\r\n', 'it sent what is no answer: "VALUE j 0 1\\r\\nx\\r\\nEND\\r\\n"'],
    ['has flags beyond 32 bits', 'VALUE k 4294967296 0\r\n\r\n', 'it sent what is no answer: "VALUE k 4294967296 0\\r\\n\\r\\n"'],
    ['announces a value without bounds', 'VALUE k 0 99999999999\r\n', 'it sent what is no answer: "VALUE k 0 99999999999\\r\\n"'],
  ])('gives up on a server that %s, and on the connection', async (_, answer, why) => {
    using cache = await askMemcached(await serverThat(answer), { withinMs: 150 });
    expect(await refusal(cache.get('k'))).toBe(`memcached at 127.0.0.1:PORT did not answer 'get k': ${why}`);
    // Nothing more can be learnt over this connection, and nothing is waited for.
    expect(await refusal(cache.version())).toBe(`memcached at 127.0.0.1:PORT did not answer 'version': ${why}`);
  });

  it('does not take what comes behind an answer for the next one', async () => {
    using cache = await askMemcached(await serverThat('END\r\nVERSION 1.6.18\r\n'));
    expect(await cache.get('k')).toBeUndefined();
    expect(await refusal(cache.version())).toContain('it sent something that nobody had asked for');
  });

  it('ends questions under way when it is closed', async () => {
    const cache = await askMemcached(await serverThat());
    const question = refusal(cache.get('k'));
    await new Promise((resolve) => setTimeout(resolve, 10));
    cache.close();
    expect(await question).toContain('the connection was closed here');
    expect(await refusal(cache.get('k'))).toContain('the connection was closed here');
  });

  it('says when nobody takes the connection', async () => {
    const { host, port } = await serverThat();
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await refusal(askMemcached({ host, port }))).toBe(`memcached at 127.0.0.1:PORT takes no connection: connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  it('refuses what memcached could not take, before it is sent', async () => {
    const server = await serverThat();
    using cache = await askMemcached(server);
    const bad: (() => unknown)[] = [
      () => cache.get('a b'),
      () => cache.get('k\r\nflush_all'),
      () => cache.set('', 'x'),
      () => cache.set('k', 'x', { flags: -1 }),
      () => cache.set('k', 'x', { expiry: 1.5 }),
      () => cache.incr('k', -1),
      () => cache.incr('k', 0.5),
      () => cache.cas('k', 'x', 2n ** 64n),
    ];
    for (const question of bad) await expect((async () => question())()).rejects.toBeInstanceOf(InputError);
    expect(server.heard).toEqual([]);
  });
});

describe('asking over the binary protocol', () => {
  const text = (of: Parameters<typeof packet>[0]) => packet(of).toString('latin1');

  it('logs in and tells answers as what they are', async () => {
    const server = await serverThat(
      packet({ opcode: 0x21, opaque: 0, value: Buffer.from('Authenticated') }),
      packet({ opcode: 0, opaque: 1, extras: Buffer.from([0, 0, 0, 5]), value: Buffer.from('abc') }),
      packet({ opcode: 0, opaque: 2, status: 1, value: Buffer.from('Not found') }),
      text({ opcode: 16, opaque: 3, key: Buffer.from('pid'), value: Buffer.from('1') }) +
        text({ opcode: 16, opaque: 3, key: Buffer.from('x') }) +
        text({ opcode: 16, opaque: 3 }),
      packet({ opcode: 11, opaque: 4, value: Buffer.from('1.6.18') }),
      packet({ opcode: 1, opaque: 5, status: 3, value: Buffer.from('Too large.') }),
      packet({ opcode: 4, opaque: 6, status: 1, value: Buffer.from('Not found') }),
      packet({ opcode: 32, opaque: 7, value: Buffer.from('PLAIN SCRAM') }),
    );
    using cache = await askMemcachedBinary(server, { auth: { user: 'app', password: 'secret' } });
    expect(await cache.get('k')).toEqual({ value: Buffer.from('abc'), flags: 5 });
    expect(await cache.get('k')).toBeUndefined();
    expect([...(await cache.stats())]).toEqual([
      ['pid', '1'],
      ['x', ''],
    ]);
    expect(await cache.version()).toBe('1.6.18');
    expect(await refusal(cache.set('k', 'v'))).toBe("memcached at 127.0.0.1:PORT did not answer 'set k': it said 'Too large.'");
    expect(await cache.delete('k')).toBe(false);
    expect(await cache.mechanisms()).toEqual(['PLAIN', 'SCRAM']);
    expect(server.heard[0]).toContain('PLAIN\0app\0secret');
  });

  it('says that a login was refused, and not what the password was', async () => {
    const server = await serverThat(packet({ opcode: 0x21, opaque: 0, status: 0x20, value: Buffer.from('Auth failure.') }));
    const message = await refusal(askMemcachedBinary(server, { auth: { user: 'app', password: 'hush' } }));
    expect(message).toBe("memcached at 127.0.0.1:PORT did not answer 'login of app': it said 'Auth failure.'");
  });

  it.each<[string, Buffer | 'close' | (string | number)[], string]>([
    ['does not answer', [], 'no answer within 150 ms'],
    ['stops within an answer', [text({ opcode: 10, opaque: 1 }).slice(0, 20)], 'no answer within 150 ms'],
    ['closes the connection', 'close', 'it closed the connection'],
    ['speaks text', Buffer.from('ERROR ERROR ERROR ERROR ERROR\r\n'), 'it sent what is no answer'],
    ['answers something else', packet({ opcode: 0, opaque: 1 }), 'it sent what is no answer'],
    ['answers another question', packet({ opcode: 10, opaque: 9 }), 'it sent what is no answer'],
  ])('gives up on a server that %s', async (_, answer, why) => {
    using cache = await askMemcachedBinary(await serverThat(answer), { withinMs: 150 });
    expect(await refusal(cache.noop())).toContain(why);
    expect(await refusal(cache.noop())).toContain(why);
  });
});
