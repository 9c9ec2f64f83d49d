import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../../core/clock.ts';
import { seeded } from '../../core/random.ts';
import { Engine, type EngineReport } from '../engine.ts';
import { countingWorkload, FakeServer, optionsFor } from '../pool/pool.fixture.ts';
import { warmUp } from '../warm-up.ts';
import { Workers, type WorkersOptions } from './workers.ts';

const CROWD: WorkersOptions = { workers: 4, batch: 1, thinkMs: 100, jitter: false, forMs: 10_000, random: seeded(1) };

describe('Workers', () => {
  it('begin one after the other over one think, and ask again a think after their answer', () => {
    const crowd = new Workers(CROWD);
    const asked: [number, number][] = [];
    for (let i = 0; i < 4; i++) asked.push([crowd.nextDueMs, crowd.take()]);
    expect(asked).toEqual([
      [0, 0],
      [25, 1],
      [50, 2],
      [75, 3],
    ]);
    expect(crowd.nextDueMs).toBe(Number.POSITIVE_INFINITY);
    expect(crowd.isOver).toBe(false);
    crowd.ended(2, 60);
    expect([crowd.nextDueMs, crowd.take()]).toEqual([160, 2]);
  });

  it('send a batch at one moment, and go on when the last of it has ended', () => {
    const crowd = new Workers({ ...CROWD, workers: 1, batch: 3 });
    const dues = [0, 1, 2].map(() => {
      const due = crowd.nextDueMs;
      crowd.take();
      return due;
    });
    expect(dues).toEqual([0, 0, 0]);
    crowd.ended(0, 10);
    crowd.ended(0, 20);
    expect(crowd.nextDueMs).toBe(Number.POSITIVE_INFINITY);
    crowd.ended(0, 30);
    expect(crowd.nextDueMs).toBe(130);
  });

  it('do not go on in the middle of a batch whose first answers are there before its last requests', () => {
    const crowd = new Workers({ ...CROWD, workers: 1, batch: 2, thinkMs: 0 });
    crowd.take();
    crowd.ended(0, 1);
    expect(crowd.nextDueMs).toBe(0);
    crowd.take();
    crowd.ended(0, 5);
    expect(crowd.nextDueMs).toBe(5);
  });

  it('are over when the time is, or when they are stopped, once all has ended', () => {
    const crowd = new Workers({ ...CROWD, workers: 2, forMs: 120 });
    crowd.take();
    crowd.take();
    crowd.ended(0, 15);
    expect(crowd.isOver).toBe(false);
    crowd.take();
    crowd.ended(0, 119);
    crowd.ended(1, 119);
    expect(crowd.isOver).toBe(true);
    const stopped = new Workers({ ...CROWD, batch: 2 });
    stopped.take();
    stopped.ended(0, 1);
    stopped.stop();
    expect(stopped.isOver).toBe(true);
    expect(stopped.nextDueMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('draw their thinks with the mean that they are given, the same for the same seed', () => {
    const thinks = () => {
      const crowd = new Workers({ ...CROWD, workers: 1, jitter: true, forMs: 1e12, random: seeded(9) });
      return Array.from({ length: 4_000 }, () => {
        const atMs = crowd.nextDueMs;
        crowd.take();
        crowd.ended(0, atMs);
        return crowd.nextDueMs - atMs;
      });
    };
    const drawn = thinks();
    const mean = drawn.reduce((sum, think) => sum + think, 0) / drawn.length;
    // Four standard errors of an exponential mean of 100 are 4 x 100 / sqrt(4,000) = 6.3.
    expect(Math.abs(mean - 100)).toBeLessThan(6.4);
    expect(drawn.filter((think) => think > 100).length / drawn.length).toBeCloseTo(Math.exp(-1), 1);
    expect(thinks()).toEqual(drawn);
  });
});

describe('an engine with workers', () => {
  it('asks again as soon as it is answered, on the connection of each, and tells of all', async () => {
    await using server = await FakeServer.listen();
    const workload = countingWorkload();
    const options = optionsFor(server.port, { connections: 3, depth: 2 });
    const reports: EngineReport[] = [];
    const carrier = await warmUp(options, workload);
    const filled = server.requests.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    const demand = new Workers({ ...CROWD, workers: 3, batch: 2, thinkMs: 0, forMs: 300 });
    new Engine({
      carrier,
      workload,
      demand,
      deadlineMs: 1_000,
      zeroMs: monotonicMs(),
      onReport: (report) => reports.push(report),
      onDone: resolve,
      onShortOf: (code) => expect.unreachable(code),
    }).start();
    await promise;
    carrier.close();
    const windows = reports.flatMap((report) => report.windows);
    const due = windows.reduce((sum, window) => sum + window.due, 0);
    expect(due).toBeGreaterThan(100);
    expect(due % 2).toBe(0);
    expect(windows.reduce((sum, window) => sum + window.answered, 0)).toBe(due);
    expect(server.requests.length - filled).toBe(due);
    expect(server.accepted).toBe(3);
    const generator = reports.flatMap((report) => report.generator);
    expect(generator.reduce((sum, { sent }) => sum + sent, 0)).toBe(due);
    expect(generator.map(({ at }) => at)).toEqual([0, 100, 200]);
  });

  it('counts what is sent again behind the last window in that window, though until then another one might have come', async () => {
    await using server = await FakeServer.listen();
    const workload = countingWorkload();
    const retry = { tries: 2, wait: 'fixed', firstMs: 350, mostMs: 350 } as const;
    const carrier = await warmUp(optionsFor(server.port, { connections: 3, retry }), workload);
    server.act = (socket, _, key) => socket.write(`server ${key}\n`);
    const generator: EngineReport['generator'][number][] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    new Engine({
      carrier,
      workload,
      // Due at 0, and answered for good at 350, when nothing falls due any more.
      demand: new Workers({ ...CROWD, workers: 3, thinkMs: 0, forMs: 300 }),
      deadlineMs: 1_000,
      zeroMs: monotonicMs(),
      onReport: (report) => generator.push(...report.generator),
      onDone: resolve,
      onShortOf: (code) => expect.unreachable(code),
    }).start();
    await promise;
    carrier.close();
    expect(generator.reduce((sum, { due }) => sum + due, 0)).toBe(3);
    expect(generator.reduce((sum, { sent }) => sum + sent, 0)).toBe(6);
    expect(generator[0]).toMatchObject({ at: 0, due: 3, sent: 6 });
  });
});
