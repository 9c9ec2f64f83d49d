import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../timeline/histogram.ts';
import { Recorder } from './recorder.ts';

const NAMES = { operations: ['get', 'set'], shards: ['mc-1', 'mc-2'], tenant: 'everyone', deadlineMs: 50 };

describe('Recorder', () => {
  it('keeps windows by due time and completions by end time', () => {
    const recorder = new Recorder(NAMES);
    recorder.due(99.5, 0, 1, 99.6);
    recorder.due(100, 0, 1, 100.1);
    recorder.answered(99.5, 0, 1, 120, true);
    recorder.failed(100, 0, 1, 250, 'timeout');
    const { windows, completions, generator } = recorder.take(300, 300, 300, 7);
    expect(windows.map(({ latency: _, gaveUp: __, ...window }) => window)).toEqual([
      { type: 'window', at: 0, s: ['get', 'mc-2', 'everyone'], due: 1, answered: 1, good: 1, misses: 1, failed: {} },
      { type: 'window', at: 100, s: ['get', 'mc-2', 'everyone'], due: 1, answered: 0, good: 0, misses: 0, failed: { timeout: 1 } },
    ]);
    expect(Math.abs(Histogram.decode(windows[0]?.latency ?? []).max - 20_500)).toBeLessThanOrEqual(205);
    expect(Math.abs(Histogram.decode(windows[1]?.gaveUp ?? []).max - 150_000)).toBeLessThanOrEqual(1_500);
    expect(completions).toEqual([
      { type: 'completion', at: 100, s: ['get', 'mc-2', 'everyone'], answered: 1, failed: 0, firstAnswerAt: 120, lastAnswerAt: 120 },
      { type: 'completion', at: 200, s: ['get', 'mc-2', 'everyone'], answered: 0, failed: 1 },
    ]);
    expect(generator.map(({ at, due, connections }) => ({ at, due, connections }))).toEqual([
      { at: 0, due: 1, connections: 7 },
      { at: 100, due: 1, connections: 7 },
      { at: 200, due: 0, connections: 7 },
    ]);
  });

  it('counts as good what is answered at the deadline, not what is answered behind it', () => {
    const recorder = new Recorder(NAMES);
    for (const endedMs of [50, 50.1]) {
      recorder.due(0, 0, 0, 0);
      recorder.answered(0, 0, 0, endedMs, false);
    }
    expect(recorder.take(100, 100, 100, 0).windows).toMatchObject([{ answered: 2, good: 1 }]);
  });

  it('keeps a window and all behind it back while one of its requests is under way', () => {
    const recorder = new Recorder(NAMES);
    recorder.due(10, 0, 0, 10);
    recorder.due(110, 1, 0, 110);
    recorder.answered(110, 1, 0, 111, false);
    expect(recorder.take(500, 500, 500, 0).windows).toEqual([]);
    recorder.failed(10, 0, 0, 510, 'timeout');
    expect(recorder.take(600, 600, 600, 0).windows.map(({ at }) => at)).toEqual([0, 100]);
  });

  it('keeps a window back while requests may still fall due in it', () => {
    const recorder = new Recorder(NAMES);
    recorder.due(10, 0, 0, 10);
    recorder.answered(10, 0, 0, 11, false);
    expect(recorder.take(99, 99, 99, 0).windows).toEqual([]);
    expect(recorder.take(100, 100, 100, 0).windows).toHaveLength(1);
  });

  it('tells every request once, however it ended and whenever it is asked', () => {
    const request = fc.record({
      dueMs: fc.double({ min: 0, max: 1_000, noNaN: true }),
      tookMs: fc.double({ min: 0, max: 600, noNaN: true }),
      operation: fc.integer({ min: 0, max: 1 }),
      shard: fc.integer({ min: 0, max: 1 }),
      ending: fc.constantFrom('hit', 'miss', 'timeout', 'abandoned'),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 200 }), fc.array(fc.double({ min: 0, max: 1_700, noNaN: true }), { maxLength: 10 }), (requests, looks) => {
        const recorder = new Recorder(NAMES);
        const taken = { windows: [] as ReturnType<Recorder['take']>['windows'], completions: [] as ReturnType<Recorder['take']>['completions'] };
        const take = (endedBeforeMs: number, scheduleMs: number) => {
          const { windows, completions } = recorder.take(endedBeforeMs, endedBeforeMs, scheduleMs, 0);
          taken.windows.push(...windows);
          taken.completions.push(...completions);
        };
        const events = [
          ...requests.map((r) => ({ at: r.dueMs, order: 0, act: () => recorder.due(r.dueMs, r.operation, r.shard, r.dueMs) })),
          ...requests.map((r) => {
            const endedMs = r.dueMs + r.tookMs;
            const failed = r.ending === 'timeout' || r.ending === 'abandoned';
            const act = failed
              ? () => recorder.failed(r.dueMs, r.operation, r.shard, endedMs, r.ending as 'timeout')
              : () => recorder.answered(r.dueMs, r.operation, r.shard, endedMs, r.ending === 'miss');
            return { at: endedMs, order: 1, act };
          }),
          ...looks.map((at) => ({ at, order: -1, act: () => take(at, at) })),
        ].sort((a, b) => a.at - b.at || a.order - b.order);
        for (const { act } of events) act();
        take(Number.POSITIVE_INFINITY, 1_700);

        expect(new Set(taken.windows.map(({ at, s }) => `${at} ${s.join()}`)).size).toBe(taken.windows.length);
        expect(new Set(taken.completions.map(({ at, s }) => `${at} ${s.join()}`)).size).toBe(taken.completions.length);
        for (const window of taken.windows) {
          const failed = Object.values(window.failed).reduce((sum, count) => sum + count, 0);
          expect(window.answered + failed).toBe(window.due);
          expect(Histogram.decode(window.latency).count).toBe(window.answered);
          expect(Histogram.decode(window.gaveUp).count).toBe(failed);
          const [operation, shard] = [NAMES.operations.indexOf(window.s[0]), NAMES.shards.indexOf(window.s[1])];
          const ours = requests.filter((r) => r.operation === operation && r.shard === shard && r.dueMs >= window.at && r.dueMs < window.at + 100);
          expect(window.due).toBe(ours.length);
          expect(window.misses).toBe(ours.filter((r) => r.ending === 'miss').length);
        }
        const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0);
        expect(sum(taken.windows.map(({ due }) => due))).toBe(requests.length);
        expect(sum(taken.completions.map(({ answered, failed }) => answered + failed))).toBe(requests.length);
        for (const { at, firstAnswerAt, lastAnswerAt, answered } of taken.completions) {
          expect(firstAnswerAt === undefined).toBe(answered === 0);
          // Times are told to the microsecond, which may round up to the end of the window.
          if (firstAnswerAt !== undefined && lastAnswerAt !== undefined) {
            expect(firstAnswerAt).toBeGreaterThanOrEqual(at);
            expect(lastAnswerAt).toBeGreaterThanOrEqual(firstAnswerAt);
            expect(lastAnswerAt).toBeLessThanOrEqual(at + 100);
          }
        }
      }),
    );
  });

  it('tells when the first and the last answer of a window came', () => {
    const recorder = new Recorder(NAMES);
    for (let n = 0; n < 3; n++) recorder.due(0, 0, 0, 0);
    for (const endedMs of [110.5, 120, 190.25]) recorder.answered(0, 0, 0, endedMs, false);
    expect(recorder.take(200, 200, 200, 0).completions).toMatchObject([{ at: 100, answered: 3, firstAnswerAt: 110.5, lastAnswerAt: 190.25 }]);
  });

  it('tells the tally since the last one', () => {
    const recorder = new Recorder(NAMES);
    recorder.due(0, 0, 0, 0);
    recorder.due(0, 0, 0, 0);
    recorder.answered(0, 0, 0, 60, false);
    recorder.failed(0, 0, 0, 70, 'closed');
    expect(recorder.takeTally()).toMatchObject({ due: 2, answered: 1, good: 0, failed: 1 });
    expect(recorder.takeTally()).toMatchObject({ due: 0, answered: 0, good: 0, failed: 0 });
  });
});

describe('the schedule', () => {
  it('counts as late what was looked at more than 10 ms after it was due', () => {
    const recorder = new Recorder(NAMES);
    for (const lookedAtMs of [10, 10.01, 35]) recorder.due(0, 0, 0, lookedAtMs);
    const [window] = recorder.take(0, 0, 100, 0).generator;
    expect(window).toMatchObject({ due: 3, late: 2, maxLatenessMs: 35, p99LatenessMs: 35 });
  });

  it('shows a standstill of the event loop in every window that it touches', () => {
    const recorder = new Recorder(NAMES);
    recorder.schedule.woke(50, 51);
    recorder.schedule.woke(150, 350);
    expect(recorder.schedule.take(500, 0).map(({ maxLoopDelayMs }) => maxLoopDelayMs)).toEqual([1, 200, 200, 200, 0]);
  });

  it('counts connects in the window in which they came about', () => {
    const recorder = new Recorder(NAMES);
    for (const atMs of [-5, 20, 130, 140]) recorder.schedule.connected(atMs);
    expect(recorder.schedule.take(200, 3).map(({ connects, connections }) => [connects, connections])).toEqual([
      [2, 3],
      [2, 3],
    ]);
  });
});
