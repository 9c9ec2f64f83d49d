import { describe, expect, it } from 'vitest';
import type { Protocol } from '../protocol.ts';
import { answer, FakeServer, pooled, until, words } from './pool.fixture.ts';

const silent = () => undefined;

describe('a pool that pipelines', () => {
  it('has no more than its depth under way on a connection, in one write, and the rest in line', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { depth: 3 });
    load.pool.openSome(1);
    await until(() => load.pool.open === 1);
    for (let key = 0; key < 5; key++) load.pool.offer(0, 0, key);
    load.pool.flush();
    await until(() => server.requests.length === 3);
    expect(server.reads).toBe(1);
    expect(load.pool.underWay).toBe(5);
    server.act = answer;
    [...server.sockets][0]?.write('hit 0\nhit 1\nhit 2\n');
    await until(() => load.ended.length === 5);
    expect(load.ended.map(({ key, outcome }) => `${key} ${outcome}`)).toEqual([0, 1, 2, 3, 4].map((key) => `${key} answered`));
  });

  it('sends what is due together on one connection, as far as it carries it, and what is due later on the next', async () => {
    await using server = await FakeServer.listen(silent);
    const seen: string[] = [];
    server.act = (_socket, _operation, key, connection) => seen.push(`${connection}:${key}`);
    using load = pooled(server.port, { connections: 2, depth: 3 });
    load.pool.openSome(2);
    await until(() => load.pool.open === 2);
    for (let key = 0; key < 4; key++) load.pool.offer(0, 0, key);
    load.pool.flush();
    await until(() => seen.length === 4);
    const [first] = (seen.find((told) => told.endsWith(':0')) ?? '').split(':');
    expect(seen.filter((told) => told.startsWith(`${first}:`)).toSorted()).toEqual([`${first}:0`, `${first}:1`, `${first}:2`]);
    expect(server.reads).toBe(2);
    using other = pooled(server.port, { connections: 2, depth: 3 });
    other.pool.openSome(2);
    await until(() => other.pool.open === 2);
    seen.length = 0;
    for (let key = 0; key < 4; key++) other.offer(0, 0, key);
    await until(() => seen.length === 4);
    expect(new Set(seen.map((told) => told.split(':')[0])).size).toBe(2);
    expect(seen.filter((told) => told.startsWith(`${seen[0]?.split(':')[0]}:`))).toHaveLength(2);
  });

  it('knows which answer is whose, however the bytes are cut', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { depth: 3 });
    for (let key = 0; key < 3; key++) load.offer(0, 0, key);
    await until(() => server.requests.length === 3);
    const [socket] = server.sockets;
    socket?.write('hi');
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket?.write('t 0\nmiss 1\nser');
    await until(() => load.ended.length === 2);
    socket?.write('ver 2\n');
    await until(() => load.ended.length === 3);
    expect(load.ended.map(({ outcome }) => outcome)).toEqual(['answered', 'answered', 'server']);
  });

  it('loses all that a connection carries when one of it takes too long: that one timed out, the others were closed', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { depth: 3, timeoutMs: 100, onTimeout: 'reconnect' });
    load.pool.openSome(1);
    await until(() => load.pool.open === 1);
    load.offer(0, 0, 0);
    load.clock.nowMs = 50;
    load.offer(50, 0, 1);
    load.clock.nowMs = 100;
    load.pool.sweep();
    expect(load.ended).toEqual([
      { key: 0, outcome: 'timeout', endedMs: 100 },
      { key: 1, outcome: 'closed', endedMs: 100 },
    ]);
    expect(load.pool.open).toBe(0);
    expect(load.pool.underWay).toBe(0);
  });

  it('keeps the place of what was given up until its answer was read, and gives later answers to those behind it', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { depth: 2, timeoutMs: 100, onTimeout: 'fail' });
    load.pool.openSome(1);
    await until(() => load.pool.open === 1);
    load.offer(0, 0, 0);
    load.clock.nowMs = 60;
    load.offer(60, 0, 1);
    load.offer(60, 0, 2);
    load.clock.nowMs = 100;
    load.pool.sweep();
    expect(load.ended).toEqual([{ key: 0, outcome: 'timeout', endedMs: 100 }]);
    await until(() => server.requests.length === 2);
    // Both places are taken: one by the request that was given up.
    expect(server.requests).toEqual(['get 0', 'get 1']);
    [...server.sockets][0]?.write('hit 0\nhit 1\n');
    await until(() => load.ended.length === 2 && server.requests.length === 3);
    expect(load.ended[1]).toEqual({ key: 1, outcome: 'answered', endedMs: 100 });
    expect(server.requests[2]).toBe('get 2');
  });

  it('calls an answer garbled that comes with more than was asked for', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { depth: 2 });
    load.offer(0, 0, 0);
    load.offer(0, 0, 1);
    await until(() => server.requests.length === 2);
    [...server.sockets][0]?.write('hit 0\nhit 1\nhit 2\n');
    await until(() => load.ended.length === 2);
    expect(load.ended.map(({ outcome }) => outcome)).toEqual(['answered', 'garbled']);
    expect(load.pool.open).toBe(0);
  });
});

describe('a pool that logs in', () => {
  const withLogin: Protocol = { ...words, opening: 1 };

  it('sends nothing else on a new connection before the login was answered', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { protocol: withLogin });
    load.offer(0, 0, 7);
    await until(() => server.requests.length === 1);
    expect(server.requests).toEqual(['set 0']);
    expect(load.pool.open).toBe(0);
    server.act = answer;
    [...server.sockets][0]?.write('done 0\n');
    await until(() => load.ended.length === 1);
    expect(server.requests).toEqual(['set 0', 'get 7']);
    expect(load.ended[0]?.outcome).toBe('answered');
    expect(load.sent).toBe(1);
  });

  it('fails a request whose connection is not let in, by the word of the server', async () => {
    await using server = await FakeServer.listen((socket, _, key) => socket.write(`server ${key}\n`));
    using load = pooled(server.port, { protocol: withLogin });
    load.offer(0, 0, 7);
    await until(() => load.ended.length === 1);
    expect(load.ended[0]?.outcome).toBe('server');
    expect(load.pool.open).toBe(0);
  });

  it('calls a login that is never answered unconnected', async () => {
    await using server = await FakeServer.listen(silent);
    using load = pooled(server.port, { protocol: withLogin, timeoutMs: 100 });
    load.offer(0, 0, 7);
    await until(() => server.requests.length === 1);
    load.clock.nowMs = 100;
    load.pool.sweep();
    expect(load.ended).toEqual([{ key: 7, outcome: 'unconnected', endedMs: 100 }]);
    expect(load.pool.connecting).toBe(0);
  });
});
