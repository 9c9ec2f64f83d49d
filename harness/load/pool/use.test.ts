import { describe, expect, it } from 'vitest';
import { answer, deafPort, FakeServer, pooled, until, words } from './pool.fixture.ts';

/** One request after the other, each when the one before it has ended. */
async function askInTurn(load: ReturnType<typeof pooled>, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const before = load.ended.length;
    load.offer(load.clock.nowMs, 0, i);
    await until(() => load.ended.length === before + 1);
  }
}

describe('connections', () => {
  it('of one request each are closed behind the answer', async () => {
    await using server = await FakeServer.listen();
    using load = pooled(server.port, { connections: 3, use: 'per-request' });
    load.begin();
    await askInTurn(load, 5);
    expect(load.ended.every(({ outcome }) => outcome === 'answered')).toBe(true);
    expect(server.accepted).toBe(5);
    expect(load.pool.open).toBe(0);
    await until(() => server.sockets.size === 0);
  });

  it('with a life are replaced by the first request behind its end, and not before', async () => {
    await using server = await FakeServer.listen();
    using load = pooled(server.port, { use: { forMs: 5_000, jitter: false } });
    load.begin();
    await askInTurn(load, 2);
    load.clock.nowMs = 4_999;
    await askInTurn(load, 1);
    expect(server.accepted).toBe(1);
    load.clock.nowMs = 5_000;
    await askInTurn(load, 2);
    expect(server.accepted).toBe(2);
    expect(load.pool.open).toBe(1);
    await until(() => server.sockets.size === 1);
  });

  it('that leak stay open at the far end and are of no more use', async () => {
    await using server = await FakeServer.listen();
    using load = pooled(server.port, { use: { leakShare: 1 } });
    load.begin();
    await askInTurn(load, 4);
    expect(server.accepted).toBe(4);
    expect(server.sockets.size).toBe(4);
    expect(load.pool.open).toBe(0);
    // What a forgotten connection still says is nobody's business.
    for (const socket of server.sockets) socket.write('hit 9\n');
    await askInTurn(load, 1);
    expect(load.ended.every(({ outcome }) => outcome === 'answered')).toBe(true);
    load.pool.close();
    await until(() => server.sockets.size === 0);
  });

  it('that leak now and then do so for their share of the answers', async () => {
    await using server = await FakeServer.listen();
    using load = pooled(server.port, { use: { leakShare: 0.2 } });
    load.begin();
    await askInTurn(load, 200);
    // 40 expected; four standard deviations are 4 x sqrt(200 x 0.2 x 0.8) = 23.
    expect(Math.abs(server.accepted - 1 - 40)).toBeLessThan(23);
  });

  it('that are lost come back only for a request, unless they are to be back at once', async () => {
    await using server = await FakeServer.listen();
    using lazy = pooled(server.port, { connections: 2 });
    using eager = pooled(server.port, { connections: 2, reconnect: 'at once' });
    lazy.begin();
    eager.begin();
    lazy.pool.openSome(2);
    eager.pool.openSome(2);
    await until(() => lazy.pool.open === 2 && eager.pool.open === 2 && server.sockets.size === 4);
    for (const socket of server.sockets) socket.destroy();
    await until(() => server.accepted === 6 && eager.pool.open === 2);
    expect(lazy.pool.open).toBe(0);
  });

  it('that are lost together come back together without jitter, each after its rest', async () => {
    using load = pooled(await deafPort(), { connections: 3, reconnect: 'at once', backoff: { firstMs: 100, mostMs: 100, jitter: false } });
    load.begin();
    load.pool.openSome(3);
    await until(() => load.pool.connecting === 0);
    expect(load.pool.nextExpiryMs()).toBe(100);
    load.clock.nowMs = 99;
    load.pool.sweep();
    expect(load.pool.connecting).toBe(0);
    load.clock.nowMs = 100;
    load.pool.sweep();
    expect(load.pool.connecting).toBe(3);
  });
});

describe('a pool that is handed over', () => {
  it('still gives up a connection that was being opened, by the new clock', async () => {
    await using server = await FakeServer.listen(() => undefined);
    using load = pooled(server.port, { protocol: { ...words, opening: 1 }, connections: 2, timeoutMs: 100 });
    load.clock.nowMs = 1_000_000;
    load.pool.openSome(1);
    await until(() => server.requests.length === 1);
    load.clock.nowMs = 0;
    load.pool.handOver(() => load.clock.nowMs, load.outcomes);
    load.offer(0, 0, 7);
    expect(load.pool.nextExpiryMs()).toBe(100);
    load.clock.nowMs = 100;
    load.pool.sweep();
    expect(load.ended).toEqual([{ key: 7, outcome: 'unconnected', endedMs: 100 }]);
  });
});

