import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/clock.ts';
import { wakerOf } from './pacing/waker.ts';
import { countingWorkload, FakeServer, optionsFor } from './pool/pool.fixture.ts';
import { rehearse } from './rehearsal.ts';
import { warmUp } from './warm-up.ts';

describe('a rehearsal', () => {
  it('asks many times, few at a time, leaves nothing under way, and does not leak what the load is to leak', async () => {
    await using server = await FakeServer.listen();
    const pool = await warmUp(optionsFor(server.port, { connections: 20, use: { leakShare: 1 } }), countingWorkload());
    const stored = server.requests.length;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, pool.underWay);
    }, 1);
    await rehearse({ carrier: pool, workload: countingWorkload, deadlineMs: 1_000, waker: wakerOf('economical') });
    clearInterval(watch);
    expect(server.requests.length - stored).toBeGreaterThan(1_000);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(8);
    expect(pool.underWay).toBe(0);
    expect(server.accepted).toBe(20);
    pool.close();
  });

  it('asks by a workload of its own in each round', async () => {
    await using server = await FakeServer.listen();
    const pool = await warmUp(optionsFor(server.port, { connections: 4 }), countingWorkload());
    const draws: number[] = [];
    const workload = () => {
      const round = draws.push(0) - 1;
      const counting = countingWorkload();
      return new Proxy(counting, {
        get: (of, name) => {
          if (name === 'next') draws[round] = (draws[round] ?? 0) + 1;
          return of[name as keyof typeof of];
        },
      });
    };
    await rehearse({ carrier: pool, workload, deadlineMs: 1_000, waker: wakerOf('economical') });
    expect(draws.length).toBeGreaterThanOrEqual(2);
    for (const drawn of draws) expect(drawn).toBeGreaterThan(0);
    pool.close();
  });

  it('is over in some seconds when nobody answers', async () => {
    await using server = await FakeServer.listen();
    const pool = await warmUp(optionsFor(server.port, { connections: 4, timeoutMs: 100, deadlineMs: 100 }), countingWorkload());
    server.act = () => undefined;
    const startMs = monotonicMs();
    await rehearse({ carrier: pool, workload: countingWorkload, deadlineMs: 100, waker: wakerOf('economical') });
    expect(monotonicMs() - startMs).toBeLessThan(4_000);
    expect(pool.underWay).toBe(0);
    pool.close();
  });
});

describe('pacing', () => {
  it.each(['economical', 'exact'] as const)('wakes at the moment or after it, never before (%s)', async (pacing) => {
    const waker = wakerOf(pacing);
    const offsMs: number[] = [];
    for (const aheadMs of [0, 0.3, 1, 2.5, 7, 0.05]) {
      const moment = monotonicMs() + aheadMs;
      await new Promise<void>((resolve) => {
        waker.wake = () => {
          offsMs.push(monotonicMs() - moment);
          resolve();
        };
        waker.sleepUntil(moment);
      });
    }
    waker.close();
    // Timers are good to a millisecond, either way.
    expect(Math.min(...offsMs)).toBeGreaterThan(pacing === 'exact' ? -0.001 : -1.1);
    // The median: a busy machine may be late once.
    expect(offsMs.toSorted((a, b) => a - b)[3]).toBeLessThan(20);
  });

  it('wakes once for the last moment that it was told (exact)', async () => {
    const waker = wakerOf('exact');
    let wakings = 0;
    waker.wake = () => {
      wakings++;
    };
    const moment = monotonicMs() + 30;
    waker.sleepUntil(moment + 500);
    waker.sleepUntil(moment);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(wakings).toBe(1);
    waker.close();
  });
});
