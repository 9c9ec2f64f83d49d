import { describe, expect, it } from 'vitest';
import { seeded } from '../../core/random.ts';
import { restMs } from './backoff.ts';
import { answer, deafPort, FakeServer, pooled, until } from './pool.fixture.ts';

const silent = () => undefined;

describe('Pool', () => {
  it('connects for the first request, and takes the connection that has been free longest for the next ones', async () => {
    await using server = await FakeServer.listen((socket, operation, key, connection) => answer(socket, operation, key, connection));
    const seen: number[] = [];
    using load = pooled(server.port, { connections: 2 });
    server.act = (socket, operation, key, connection) => {
      seen.push(connection);
      answer(socket, operation, key, connection);
    };
    load.pool.openSome(10);
    await until(() => load.pool.open === 2);
    for (let key = 0; key < 4; key++) {
      load.offer(0, 0, key);
      await until(() => load.ended.length === key + 1);
    }
    expect(load.ended.map(({ outcome }) => outcome)).toEqual(['answered', 'answered', 'answered', 'answered']);
    expect(seen[0]).not.toBe(seen[1]);
    expect(seen.slice(2)).toEqual(seen.slice(0, 2));
    expect(server.accepted).toBe(2);
  });

  it('opens no further connection while one is free', async () => {
    await using server = await FakeServer.listen();
    using load = pooled(server.port, { connections: 3 });
    for (let key = 0; key < 3; key++) {
      load.offer(0, 0, key);
      await until(() => load.ended.length === key + 1);
    }
    expect(server.accepted).toBe(1);
  });

  it('sends one request at a time on a connection, the others in the order in which they came', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port);
    for (let key = 0; key < 4; key++) load.offer(0, 0, key);
    await until(() => server.requests.length === 1);
    expect(load.pool.underWay).toBe(4);
    const [socket] = server.sockets;
    server.act = answer;
    socket?.write('hit 0\n');
    await until(() => load.ended.length === 4);
    expect(server.requests).toEqual(['get 0', 'get 1', 'get 2', 'get 3']);
    expect(load.ended.map(({ key }) => key)).toEqual([0, 1, 2, 3]);
    expect(load.pool.underWay).toBe(0);
  });

  it('abandons what still waits at its deadline, at that moment and not before', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { deadlineMs: 100, timeoutMs: 1_000 });
    load.offer(0, 0, 0);
    load.offer(5, 0, 1);
    expect(load.pool.nextExpiryMs()).toBe(105);
    load.clock.nowMs = 104;
    load.pool.sweep();
    expect(load.ended).toEqual([]);
    load.clock.nowMs = 105;
    load.pool.sweep();
    expect(load.ended).toEqual([{ key: 1, outcome: 'abandoned', endedMs: 105 }]);
    expect(load.pool.underWay).toBe(1);
  });

  it('does not send a request whose deadline went by while it waited', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { deadlineMs: 100 });
    load.offer(0, 0, 0);
    load.offer(0, 0, 1);
    await until(() => server.requests.length === 1);
    load.clock.nowMs = 150;
    [...server.sockets][0]?.write('hit 0\n');
    await until(() => load.ended.length === 2);
    expect(load.ended.map(({ outcome }) => outcome)).toEqual(['answered', 'abandoned']);
    expect(server.requests).toEqual(['get 0']);
  });

  it('counts the timeout from sent, not from due', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { timeoutMs: 250 });
    load.pool.openSome(1);
    await until(() => load.pool.open === 1);
    load.clock.nowMs = 1_000;
    load.offer(400, 0, 0);
    expect(load.pool.nextExpiryMs()).toBe(1_250);
  });

  it('destroys the connection on a timeout when it reconnects, and the next request opens another', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { timeoutMs: 250, onTimeout: 'reconnect' });
    load.offer(0, 0, 0);
    await until(() => server.requests.length === 1);
    load.clock.nowMs = 250;
    load.pool.sweep();
    expect(load.ended).toEqual([{ key: 0, outcome: 'timeout', endedMs: 250 }]);
    expect(load.pool.open).toBe(0);
    server.act = answer;
    load.offer(250, 0, 1);
    await until(() => load.ended.length === 2);
    expect(load.ended[1]?.outcome).toBe('answered');
    expect(server.accepted).toBe(2);
  });

  it('keeps the connection on a timeout when it fails, out of use until the late answer has been read', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { timeoutMs: 250, onTimeout: 'fail' });
    load.offer(0, 0, 0);
    await until(() => server.requests.length === 1);
    load.clock.nowMs = 250;
    load.pool.sweep();
    expect(load.ended.map(({ outcome }) => outcome)).toEqual(['timeout']);
    expect(load.pool.open).toBe(1);
    load.offer(250, 0, 1);
    expect(load.pool.underWay).toBe(1);
    server.act = answer;
    [...server.sockets][0]?.write('hit 0\n');
    await until(() => load.ended.length === 2);
    expect(load.ended[1]).toEqual({ key: 1, outcome: 'answered', endedMs: 250 });
    expect(server.requests).toEqual(['get 0', 'get 1']);
    expect(server.accepted).toBe(1);
  });

  it('calls a connection that is not there within the timeout unconnected, whatever it does on timeouts', async () => {
    await using server = await FakeServer.listen();
    using load = pooled(server.port, { timeoutMs: 250, onTimeout: 'fail' });
    load.offer(0, 0, 0);
    load.clock.nowMs = 250;
    // Nothing has been read from the network yet: the connection is still being made.
    load.pool.sweep();
    expect(load.ended).toEqual([{ key: 0, outcome: 'unconnected', endedMs: 250 }]);
    expect(load.pool.underWay).toBe(0);
  });

  it('counts connecting as part of the request: its timeout does not begin anew', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { timeoutMs: 250 });
    load.offer(0, 0, 0);
    load.clock.nowMs = 100;
    await until(() => server.requests.length === 1);
    expect(load.pool.nextExpiryMs()).toBe(250);
  });

  it('tells a refused connection', async () => {
    using load = pooled(await deafPort());
    load.offer(0, 0, 0);
    await until(() => load.ended.length === 1);
    expect(load.ended[0]?.outcome).toBe('refused');
    expect(load.shortages).toEqual([]);
  });

  it.each<[string, string, (socket: import('node:net').Socket) => void]>([
    ['ended', 'closed', (socket) => socket.end()],
    ['reset', 'closed', (socket) => socket.resetAndDestroy()],
    ['answered with half an answer and ended', 'closed', (socket) => socket.end('hi')],
    ['answered for another key', 'garbled', (socket) => socket.write('hit 999\n')],
    ['answered with nonsense', 'garbled', (socket) => socket.write('what?\n')],
  ])('counts a request that is %s before its answer as %s, and opens a new connection for the next', async (_, kind, spoil) => {
    await using server = await FakeServer.listen((socket) => spoil(socket));
    using load = pooled(server.port);
    load.offer(0, 0, 0);
    await until(() => load.ended.length === 1);
    expect(load.ended[0]?.outcome).toBe(kind);
    expect(load.pool.open).toBe(0);
    server.act = answer;
    load.offer(0, 0, 1);
    await until(() => load.ended.length === 2);
    expect(load.ended[1]?.outcome).toBe('answered');
    expect(server.accepted).toBe(2);
  });

  it('hears that a connection was closed even while the request is still being written', async () => {
    await using server = await FakeServer.listen();
    // More than the buffers of two sockets hold, to a far end that does not read.
    const bytes = 64 * 1024 * 1024;
    const wordy = {
      longestRequestBytes: bytes,
      converse: () => ({ ask: (_: Buffer, at: number) => at + bytes, hear: (_: Buffer, __: number, end: number) => end, answer: undefined }),
    };
    using load = pooled(server.port, { protocol: wordy });
    load.pool.openSome(1);
    await until(() => load.pool.open === 1 && server.sockets.size === 1);
    const [socket] = server.sockets;
    socket?.pause();
    load.offer(0, 0, 0);
    socket?.end();
    await until(() => load.ended.length === 1);
    expect(load.ended[0]?.outcome).toBe('closed');
  });

  it('keeps a connection on which the server answered with an error', async () => {
    await using server = await FakeServer.listen((socket, _, key) => socket.write(`server ${key}\n`));
    using load = pooled(server.port);
    load.offer(0, 0, 0);
    load.offer(0, 0, 1);
    await until(() => load.ended.length === 2);
    expect(load.ended.map(({ outcome }) => outcome)).toEqual(['server', 'server']);
    expect(server.accepted).toBe(1);
  });

  it('loses no request when an idle connection is closed or spoken to out of turn', async () => {
    await using server = await FakeServer.listen();
    using load = pooled(server.port);
    for (const spoil of [() => [...server.sockets][0]?.end(), () => [...server.sockets][0]?.write('hit 3\n')]) {
      load.pool.openSome(1);
      await until(() => load.pool.open === 1 && server.sockets.size === 1);
      spoil();
      await until(() => load.pool.open === 0);
    }
    load.offer(0, 0, 0);
    await until(() => load.ended.length === 1);
    expect(load.ended[0]?.outcome).toBe('answered');
    expect(server.accepted).toBe(3);
  });

  it('rests after a failure, and lets requests wait meanwhile', async () => {
    using load = pooled(await deafPort(), { backoff: { firstMs: 100, mostMs: 150, jitter: false } });
    load.offer(0, 0, 0);
    await until(() => load.ended.length === 1);
    load.offer(0, 0, 1);
    expect(load.pool.nextExpiryMs()).toBe(100);
    expect(load.pool.connecting).toBe(0);
    load.clock.nowMs = 100;
    load.pool.sweep();
    expect(load.pool.connecting).toBe(1);
    await until(() => load.ended.length === 2);
    expect(load.ended[1]).toEqual({ key: 1, outcome: 'refused', endedMs: 100 });
    // The second failure in a row would rest 200 ms; 150 is the most.
    expect(load.pool.nextExpiryMs()).toBe(250);
  });

  it('begins the backoff anew after an answer', async () => {
    await using server = await FakeServer.listen((socket) => socket.end());
    using load = pooled(server.port, { backoff: { firstMs: 100, mostMs: 10_000, jitter: false } });
    const failAt = async (nowMs: number, expectedRestMs: number) => {
      load.clock.nowMs = nowMs;
      load.pool.sweep();
      const before = load.ended.length;
      load.offer(nowMs, 0, 0);
      await until(() => load.ended.length === before + 1);
      expect(load.pool.nextExpiryMs()).toBe(nowMs + expectedRestMs);
    };
    await failAt(0, 100);
    await failAt(1_000, 200);
    await failAt(2_000, 400);
    server.act = answer;
    load.clock.nowMs = 3_000;
    load.pool.sweep();
    load.offer(3_000, 0, 0);
    await until(() => load.ended.at(-1)?.outcome === 'answered');
    server.act = (socket) => socket.end();
    await failAt(4_000, 100);
  });

  it('does not take an error of the server for the answer that begins the backoff anew', async () => {
    await using server = await FakeServer.listen((socket) => socket.end());
    using load = pooled(server.port, { backoff: { firstMs: 100, mostMs: 10_000, jitter: false } });
    const endAt = async (nowMs: number) => {
      load.clock.nowMs = nowMs;
      load.pool.sweep();
      const before = load.ended.length;
      load.offer(nowMs, 0, 0);
      await until(() => load.ended.length === before + 1);
    };
    await endAt(0);
    expect(load.pool.nextExpiryMs()).toBe(100);
    server.act = (socket, _, key) => socket.write(`server ${key}\n`);
    await endAt(1_000);
    expect(load.ended.at(-1)?.outcome).toBe('server');
    server.act = (socket) => socket.end();
    await endAt(2_000);
    expect(load.pool.nextExpiryMs()).toBe(2_200);
  });
});

describe('restMs', () => {
  const backoff = { firstMs: 100, mostMs: 5_000, jitter: true };

  it('spreads rests evenly from zero to the full one, the same for the same seed', () => {
    const draw = () => {
      const random = seeded(7);
      return Array.from({ length: 1_000 }, () => restMs(backoff, 3, random));
    };
    const rests = draw();
    expect(Math.max(...rests)).toBeLessThan(800);
    expect(Math.max(...rests)).toBeGreaterThan(780);
    expect(Math.min(...rests)).toBeLessThan(20);
    expect(draw()).toEqual(rests);
  });

  it('stays at the most after any number of failures', () => {
    expect(restMs({ ...backoff, jitter: false }, 5_000, seeded(1))).toBe(5_000);
  });
});