describe('a worker', () => {
  it('goes by its own connection alone, and waits for that one though another is free', async () => {
    await using server = await FakeServer.listen((socket, operation, key, connection) => {
      if (connection > 0) answer(socket, operation, key, connection);
    });
    using load = pooled(server.port, { connections: 2, timeoutMs: 100, onTimeout: 'fail' });
    load.begin();
    load.own(0, 0, 7);
    await until(() => server.requests.length === 1);
    load.own(1, 0, 8);
    await until(() => load.ended.length === 1);
    load.clock.nowMs = 100;
    load.pool.sweep();
    expect(load.ended.map(({ key, outcome, worker }) => [key, outcome, worker])).toEqual([
      [8, 'answered', 1],
      [7, 'timeout', 0],
    ]);
    // Its place is taken until the late answer comes.
    load.own(0, 100, 9);
    expect(server.requests).toHaveLength(2);
    [...server.sockets][0]?.write('hit 7\n');
    await until(() => server.requests.length === 3);
    [...server.sockets][0]?.write('hit 9\n');
    await until(() => load.ended.length === 3);
    expect(load.ended[2]).toMatchObject({ key: 9, outcome: 'answered', worker: 0 });
  });

  it('is abandoned at its deadline when its own connection never comes free', async () => {
    await using server = await FakeServer.listen(() => undefined);
    using load = pooled(server.port, { timeoutMs: 100, deadlineMs: 300, onTimeout: 'fail' });
    load.begin();
    load.own(0, 0, 7);
    await until(() => server.requests.length === 1);
    load.clock.nowMs = 100;
    load.pool.sweep();
    load.own(0, 100, 8);
    load.own(0, 110, 9);
    expect(load.pool.nextExpiryMs()).toBe(400);
    load.clock.nowMs = 400;
    load.pool.sweep();
    expect(load.ended.map(({ key, outcome }) => `${key} ${outcome}`)).toEqual(['7 timeout', '8 abandoned']);
    server.act = answer;
    [...server.sockets][0]?.write('hit 7\n');
    await until(() => load.ended.length === 3);
    expect(load.ended[2]).toMatchObject({ key: 9, outcome: 'answered' });
  });

  it('whose request is tried again late has it given up by when that was due, not by when it came back into the line', async () => {
    await using server = await FakeServer.listen(() => undefined);
    const retry = { tries: 2, wait: 'fixed', firstMs: 50, mostMs: 50 } as const;
    using load = pooled(server.port, { timeoutMs: 100, deadlineMs: 300, onTimeout: 'fail', retry });
    load.begin();
    load.own(0, 0, 7);
    await until(() => server.requests.length === 1);
    load.clock.nowMs = 100;
    load.pool.sweep();
    // Due later, and in the line before the other comes back at 150.
    load.own(0, 110, 8);
    load.clock.nowMs = 150;
    load.pool.sweep();
    expect(load.ended).toEqual([]);
    expect(load.pool.nextExpiryMs()).toBe(300);
    load.clock.nowMs = 300;
    load.pool.sweep();
    expect(load.ended).toEqual([{ key: 7, outcome: 'timeout', endedMs: 300, worker: 0 }]);
    load.clock.nowMs = 410;
    load.pool.sweep();
    expect(load.ended.slice(1)).toEqual([{ key: 8, outcome: 'abandoned', endedMs: 410, worker: 0 }]);
  });

  it('waits out the rest of its connection, which then opens for it', async () => {
    await using server = await FakeServer.listen((socket) => socket.end());
    using load = pooled(server.port, { backoff: { firstMs: 100, mostMs: 100, jitter: false } });
    load.begin();
    load.own(0, 0, 7);
    await until(() => load.ended.length === 1);
    load.own(0, 0, 8);
    expect(load.pool.connecting).toBe(0);
    server.act = answer;
    load.clock.nowMs = 100;
    load.pool.sweep();
    await until(() => load.ended.length === 2);
    expect(load.ended[1]).toMatchObject({ key: 8, outcome: 'answered' });
  });
});
