import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { InputError } from '../../harness/core/errors.ts';
import type { Command, Frame } from '../../harness/load/frames.ts';
import { type CacheConnectionsOptions, type ConnectionBehaviour, cacheConnections } from './connections.ts';

describe('cacheConnections', () => {
  it('is a load of the client node that connects to the edge, unless told otherwise', () => {
    expect(cacheConnections({ behaviour: { flood: 16_000 }, timeout: '1s' })).toEqual({
      name: 'flood',
      node: 'client-1',
      title: '16000 connections as fast as answered, held',
      program: {
        node: 'client-1',
        program: 'containers/client/connections-main.ts',
        settings: {
          entry: '${link:client-1 -> edge}',
          name: 'flood',
          tenant: 'everyone',
          behaviour: { kind: 'flood', count: 16_000, openingAtOnce: 128 },
          atMs: 0,
          timeoutMs: 1_000,
          deadlineMs: 1_000,
          closeBy: 'fin',
          ask: 'get',
          keys: 100,
          valueBytes: 100,
          protocol: 'text',
        },
      },
      ratePerSecond: 0,
      requestsPerMinute: 16_000,
      connections: 16_000,
      // 100 names such as 'flood:100', 9 bytes.
      memoryMiB: expect.closeTo((100 * (60 + 1.65 * 9)) / 2 ** 20, 9),
      longestRequestMs: 1_000,
      shards: ['*'],
    });
  });

  it.each<[ConnectionBehaviour, object, object]>([
    [
      { flood: 500, rate: '100/s' },
      { kind: 'flood', count: 500, ratePerSecond: 100 },
      { ratePerSecond: 100, requestsPerMinute: 500, connections: 500 },
    ],
    // 200/s x 1 s of patience.
    [{ churn: '200/s' }, { kind: 'churn', ratePerSecond: 200 }, { ratePerSecond: 200, connectsPerSecond: 200, connections: 200 }],
    [
      { herd: 500, every: '5s' },
      { kind: 'herd', members: 500, everyMs: 5_000, spreadMs: 0, jitter: 'full', restMs: 1_000 },
      { ratePerSecond: 500, requestsPerMinute: 6_000, connectsPerSecond: 100, connections: 500 },
    ],
    [
      { herd: 500, spread: '2s', jitter: 'even', rest: '3s' },
      { kind: 'herd', members: 500, spreadMs: 2_000, jitter: 'even', restMs: 3_000 },
      { ratePerSecond: 250, connections: 500 },
    ],
    [{ halfClosed: 100, openingAtOnce: 5 }, { kind: 'half-closed', count: 100, openingAtOnce: 5 }, { connections: 100 }],
    [
      { neverReading: 10, asks: 3 },
      { kind: 'never-reading', count: 10, asks: 3, openingAtOnce: 128 },
      { connections: 10, longestItemBytes: 1_000_000 + 'never-reading:1'.length },
    ],
    // At most 64 + 'slow-senders'.length + 8 = 84 bytes, one each 100 ms, and a timeout from then on.
    [
      { slowSenders: 50, every: '100ms' },
      { kind: 'slow-senders', count: 50, openingAtOnce: 128, bytes: 1, everyMs: 100 },
      { connections: 50, longestRequestMs: 1_000 + 8_400 + 1_000 },
    ],
    [{ leak: '10/s' }, { kind: 'leak', ratePerSecond: 10, most: 5_000 }, { ratePerSecond: 10, connections: 5_000 }],
  ])('writes %j for the program and for the budgets', (behaviour, settings, load) => {
    const spec = cacheConnections({ behaviour, timeout: '1s' });
    expect((spec.program.settings as { behaviour: object }).behaviour).toEqual(expect.objectContaining(settings));
    expect(spec).toMatchObject(load);
  });

  it('takes a moment, another place, a login and a way to close', () => {
    const load = cacheConnections({
      behaviour: { flood: 10 },
      at: '10s',
      hold: '5s',
      timeout: '2s',
      deadline: '500ms',
      closeBy: 'reset',
      ask: 'set',
      protocol: 'binary',
      auth: { user: 'u', password: 'p' },
      node: 'client-2',
      entry: 'mc-1',
      name: 'storm',
      tenant: 'b',
    });
    expect(load).toMatchObject({ name: 'storm', node: 'client-2', title: '10 connections as fast as answered, held, from 10 s on' });
    expect(load.program.settings).toMatchObject({
      entry: '${link:client-2 -> mc-1}',
      atMs: 10_000,
      holdMs: 5_000,
      deadlineMs: 500,
      closeBy: 'reset',
      ask: 'set',
      auth: { user: 'u', password: 'p' },
      tenant: 'b',
    });
  });

  it.each<[string, object, string]>([
    ['no behaviour', { behaviour: undefined }, 'cacheConnections: behaviour: missing; write { flood: 1000 }'],
    ['another behaviour', { behaviour: { storm: 5 } }, 'behaviour: { storm } is not a behaviour; write { flood: 1000 }'],
    ['a behaviour with another key', { behaviour: { flood: 5, every: '1s' } }, "behaviour: unknown key 'every'; known: flood, rate, openingAtOnce"],
    ['too many connections', { behaviour: { flood: 28_001 } }, 'behaviour.flood: 28001 is not allowed; write a whole number from 1 to 28000'],
    ['churn without a unit', { behaviour: { churn: '200' } }, "behaviour.churn: '200' is not a rate"],
    ['a pace of both kinds', { behaviour: { flood: 5, rate: '5/s', openingAtOnce: 5 } }, 'behaviour.openingAtOnce: 5 is not allowed beside a rate'],
    ['a spread beyond the round', { behaviour: { herd: 5, every: '1s', spread: '2s' } }, "behaviour.spread: '2s' is longer than every, which is '1s'"],
    ['slow senders without a pace', { behaviour: { slowSenders: 5 } }, "behaviour.every: missing; write a duration, such as '250ms'"],
    ['no timeout', { timeout: undefined }, "timeout: missing; write a duration, such as '250ms'"],
    ['a misspelt option', { timeot: '1s' }, "unknown key 'timeot'; known: behaviour, at, timeout"],
    ['a leak that is held', { behaviour: { leak: '1/s' }, hold: '1s' }, "hold: '1s' is not allowed: a leak closes nothing; leave it out"],
    ['a herd that is held', { behaviour: { herd: 5 }, hold: '1s' }, "hold: '1s' is not allowed: a herd holds its connections until all come back"],
    ['a question that the protocol has not', { protocol: 'meta', ask: 'version' }, "ask: the meta protocol has no 'version'; write 'get' or 'set'"],
    ['a login without SASL', { auth: { user: 'a', password: 'b' } }, "auth: the text protocol has no login here; write protocol: 'binary'"],
    ['an empty password', { protocol: 'binary', auth: { user: 'u', password: '' } }, "auth.password: '' is not allowed; write a password"],
    ['a name that no login has room for', { protocol: 'binary', auth: { user: 'u'.repeat(256), password: 'p' } }, 'auth.user: longer than 255 characters'],
    ['half a login', { protocol: 'binary', auth: { user: 'u' } }, 'auth.password: missing; write a password'],
    ['another way to close', { closeBy: 'rst' }, "closeBy: 'rst' is not allowed; write 'fin' or 'reset'"],
  ])('refuses %s in one line that names the key', (_, change, words) => {
    const act = () => cacheConnections({ behaviour: { flood: 5 }, timeout: '1s', ...change } as CacheConnectionsOptions);
    expect(act).toThrow(InputError);
    expect(act).toThrow(words);
    expect(act).not.toThrow('\n');
  });
});

