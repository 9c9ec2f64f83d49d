import { describe, expect, it } from 'vitest';
import { seeded } from '../../core/random.ts';
import { answer, deafPort, FakeServer, pooled, until } from './pool.fixture.ts';
import { Retries, type Retry } from './retry.ts';

const AT_ONCE: Retry = { tries: 3, wait: 'none', firstMs: 0, mostMs: 0 };

describe('Retries', () => {
  it('tries so often in all, and no more', () => {
    const retries = new Retries(AT_ONCE, seeded(1));
    expect([1, 2, 3].map((failures) => retries.waitMs('timeout', failures, 1_000))).toEqual([0, 0, undefined]);
  });

  it('does not try again what was never asked, and what would come behind its deadline', () => {
    const retries = new Retries({ ...AT_ONCE, wait: 'fixed', firstMs: 50, mostMs: 50 }, seeded(1));
    expect(retries.waitMs('abandoned', 1, 1_000)).toBeUndefined();
    expect(retries.waitMs('closed', 1, 51)).toBe(50);
    expect(retries.waitMs('closed', 1, 50)).toBeUndefined();
  });

  it('draws waits evenly from zero to a bound that doubles up to the most', () => {
    const retries = new Retries({ tries: 100, wait: 'full-jitter', firstMs: 100, mostMs: 300 }, seeded(3));
    const most = (failures: number) => Math.max(...Array.from({ length: 500 }, () => retries.waitMs('timeout', failures, 1e9) as number));
    expect(most(1)).toBeGreaterThan(95);
    expect(most(1)).toBeLessThanOrEqual(100);
    expect(most(2)).toBeGreaterThan(190);
    expect(most(2)).toBeLessThanOrEqual(200);
    expect(most(9)).toBeGreaterThan(285);
    expect(most(9)).toBeLessThanOrEqual(300);
  });

  it('adds no more than its budget to the load when everything fails, after the ten that were saved up', () => {
    const retries = new Retries({ ...AT_ONCE, budgetShare: 0.1 }, seeded(1));
    let granted = 0;
    for (let request = 0; request < 1_000; request++) {
      retries.earn();
      if (retries.waitMs('timeout', 1, 1_000) !== undefined) granted++;
    }
    expect(granted).toBeGreaterThanOrEqual(108);
    expect(granted).toBeLessThanOrEqual(110);
  });

  it('saves up no more than ten, however long nothing failed', () => {
    const retries = new Retries({ ...AT_ONCE, budgetShare: 0.1 }, seeded(1));
    for (let request = 0; request < 1_000; request++) retries.earn();
    const granted = Array.from({ length: 100 }, () => retries.waitMs('timeout', 1, 1_000)).filter((waitMs) => waitMs !== undefined);
    expect(granted).toHaveLength(10);
  });

  it('takes nothing from the budget for a retry that is not made', () => {
    const retries = new Retries({ ...AT_ONCE, wait: 'fixed', firstMs: 50, mostMs: 50, budgetShare: 0.001 }, seeded(1));
    for (let i = 0; i < 100; i++) expect(retries.waitMs('timeout', 1, 10)).toBeUndefined();
    expect(retries.waitMs('timeout', 1, 100)).toBe(50);
  });
});

