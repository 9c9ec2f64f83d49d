import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/clock.ts';
import { seeded } from '../core/random.ts';
import { Histogram } from '../timeline/histogram.ts';
import type { SavedWindow } from '../timeline/records.ts';
import type { Carrier, Outcomes } from './carrier.ts';
import { Schedule } from './demand/demand.ts';
import { constantRate } from './demand/pacer.ts';
import { Engine, type EngineOptions, type EngineReport } from './engine.ts';
import { type Waker, wakerOf } from './pacing/waker.ts';
import { answer, countingWorkload, drawingWorkload, FakeServer, optionsFor } from './pool/pool.fixture.ts';
import type { PoolOptions } from './pool/pool-options.ts';
import { warmUp } from './warm-up.ts';

/** Runs a load to its end and gives all that it reported. */
async function run(
  server: FakeServer,
  ratePerSecond: number,
  forMs: number,
  changes: Partial<PoolOptions> = {},
  during: (engine: Engine) => void = () => undefined,
  own: Partial<EngineOptions> = {},
) {
  const workload = own.workload ?? countingWorkload();
  const options = optionsFor(server.port, { connections: 10, ...changes });
  const pool = await warmUp(options, workload);
  const reports: EngineReport[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const engine = new Engine({
    carrier: pool,
    workload,
    demand: new Schedule(constantRate(ratePerSecond, forMs)),
    deadlineMs: options.deadlineMs,
    zeroMs: monotonicMs() + 20,
    onReport: (report) => reports.push(report),
    onDone: resolve,
    onShortOf: (code) => expect.unreachable(code),
    ...own,
  });
  engine.start();
  during(engine);
  await promise;
  pool.close();
  const windows = reports.flatMap((report) => report.windows);
  return { reports, windows, completions: reports.flatMap((report) => report.completions), generator: reports.flatMap((report) => report.generator) };
}

function total(windows: readonly SavedWindow[], what: 'due' | 'answered' | 'good'): number {
  return windows.reduce((sum, window) => sum + window[what], 0);
}

function merged(windows: readonly SavedWindow[], what: 'latency' | 'gaveUp'): Histogram {
  const all = new Histogram();
  for (const window of windows) all.merge(Histogram.decode(window[what]));
  return all;
}

describe('Engine', () => {
  it('offers exactly what is due and tells all of it, each window once', async () => {
    await using server = await FakeServer.listen();
    const { windows, completions, generator } = await run(server, 500, 1_000);
    expect(total(windows, 'due')).toBe(500);
    expect(total(windows, 'answered')).toBe(500);
    expect(completions.reduce((sum, { answered }) => sum + answered, 0)).toBe(500);
    expect(generator.map(({ at }) => at)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(generator.reduce((sum, { due }) => sum + due, 0)).toBe(500);
    expect(new Set(windows.map(({ at, s }) => `${at} ${s.join()}`)).size).toBe(windows.length);
    // Two shards in each of ten windows, 25 requests each.
    expect(windows.map(({ due }) => due)).toEqual(Array.from({ length: 20 }, () => 25));
  });

  it('goes on offering while the system stands still, and times each request from when it was due', async () => {
    await using server = await FakeServer.listen();
    const { windows } = await run(server, 500, 1_000, {}, () => {
      // A queue in the server: for half a second nothing is answered, then everything at once.
      const held: (() => void)[] = [];
      setTimeout(() => {
        server.act = (...request) => held.push(() => answer(...request));
      }, 220);
      setTimeout(() => {
        server.act = answer;
        for (const release of held.splice(0)) release();
      }, 720);
    });
    expect(total(windows, 'due')).toBe(500);
    expect(total(windows, 'answered')).toBe(500);
    const latency = merged(windows, 'latency');
    // Of the requests that fell due in the half second (50%), a fifth waited more than 400 ms: 10% of all. Measured from sending, only
    // the ten that were under way would have: 2%.
    expect(latency.max / 1_000).toBeGreaterThan(400);
    expect(latency.percentile(92) / 1_000).toBeGreaterThan(300);
    expect(latency.percentile(30) / 1_000).toBeLessThan(200);
  });

  it('counts its own standstill against itself: requests stay due when they were due, and are told as late', async () => {
    await using server = await FakeServer.listen();
    const { windows, generator } = await run(server, 500, 600, {}, () => {
      setTimeout(() => {
        for (const start = monotonicMs(); monotonicMs() < start + 200; );
      }, 170);
    });
    expect(windows.map(({ due }) => due)).toEqual(Array.from({ length: 12 }, () => 25));
    expect(total(windows, 'answered')).toBe(300);
    // 200 ms at 500/s are 100 requests, of which the last 10 ms are no lateness to speak of.
    expect(merged(windows, 'latency').max / 1_000).toBeGreaterThan(180);
    expect(generator.reduce((sum, { late }) => sum + late, 0)).toBeGreaterThan(85);
    expect(Math.max(...generator.map(({ maxLatenessMs }) => maxLatenessMs))).toBeGreaterThan(180);
    expect(Math.max(...generator.map(({ maxLoopDelayMs }) => maxLoopDelayMs))).toBeGreaterThan(180);
  });

  it('abandons what finds no connection by its deadline, and tells how long it waited', async () => {
    await using server = await FakeServer.listen();
    const { windows, reports } = await run(server, 200, 500, { connections: 1, deadlineMs: 100, timeoutMs: 400 }, () => {
      server.act = () => undefined;
    });
    expect(total(windows, 'due')).toBe(100);
    expect(total(windows, 'good')).toBe(0);
    const abandoned = windows.reduce((sum, { failed }) => sum + (failed.abandoned ?? 0), 0);
    const timedOut = windows.reduce((sum, { failed }) => sum + (failed.timeout ?? 0), 0);
    expect(abandoned + timedOut).toBe(100);
    // One connection that is taken for 400 ms at a time: two or three requests get it.
    expect(timedOut).toBeGreaterThanOrEqual(2);
    expect(timedOut).toBeLessThanOrEqual(3);
    const gaveUp = merged(windows, 'gaveUp');
    expect(gaveUp.percentile(0) / 1_000).toBeGreaterThanOrEqual(100);
    expect(gaveUp.percentile(50) / 1_000).toBeLessThan(200);
    // The last request is due at 495 ms and can stay open for deadline and timeout.
    expect(reports.at(-1)?.atMs).toBeLessThan(495 + 100 + 400 + 500);
  });

  it('offers nothing more once it is stopped, and still tells how everything ended', async () => {
    await using server = await FakeServer.listen();
    const { windows, generator } = await run(server, 500, 60_000, {}, (engine) => setTimeout(() => engine.stop(), 320));
    const due = total(windows, 'due');
    expect(due).toBeGreaterThan(50);
    expect(due).toBeLessThan(250);
    expect(total(windows, 'answered')).toBe(due);
    expect(generator.reduce((sum, window) => sum + window.due, 0)).toBe(due);
  });

  it('ends at once when nothing is ever due', async () => {
    await using server = await FakeServer.listen();
    expect((await run(server, 500, 0)).windows).toEqual([]);
  });

  it('asks for the same requests, whatever the system does', async () => {
    await using server = await FakeServer.listen();
    const asked = async () => {
      server.requests.length = 0;
      await run(server, 200, 200, { connections: 1 });
      return server.requests.filter((request) => request.startsWith('get'));
    };
    const first = await asked();
    expect(first).toHaveLength(40);
    expect(first.slice(0, 9)).toEqual(['get 0', 'get 1', 'get 2', 'get 3', 'get 4', 'get 5', 'get 6', 'get 7', 'get 0']);
    expect(await asked()).toEqual(first);
  });

  it('draws the same requests for the same seed, one for each that is due, when the system fails, falls silent and hangs up, and others for another', async () => {
    await using server = await FakeServer.listen();
    const drawn = async (seed: number, changes: Partial<PoolOptions> = {}, during: () => void = () => undefined) => {
      server.act = answer;
      server.requests.length = 0;
      const { workload, draws } = drawingWorkload(seeded(seed));
      const { windows } = await run(server, 200, 400, { connections: 1, random: seeded(seed), ...changes }, during, { workload });
      const asked = server.requests.filter((request) => request.startsWith('get'));
      return { draws, asked, answered: total(windows, 'answered') };
    };
    const calm = await drawn(5);
    expect(calm.draws).toHaveLength(80);
    expect(calm.asked).toEqual(calm.draws.map((key) => `get ${key}`));
    expect(calm.answered).toBe(80);
    expect(new Set(calm.draws).size).toBe(8);

    const retry = { tries: 3, wait: 'full-jitter', firstMs: 5, mostMs: 20 } as const;
    let turn = 0;
    const troubled = await drawn(5, { connections: 4, timeoutMs: 30, deadlineMs: 100, retry }, () => {
      // This process stands still, too, and is late.
      setTimeout(() => {
        for (const start = monotonicMs(); monotonicMs() < start + 60; );
      }, 150);
      server.act = (socket, operation, key, connection) => {
        turn++;
        if (turn % 7 === 0) socket.destroy();
        else if (turn % 5 === 0) socket.write(`server ${key}\n`);
        else if (turn % 3 !== 0) answer(socket, operation, key, connection);
      };
    });
    // It was trouble: some were sent again, some never answered.
    expect(troubled.asked.length).toBeGreaterThan(90);
    expect(troubled.asked.slice(0, 80)).not.toEqual(calm.asked);
    expect(troubled.draws).toEqual(calm.draws);
    expect((await drawn(6)).draws).not.toEqual(calm.draws);
  });

  it('tells what was sent again behind the end in the last window, which it has kept back, and told those before it as they ended', async () => {
    await using server = await FakeServer.listen();
    const retry = { tries: 2, wait: 'fixed', firstMs: 350, mostMs: 350 } as const;
    const { reports, windows, generator } = await run(server, 50, 300, { retry }, () => {
      server.act = (socket, _, key) => socket.write(`server ${key}\n`);
    });
    expect(windows.reduce((sum, { failed }) => sum + (failed.server ?? 0), 0)).toBe(15);
    // The repeats go out from 350 to 630 ms.
    expect(generator.map(({ at }) => at)).toEqual([0, 100, 200]);
    expect(generator.reduce((sum, { sent }) => sum + sent, 0)).toBe(30);
    expect(generator[2]?.sent).toBeGreaterThanOrEqual(15);
    expect(reports.slice(0, -1).flatMap((report) => report.generator.map(({ at }) => at))).toEqual([0, 100]);
  });

  it('reads an answer that lies in the buffers of its own machine before it gives the request up', async () => {
    await using server = await FakeServer.listen();
    // Due at 0 and 50 ms.
    const { windows } = await run(server, 20, 100, { connections: 1, timeoutMs: 200, onTimeout: 'fail' }, () => {
      server.act = (...request) => {
        answer(...request);
        // The event loop stands until the timeout is long over.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
      };
    });
    expect(total(windows, 'answered')).toBe(2);
    expect(windows.map(({ failed }) => failed)).toEqual(windows.map(() => ({})));
  });

  it('asks its carrier for nothing once it is closed, even if it is woken then', () => {
    const asked: string[] = [];
    const carrier: Carrier = {
      open: 1,
      underWay: 0,
      offer: () => asked.push('offer'),
      flush: () => asked.push('flush'),
      nextExpiryMs: () => Number.NEGATIVE_INFINITY,
      sweep: () => asked.push('sweep'),
      handOver: () => undefined,
      close: () => undefined,
    };
    const waker: Waker = { wake: () => undefined, sleepUntil: () => asked.push('sleep'), close: () => undefined };
    const engine = new Engine({
      carrier,
      workload: countingWorkload(),
      demand: new Schedule(constantRate(1_000, 60_000)),
      deadlineMs: 1_000,
      zeroMs: monotonicMs() - 10,
      waker,
      onReport: () => asked.push('report'),
      onDone: () => asked.push('done'),
      onShortOf: (code) => expect.unreachable(code),
    });
    engine.start();
    expect(asked).toEqual(['sleep']);
    engine.close();
    waker.wake();
    expect(asked).toEqual(['sleep']);
  });

  it('offers what is due by an answer when that comes in, without being woken for it', () => {
    const offered: number[] = [];
    let outcomes: Outcomes | undefined;
    const carrier: Carrier = {
      open: 1,
      underWay: 0,
      offer: (dueMs) => offered.push(dueMs),
      flush: () => undefined,
      nextExpiryMs: () => Number.POSITIVE_INFINITY,
      sweep: () => undefined,
      handOver: (_, told) => {
        outcomes = told;
      },
      close: () => undefined,
    };
    const waker: Waker = { wake: () => undefined, sleepUntil: () => undefined, close: () => undefined };
    const engine = new Engine({
      carrier,
      workload: countingWorkload(),
      // Due at 0, 100,000 and 200,000 ms: long after this test.
      demand: new Schedule(constantRate(0.01, 300_000)),
      deadlineMs: 1_000,
      zeroMs: monotonicMs(),
      waker,
      onReport: () => undefined,
      onDone: () => undefined,
      onShortOf: (code) => expect.unreachable(code),
    });
    engine.start();
    waker.wake();
    expect(offered).toEqual([0]);
    outcomes?.answered(0, 0, 0, 99_999, false);
    expect(offered).toEqual([0]);
    outcomes?.answered(0, 0, 0, 100_000, false);
    expect(offered).toEqual([0, 100_000]);
  });

  it('sleeps while as many requests are under way as may be, until an answer leads on', async () => {
    await using server = await FakeServer.listen();
    const waker = wakerOf('economical');
    const sleepUntil = waker.sleepUntil.bind(waker);
    let sleeps = 0;
    waker.sleepUntil = (clockMs) => {
      sleeps++;
      sleepUntil(clockMs);
    };
    let most = 0;
    let held = 0;
    const { windows } = await run(
      server,
      1_000,
      10,
      {},
      () => {
        server.act = (...request) => {
          most = Math.max(most, ++held);
          setTimeout(() => {
            held--;
            answer(...request);
          }, 40);
        };
      },
      { waker, mostUnderWay: 2 },
    );
    expect(total(windows, 'answered')).toBe(10);
    expect(most).toBe(2);
    // Five times 40 ms at some two or three ms a sleep; without a pause it would be tens of thousands.
    expect(sleeps).toBeLessThan(1_000);
  });
});

describe('warmUp', () => {
  it('opens every connection and stores every key once', async () => {
    await using server = await FakeServer.listen();
    const pool = await warmUp(optionsFor(server.port, { connections: 20 }), countingWorkload());
    expect(pool.open).toBe(20);
    expect(server.accepted).toBe(20);
    expect([...server.requests].sort()).toEqual(Array.from({ length: 8 }, (_, key) => `set ${key}`));
    pool.close();
  });

  it('tries again what failed', async () => {
    await using server = await FakeServer.listen();
    let refusals = 5;
    server.act = (...request) => {
      if (refusals-- > 0) request[0].write(`server ${request[2]}\n`);
      else answer(...request);
    };
    const pool = await warmUp(optionsFor(server.port, { connections: 2 }), countingWorkload());
    expect(new Set(server.requests).size).toBe(8);
    expect(server.requests).toHaveLength(13);
    pool.close();
  });

  it('says in one line how far it came when its time is over', async () => {
    await using server = await FakeServer.listen((socket, operation, key) =>
      key === '3' ? socket.write(`server ${key}\n`) : answer(socket, operation, key, 0),
    );
    const act = warmUp(optionsFor(server.port, { connections: 2 }), countingWorkload(), 200);
    await expect(act).rejects.toThrow(
      /^the load could not warm up: after 0.2 s, 2 of 2 connections were open and 7 of 8 keys stored at 127.0.0.1:\d+ \(last trouble: server\)$/,
    );
  });
});