/** As much of memcached as a connection asks for, and what it has stored. */
async function memcachedLike() {
  const values = new Map<string, string>();
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (;;) {
        const line = /^(get|set) (\S+)(?: 0 0 (\d+))?\r\n/.exec(text);
        const [whole = '', word, key = '', length = '0'] = line ?? [];
        const needed = whole.length + (word === 'set' ? Number(length) + 2 : 0);
        if (!line || text.length < needed) return;
        const value = text.slice(whole.length, needed - 2);
        text = text.slice(needed);
        const found = values.get(key);
        if (word === 'set') values.set(key, value);
        socket.write(word === 'set' ? 'STORED\r\n' : found === undefined ? 'END\r\n' : `VALUE ${key} 0 ${found.length}\r\n${found}\r\nEND\r\n`);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { entry: `127.0.0.1:${(server.address() as AddressInfo).port}`, values, sockets, [Symbol.dispose]: close };
}

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function program(options: CacheConnectionsOptions, entry: string, environment: Record<string, string> = {}, under: readonly string[] = []) {
  const { settings } = cacheConnections(options).program;
  const [command = '', ...words] = [...under, process.execPath, join(import.meta.dirname, 'connections-main.ts')];
  const child = spawn(command, words, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  children.push(child);
  let complaints = '';
  child.stderr.on('data', (bytes) => (complaints += bytes));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tell = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`);
  tell({ ...(settings as object), entry, seed: 3, part: { index: 0, of: 1 } });
  const next = async (): Promise<Frame> => JSON.parse((await lines.next()).value ?? 'null');
  const untilOver = async () => {
    const frames: Frame[] = [];
    for (let frame = await next(); ; frame = await next()) {
      frames.push(frame);
      if (frame.frame === 'done' || frame.frame === 'failed') return frames;
    }
  };
  return {
    child,
    tell: (command: Command) => tell(command),
    next,
    untilOver,
    complaints: () => complaints,
    start: async (forMs: number) => {
      tell({ do: 'ping', id: 1 });
      const pong = await next();
      tell({ do: 'start', atMs: pong.frame === 'pong' ? pong.clockMs : Number.NaN, forMs });
    },
  };
}

const gaugesOf = (frames: readonly Frame[]) => frames.flatMap((frame) => (frame.frame === 'gauges' ? [frame.gauges] : []));
const answeredOf = (frames: readonly Frame[]) =>
  frames.flatMap((frame) => (frame.frame === 'windows' ? frame.windows : [])).reduce((sum, window) => sum + window.answered, 0);

describe('the program of connections', () => {
  it("opens them, tells windows, its own counts and the kernel's, and says nothing on stderr", async () => {
    using server = await memcachedLike();
    const run = program({ behaviour: { flood: 40 }, timeout: '1s' }, server.entry);
    expect(await run.next()).toEqual({ frame: 'prepared', connections: 0 });
    expect(server.sockets).toEqual([]);
    await run.start(900);
    const frames = await run.untilOver();
    expect(frames.at(-1)).toEqual({ frame: 'done' });
    expect(answeredOf(frames)).toBe(40);
    const gauges = gaugesOf(frames);
    expect(gauges.findLast((some) => 'connections.open' in some)).toMatchObject({ 'connections.open': 40, 'connections.lost': 0 });
    if (process.platform === 'linux') expect(gauges.findLast((some) => 'sockets.ESTABLISHED' in some)).toMatchObject({ 'sockets.ESTABLISHED': 40 });
    run.child.stdin.end();
    expect(await once(run.child, 'exit')).toEqual([0, null]);
    expect(run.complaints()).toBe('');
  });

  it('does the same over node:net where the inside of Node is refused, warns of nothing, and says so in a note', async () => {
    using server = await memcachedLike();
    const run = program({ behaviour: { flood: 10 }, timeout: '1s' }, server.entry, { NODE_PENDING_DEPRECATION: '1' });
    expect((await run.next()).frame).toBe('prepared');
    await run.start(300);
    const frames = await run.untilOver();
    expect(answeredOf(frames)).toBe(10);
    expect(frames).toContainEqual({ frame: 'finding', severity: 'note', text: expect.stringContaining('opened by node:net') });
    expect(run.complaints()).toBe('');
  });

  it('stores the large value that nobody will read', async () => {
    using server = await memcachedLike();
    const run = program({ behaviour: { neverReading: 2, valueBytes: 500_000 }, timeout: '1s' }, server.entry);
    expect((await run.next()).frame).toBe('prepared');
    expect([...server.values].map(([key, value]) => [key, value.length])).toEqual([['never-reading:0', 500_000]]);
    await run.start(400);
    expect(answeredOf(await run.untilOver())).toBe(2);
  });

  it('ends the load with one line that tells of its own limits when it has no descriptor left', async () => {
    using server = await memcachedLike();
    // Node raises its soft limit to the hard one, so the hard one is lowered.
    const run = program({ behaviour: { flood: 500, openingAtOnce: 16 }, timeout: '1s' }, server.entry, {}, ['prlimit', '--nofile=100:100']);
    expect((await run.next()).frame).toBe('prepared');
    await run.start(60_000);
    const last = (await run.untilOver()).at(-1);
    const why = last?.frame === 'failed' ? last.why : 'it did not fail';
    const [, count] =
      /^with (\d+) connections open or opening, the client's own side could open no further one to 127\.0\.0\.1:\d+ \(EMFILE\): .*ulimit -n\)$/.exec(why) ?? [];
    expect(why).toMatch(/EMFILE/);
    // 100 less some twenty that Node holds for itself.
    expect(Number(count)).toBeGreaterThan(60);
    expect(Number(count)).toBeLessThan(100);
  });

  it('is gone when its stdin ends, whatever it is doing', async () => {
    using server = await memcachedLike();
    const run = program({ behaviour: { churn: '100/s' }, timeout: '1s' }, server.entry);
    expect((await run.next()).frame).toBe('prepared');
    await run.start(3_600_000);
    run.child.stdin.end();
    expect(await once(run.child, 'exit')).toEqual([0, null]);
  });
});
