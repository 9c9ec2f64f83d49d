import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/clock.ts';
import { seeded } from '../core/random.ts';
import { answer, countingWorkload, drawingWorkload, FakeServer, optionsFor, until } from './pool/pool.fixture.ts';
import type { Prepared, Tell } from './program.ts';
import { type Asking, demandOf, pooledLoad } from './request-load.ts';
import { reopen, warmUp } from './warm-up.ts';

const WHOLE = { index: 0, of: 1 };

function steadily(ratePerSecond: number): Asking {
  return { kind: 'schedule', arrivals: { kind: 'segments', spacing: 'even', segments: [{ kind: 'hold', ratePerSecond }] }, part: WHOLE };
}

/** Runs a load to its end, with and without a rehearsal of what it asks. */
async function drawnBy(server: FakeServer, seed: number, rehearses: boolean): Promise<readonly number[]> {
  const { workload, draws } = drawingWorkload(seeded(seed));
  const load = pooledLoad({
    asking: steadily(500),
    workload,
    random: seeded(seed),
    ...(rehearses ? { rehearsal: () => drawingWorkload(seeded(seed)).workload } : {}),
    pool: optionsFor(server.port, { connections: 4 }),
  });
  await carriedOut(await load.prepare());
  return draws;
}

/** Runs what is prepared for 100 ms, to its end. */
async function carriedOut(prepared: Prepared): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const tell: Tell = { report: () => undefined, gauges: () => undefined, finding: () => undefined, done: resolve, fail: (why) => expect.unreachable(why) };
  prepared.start(monotonicMs(), 100, tell);
  await promise;
  prepared.close();
}

describe('the demand of a load that several processes share', () => {
  /** The thinks of the one worker of a process. */
  function thinksOf(index: number, seed: number): number[] {
    const asking: Asking = { kind: 'workers', workers: 1, batch: 1, thinkMs: 100, jitter: true, part: { index, of: 2 } };
    const crowd = demandOf(asking, 1e9, seeded(seed));
    return Array.from({ length: 20 }, () => {
      const atMs = crowd.nextDueMs;
      crowd.take();
      crowd.ended(0, atMs);
      return crowd.nextDueMs - atMs;
    });
  }

  it('has workers who do not think alike in any two of them, and the same in each for the same seed', () => {
    const first = thinksOf(0, 5);
    expect(first.filter((think) => thinksOf(1, 5).includes(think))).toEqual([]);
    expect(thinksOf(0, 5)).toEqual(first);
    expect(thinksOf(0, 6)).not.toEqual(first);
  });

  it('has a schedule that all of them keep together, whatever is drawn in it', () => {
    const duesOf = (part: { index: number; of: number }) => {
      const asking: Asking = {
        kind: 'schedule',
        arrivals: { kind: 'segments', spacing: 'poisson', segments: [{ kind: 'hold', ratePerSecond: 200 }] },
        part,
      };
      const demand = demandOf(asking, 1_000, seeded(5));
      const dues: number[] = [];
      for (; !demand.isOver; demand.take()) dues.push(demand.nextDueMs);
      return dues;
    };
    const together = [0, 1, 2].flatMap((index) => duesOf({ index, of: 3 })).sort((a, b) => a - b);
    expect(together.length).toBeGreaterThan(100);
    expect(together).toEqual(duesOf(WHOLE));
  });
});

describe('a load with a rehearsal', () => {
  it('begins with all its connections open, though some were lost while it rehearsed', async () => {
    await using server = await FakeServer.listen();
    let gets = 0;
    server.act = (socket, operation, key, connection) => {
      if (operation === 'get' && ++gets === 500) for (const other of server.sockets) other.destroy();
      else answer(socket, operation, key, connection);
    };
    // Eight requests at a time open eight of them again at the most.
    const load = pooledLoad({
      asking: steadily(100),
      workload: countingWorkload(),
      random: seeded(1),
      rehearsal: countingWorkload,
      pool: optionsFor(server.port, { connections: 20 }),
    });
    const prepared = await load.prepare();
    expect(gets).toBeGreaterThan(500);
    expect(prepared.connections).toBe(20);
    await until(() => server.sockets.size === 20);
    expect(server.accepted).toBe(40);
    prepared.close();
  });

  it('asks for what it would have asked for without one', async () => {
    await using server = await FakeServer.listen();
    const drawn = await drawnBy(server, 5, false);
    expect(drawn).toHaveLength(50);
    server.requests.length = 0;
    expect(await drawnBy(server, 5, true)).toEqual(drawn);
    // It has rehearsed.
    expect(server.requests.length).toBeGreaterThan(1_000);
    expect(await drawnBy(server, 6, false)).not.toEqual(drawn);
  });
});

describe('a load whose connections are not kept', () => {
  it('begins to use them so when it begins, and not in its warm-up and rehearsal', async () => {
    await using server = await FakeServer.listen();
    const load = pooledLoad({
      asking: steadily(200),
      workload: countingWorkload(),
      random: seeded(1),
      rehearsal: countingWorkload,
      pool: optionsFor(server.port, { connections: 4, use: 'per-request' }),
    });
    const prepared = await load.prepare();
    expect(server.accepted).toBe(4);
    await carriedOut(prepared);
    // Of 20 requests, four find the connections of the warm-up, and each of the others opens its own.
    expect(server.accepted).toBe(20);
  });
});

describe('reopen', () => {
  it('opens what was lost, and nothing that is open', async () => {
    await using server = await FakeServer.listen();
    const pool = await warmUp(optionsFor(server.port, { connections: 6 }), countingWorkload());
    await reopen(pool, 6);
    expect(server.accepted).toBe(6);
    for (const socket of [...server.sockets].slice(0, 4)) socket.destroy();
    await until(() => pool.open === 2);
    await reopen(pool, 6);
    expect(pool.open).toBe(6);
    expect(server.accepted).toBe(10);
    pool.close();
  });

  it('waits out the rests of connections that have a backoff', async () => {
    await using server = await FakeServer.listen();
    const pool = await warmUp(optionsFor(server.port, { connections: 2, backoff: { firstMs: 100, mostMs: 100, jitter: false } }), countingWorkload());
    // Lost while something was asked: that is a failure, and failures rest.
    server.act = (socket) => socket.destroy();
    for (const key of [0, 1]) pool.offer(monotonicMs(), 0, key);
    pool.flush();
    await until(() => pool.open === 0);
    await reopen(pool, 2);
    expect(pool.open).toBe(2);
    pool.close();
  });

  it('leaves to the load, after some seconds, what nobody answers to', async () => {
    const server = await FakeServer.listen();
    const pool = await warmUp(optionsFor(server.port, { connections: 2 }), countingWorkload());
    await server[Symbol.asyncDispose]();
    await until(() => pool.open === 0);
    await reopen(pool, 2);
    expect(pool.open).toBe(0);
    pool.close();
  });
});