describe('a pool that tries again', () => {
  it('ends a request once, with what came of its last try', async () => {
    let tries = 0;
    await using server = await FakeServer.listen((socket, operation, key, connection) => {
      if (++tries < 3) socket.write(`server ${key}\n`);
      else answer(socket, operation, key, connection);
    });
    using load = pooled(server.port, { retry: AT_ONCE });
    load.offer(0, 0, 5);
    await until(() => load.ended.length === 1);
    expect(load.ended).toEqual([{ key: 5, outcome: 'answered', endedMs: 0 }]);
    expect(server.requests).toEqual(['get 5', 'get 5', 'get 5']);
    expect(load.sent).toBe(3);
    expect(load.pool.underWay).toBe(0);
  });

  it('tells the last failure when all tries have failed', async () => {
    using load = pooled(await deafPort(), { retry: AT_ONCE });
    load.offer(0, 0, 5);
    await until(() => load.ended.length === 1);
    expect(load.ended[0]?.outcome).toBe('refused');
    expect(load.pool.underWay).toBe(0);
  });

  it('waits for as long as it is told, and counts on under way meanwhile', async () => {
    await using server = await FakeServer.listen((socket, _, key) => socket.write(`server ${key}\n`));
    using load = pooled(server.port, { retry: { tries: 2, wait: 'fixed', firstMs: 80, mostMs: 80 } });
    load.offer(0, 0, 5);
    await until(() => load.pool.nextExpiryMs() === 80);
    expect(load.pool.underWay).toBe(1);
    server.act = answer;
    load.clock.nowMs = 80;
    load.pool.sweep();
    await until(() => load.ended.length === 1);
    expect(load.ended).toEqual([{ key: 5, outcome: 'answered', endedMs: 80 }]);
  });

  it('tries a timed out request on another connection while the first one still waits for the late answer', async () => {
    await using server = await FakeServer.listen(() => undefined);
    using load = pooled(server.port, { connections: 2, timeoutMs: 100, onTimeout: 'fail', retry: AT_ONCE });
    load.offer(0, 0, 5);
    await until(() => server.requests.length === 1);
    server.act = answer;
    load.clock.nowMs = 100;
    load.pool.sweep();
    await until(() => load.ended.length === 1);
    expect(load.ended).toEqual([{ key: 5, outcome: 'answered', endedMs: 100 }]);
    expect(server.accepted).toBe(2);
    // The late answer frees the first connection, and is nobody's any more.
    [...server.sockets][0]?.write('hit 5\n');
    load.offer(100, 0, 6);
    load.offer(100, 0, 7);
    await until(() => load.ended.length === 3);
    expect(load.pool.open).toBe(2);
  });

  it('tries a request that times out on every connection, each of which is kept, so often as it is told and no more', async () => {
    await using server = await FakeServer.listen(() => undefined);
    using load = pooled(server.port, { connections: 4, timeoutMs: 100, onTimeout: 'fail', retry: AT_ONCE });
    load.offer(0, 0, 5);
    for (const tries of [1, 2, 3]) {
      await until(() => server.requests.length === tries);
      expect(load.ended).toEqual([]);
      load.clock.nowMs += 100;
      load.pool.sweep();
    }
    expect(load.ended).toEqual([{ key: 5, outcome: 'timeout', endedMs: 300 }]);
    expect(load.pool.underWay).toBe(0);
    expect(load.sent).toBe(3);
  });

  it('puts a retry before those who were due later', async () => {
    await using server = await FakeServer.listen(() => undefined);
    using load = pooled(server.port, { timeoutMs: 100, retry: AT_ONCE });
    for (const key of [0, 1, 2]) load.offer(key, 0, key);
    await until(() => server.requests.length === 1);
    server.act = answer;
    load.clock.nowMs = 100;
    load.pool.sweep();
    await until(() => load.ended.length === 3);
    expect(server.requests).toEqual(['get 0', 'get 0', 'get 1', 'get 2']);
  });

  it('tells by what it failed when it waits for another try at its deadline, not that it was never sent', async () => {
    await using server = await FakeServer.listen(() => undefined);
    using load = pooled(server.port, { timeoutMs: 100, deadlineMs: 300, onTimeout: 'fail', retry: AT_ONCE });
    load.offer(0, 0, 5);
    await until(() => server.requests.length === 1);
    load.clock.nowMs = 100;
    load.pool.sweep();
    expect(load.ended).toEqual([]);
    load.clock.nowMs = 300;
    load.pool.sweep();
    expect(load.ended).toEqual([{ key: 5, outcome: 'timeout', endedMs: 300 }]);
    expect(load.pool.underWay).toBe(0);
  });
});
