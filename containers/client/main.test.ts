import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import type { Command, Frame } from '../../harness/load/frames.ts';
import { ketama } from '../twemproxy/ketama.ts';
import { cacheClients } from './index.ts';
import { awaitReady } from './readiness.ts';

/** As much of memcached as the clients use. It answers by `answers`, when that has something to say. */
async function memcachedLike(answers: (request: string) => string | undefined = () => undefined) {
  const values = new Map<string, string>();
  const store = (key: string, value: string) => {
    values.set(key, value);
    return 'STORED\r\n';
  };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (;;) {
        const request = /^(?:get (\S+)|set (\S+) 0 0 \d+\r\n([^\r]*))\r\n/.exec(text);
        if (!request) return;
        text = text.slice(request[0].length);
        const [line, got, put, value = ''] = request;
        const instead = answers(line);
        if (instead !== undefined) socket.write(instead);
        else if (put !== undefined) socket.write(store(put, value));
        else
          socket.write(
            values.has(got as string) ? `VALUE ${got} 0 ${values.get(got as string)?.length}\r\n${values.get(got as string)}\r\nEND\r\n` : 'END\r\n',
          );
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, values, [Symbol.dispose]: close };
}

/** twemproxy's statistics port: one JSON object to whoever connects. */
async function statisticsOf(pool: object) {
  // A reader whose patience ends in the middle resets the connection.
  const server = createServer((socket) =>
    socket.on('error', () => undefined).end(JSON.stringify({ service: 'nutcracker', uptime: 1, cache: { client_eof: 0, ...pool } })),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { stats: `127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.dispose]: () => server.close() };
}

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(program: string, settings: object) {
  const child = spawn(process.execPath, [join(import.meta.dirname, program)], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tell = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`);
  tell(settings);
  return { child, tell: (command: Command) => tell(command), next: async (): Promise<Frame> => JSON.parse((await lines.next()).value ?? 'null') };
}

const load = cacheClients({
  rate: '200/s',
  connections: 4,
  mix: { get: '80%', set: '20%' },
  keys: 100,
  valueBytes: 20,
  deadline: '1s',
  timeout: '500ms',
  onTimeout: 'reconnect',
});

describe('the program of a cache client', () => {
  it('fills its keys, asks by the mix, names the shard of each key, and tells it all', async () => {
    using server = await memcachedLike();
    const program = start('main.ts', { ...(load.program.settings as object), entry: server.address, seed: 5 });
    expect(await program.next()).toEqual({ frame: 'prepared', connections: 4 });
    expect([...server.values.keys()].sort()).toEqual(Array.from({ length: 100 }, (_, key) => `client-1:${key}`).sort());
    expect(new Set([...server.values.values()].map((value) => value.length))).toEqual(new Set([20]));

    program.tell({ do: 'ping', id: 1 });
    const pong = await program.next();
    program.tell({ do: 'start', atMs: pong.frame === 'pong' ? pong.clockMs : Number.NaN, forMs: 1_000 });
    const frames: Frame[] = [];
    for (let frame = await program.next(); frame.frame !== 'done'; frame = await program.next()) frames.push(frame);
    const windows = frames.flatMap((frame) => (frame.frame === 'windows' ? frame.windows : []));
    const answered = (of: (series: readonly string[]) => boolean) => windows.filter(({ s }) => of(s)).reduce((sum, window) => sum + window.answered, 0);
    expect(answered(() => true)).toBe(200);
    // 20% of 200 within four standard deviations (4 x 5.7).
    expect(Math.abs(answered(([operation]) => operation === 'set') - 40)).toBeLessThan(23);
    expect(new Set(windows.map(({ s }) => s[2]))).toEqual(new Set(['everyone']));
    // Each shard gets its keys' share of the requests, within a tenth of all.
    const owner = ketama(load.shards);
    load.shards.forEach((shard, number) => {
      const keys = Array.from({ length: 100 }, (_, key) => owner(`client-1:${key}`)).filter((of) => of === number).length;
      expect(Math.abs(answered(([, of]) => of === shard) - 2 * keys)).toBeLessThan(30);
    });
    program.child.stdin.end();
    const [code] = await once(program.child, 'exit');
    expect(code).toBe(0);
  });

  it('is gone when its stdin ends, whatever it was doing', async () => {
    using server = await memcachedLike();
    const program = start('main.ts', { ...(load.program.settings as object), entry: server.address });
    expect((await program.next()).frame).toBe('prepared');
    program.tell({ do: 'start', atMs: 0, forMs: 3_600_000 });
    program.child.stdin.end();
    expect(await once(program.child, 'exit')).toEqual([0, null]);
  });

  it('says in one line what is wrong with its settings', async () => {
    const program = start('main.ts', load.program.settings as object);
    expect(await program.next()).toEqual({ frame: 'failed', why: "settings.entry: '${link:client-1 -> edge}' is not an address; write ip:port" });
    expect(await once(program.child, 'exit')).toEqual([1, null]);
  });
});

describe('readiness', () => {
  const shards = ['mc-1', 'mc-2'];
  const counted = (requests: number, responses: number) => ({ requests, responses, in_queue: 0 });

  it('holds when every shard answers through the entry and every proxy has counted an answer of each', async () => {
    using server = await memcachedLike();
    using statistics = await statisticsOf({ 'mc-1': counted(4, 3), 'mc-2': counted(9, 9) });
    const readiness = await awaitReady({ entry: server.address, proxies: [{ name: 'proxy-1', stats: statistics.stats }], shards, patienceMs: 3_000 });
    expect(readiness).toMatchObject({ ok: true, evidence: { connections: 4, answeredByProxy: { 'proxy-1': { 'mc-1': 3, 'mc-2': 9 } } } });
    const owner = ketama(shards);
    expect(new Set([...server.values.keys()].map(owner))).toEqual(new Set([0, 1]));
  });

  it('needs no proxy where the entry is a cache', async () => {
    using server = await memcachedLike();
    expect(await awaitReady({ entry: server.address, proxies: [], shards: ['mc-1'], patienceMs: 3_000 })).toMatchObject({ ok: true });
  });

  it.each<[string, object, string]>([
    [
      'has no answer of a shard',
      { 'mc-1': counted(4, 4), 'mc-2': counted(4, 0) },
      'not ready after 700 ms: proxy-1 has no answer from mc-2 yet (4 requests, 0 responses)',
    ],
    ['was never asked for a shard', { 'mc-1': counted(0, 0), 'mc-2': counted(4, 4) }, 'proxy-1 has no answer from mc-1 yet (0 requests, 0 responses)'],
    ['does not know a shard', { 'mc-1': counted(4, 4) }, 'proxy-1 knows no server mc-2'],
  ])('does not hold, and names both, when a proxy %s', async (_, pool, why) => {
    using server = await memcachedLike();
    using statistics = await statisticsOf(pool);
    const readiness = await awaitReady({ entry: server.address, proxies: [{ name: 'proxy-1', stats: statistics.stats }], shards, patienceMs: 700 });
    expect(readiness).toMatchObject({ ok: false, why: expect.stringContaining(why) });
  });

  it('names the shard that does not answer through the entry', async () => {
    const owner = ketama(shards);
    using server = await memcachedLike((request) => (owner(request.split(/[ \r]/)[1] as string) === 1 ? 'SERVER_ERROR Connection refused\r\n' : undefined));
    const readiness = await awaitReady({ entry: server.address, proxies: [], shards, patienceMs: 300 });
    expect(readiness).toEqual({ ok: false, why: `not ready after 300 ms: shard mc-2 did not answer a set through ${server.address}: server` });
  });

  it('is a program that prints one line and ends with 1 when it does not hold', async () => {
    const program = start('ready.ts', { entry: 'nowhere', proxies: [], shards, patienceMs: 200 });
    expect(await program.next()).toMatchObject({ ok: false, why: expect.stringContaining("settings.entry: 'nowhere' is not an address") });
    expect(await once(program.child, 'exit')).toEqual([1, null]);
  });
});
