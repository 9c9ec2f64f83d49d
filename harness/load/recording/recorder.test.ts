import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../timeline/histogram.ts';
import { Recorder } from './recorder.ts';

const SERIES = ['get', 'set'].flatMap((operation) => ['mc-1', 'mc-2'].map((shard) => [operation, shard, 'everyone'] as const));
const [GET_1, GET_2, SET_1] = [0, 1, 2];
const OPTIONS = { series: SERIES, deadlineMs: 50 };

describe('Recorder', () => {
  it('keeps windows by due time and completions by end time', () => {
    const recorder = new Recorder(OPTIONS);
    recorder.due(99.5, GET_2, 99.6);
    recorder.due(100, GET_2, 100.1);
    recorder.answered(99.5, GET_2, 120, true);
    recorder.failed(100, GET_2, 250, 'timeout');
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
    const recorder = new Recorder(OPTIONS);
    for (const endedMs of [50, 50.1]) {
      recorder.due(0, GET_1, 0);
      recorder.answered(0, GET_1, endedMs, false);
    }
    expect(recorder.take(100, 100, 100, 0).windows).toMatchObject([{ answered: 2, good: 1 }]);
  });

  it('keeps a window and all behind it back while one of its requests is under way', () => {
    const recorder = new Recorder(OPTIONS);
    recorder.due(10, GET_1, 10);
    recorder.due(110, SET_1, 110);
    recorder.answered(110, SET_1, 111, false);
    expect(recorder.take(500, 500, 500, 0).windows).toEqual([]);
    recorder.failed(10, GET_1, 510, 'timeout');
    expect(recorder.take(600, 600, 600, 0).windows.map(({ at }) => at)).toEqual([0, 100]);
  });

  it('keeps a window back while requests may still fall due in it', () => {
    const recorder = new Recorder(OPTIONS);
    recorder.due(10, GET_1, 10);
    recorder.answered(10, GET_1, 11, false);
    expect(recorder.take(99, 99, 99, 0).windows).toEqual([]);
    expect(recorder.take(100, 100, 100, 0).windows).toHaveLength(1);
  });

  it('tells every request once, however it ended and whenever it is asked', () => {
    // Whole microseconds: of a `double` fast-check draws the bits, so that nine of ten would lie in the first thousandth. Without a size, it stops at ten or twenty.
    const upToMs = (mostMs: number) => fc.nat({ max: mostMs * 1_000 }).map((us) => us / 1_000);
    const size = 'max' as const;
    let [cases, outOfOne, many] = [0, 0, 0];
    const request = fc.record({
      dueMs: upToMs(1_000),
      tookMs: upToMs(600),
      series: fc.nat(SERIES.length - 1),
      ending: fc.constantFrom('hit', 'miss', 'timeout', 'abandoned'),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 200, size }), fc.array(upToMs(1_700), { maxLength: 10 }), (requests, looks) => {
        cases++;
        if (requests.length > 50) many++;
        if (new Set(requests.map(({ dueMs }) => Math.floor(dueMs / 100))).size > 5) outOfOne++;
        const recorder = new Recorder(OPTIONS);
        const taken = { windows: [] as ReturnType<Recorder['take']>['windows'], completions: [] as ReturnType<Recorder['take']>['completions'] };
        const take = (endedBeforeMs: number, scheduleMs: number) => {
          const { windows, completions } = recorder.take(endedBeforeMs, endedBeforeMs, scheduleMs, 0);
          taken.windows.push(...windows);
          taken.completions.push(...completions);
        };
        const events = [
          ...requests.map((r) => ({ at: r.dueMs, order: 0, act: () => recorder.due(r.dueMs, r.series, r.dueMs) })),
          ...requests.map((r) => {
            const endedMs = r.dueMs + r.tookMs;
            const failed = r.ending === 'timeout' || r.ending === 'abandoned';
            const act = failed
              ? () => recorder.failed(r.dueMs, r.series, endedMs, r.ending as 'timeout')
              : () => recorder.answered(r.dueMs, r.series, endedMs, r.ending === 'miss');
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
          const series = SERIES.findIndex((one) => one.join() === window.s.join());
          const ours = requests.filter((r) => r.series === series && r.dueMs >= window.at && r.dueMs < window.at + 100);
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
    // fast-check runs 100 cases unless told otherwise.
    expect(cases).toBe(100);
    expect(many).toBeGreaterThan(25);
    expect(outOfOne).toBeGreaterThan(25);
  });

  it('tells when the first and the last answer of a window came', () => {
    const recorder = new Recorder(OPTIONS);
    for (let n = 0; n < 3; n++) recorder.due(0, GET_1, 0);
    for (const endedMs of [110.5, 120, 190.25]) recorder.answered(0, GET_1, endedMs, false);
    expect(recorder.take(200, 200, 200, 0).completions).toMatchObject([{ at: 100, answered: 3, firstAnswerAt: 110.5, lastAnswerAt: 190.25 }]);
  });

  it('tells the earliest and the latest answer of a window, in whatever order it hears of them', () => {
    for (const endedAt of [
      [190.25, 110.5, 120],
      [120, 190.25, 110.5],
      [110.5, 190.25, 120],
    ]) {
      const recorder = new Recorder(OPTIONS);
      for (const endedMs of endedAt) {
        recorder.due(0, GET_1, 0);
        recorder.answered(0, GET_1, endedMs, false);
      }
      expect(recorder.take(200, 200, 200, 0).completions).toMatchObject([{ at: 100, answered: 3, firstAnswerAt: 110.5, lastAnswerAt: 190.25 }]);
    }
  });

  it('tells failures by kind, and only those that occurred', () => {
    const recorder = new Recorder(OPTIONS);
    for (const kind of ['dropped', 'refused', 'refused'] as const) {
      recorder.due(10, GET_2, 10);
      recorder.failed(10, GET_2, 12, kind);
    }
    recorder.due(110, GET_2, 110);
    recorder.failed(110, GET_2, 112, 'timeout');
    expect(recorder.take(200, 200, 200, 0).windows.map(({ failed }) => failed)).toEqual([{ refused: 2, dropped: 1 }, { timeout: 1 }]);
  });

  it('counts what belongs to a window that was told with the next one, and comes to an end', () => {
    const recorder = new Recorder(OPTIONS);
    recorder.due(10, GET_1, 10);
    recorder.answered(10, GET_1, 20, false);
    recorder.take(200, 200, 200, 0);
    recorder.due(-5, GET_1, 0);
    recorder.answered(-5, GET_1, 30, false);
    const { windows, completions } = recorder.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 200, 0);
    expect(windows).toMatchObject([{ at: 100, due: 1, answered: 1 }]);
    expect(completions).toMatchObject([{ at: 100, answered: 1 }]);
  });

  it('tells of each window as if it were the first, whatever was told before', () => {
    const alone = (window: number) => {
      const recorder = new Recorder(OPTIONS);
      play(recorder, window);
      const { windows, completions } = recorder.take((window + 1) * 100, (window + 1) * 100, 0, 0);
      const { latency, ...tally } = recorder.takeTally();
      return { windows, completions, tally: { ...tally, latency: latency.encode() } };
    };
    /** Windows differ in their series, in how requests ended and in how many there were. */
    const play = (recorder: Recorder, window: number) => {
      for (let n = 0; n <= 40 * (window % 5); n++) {
        const [dueMs, series] = [window * 100 + (n % 50), (n * window) % SERIES.length];
        recorder.due(dueMs, series, dueMs);
        if (window % 3 === 1) recorder.failed(dueMs, series, dueMs + 5 + (n % 40), n % 2 === 0 ? 'timeout' : 'closed');
        else recorder.answered(dueMs, series, dueMs + (n % 50), n % 3 === 0);
      }
    };
    const recorder = new Recorder(OPTIONS);
    for (let window = 0; window < 30; window++) {
      play(recorder, window);
      const { windows, completions } = recorder.take((window + 1) * 100, (window + 1) * 100, 0, 0);
      const { latency, ...tally } = recorder.takeTally();
      expect({ windows, completions, tally: { ...tally, latency: latency.encode() } }).toEqual(alone(window));
    }
  });

  it('takes no room for counts from window to window, and leaves what was told as it is', () => {
    const recorder = new Recorder(OPTIONS);
    const before = process.memoryUsage().arrayBuffers;
    const told: ReturnType<Recorder['take']>[] = [];
    for (let window = 0; window < 100; window++) {
      for (let n = 0; n < 500 * SERIES.length; n++) {
        const dueMs = window * 100 + 10;
        recorder.due(dueMs, n % SERIES.length, dueMs);
        recorder.answered(dueMs, n % SERIES.length, dueMs + (n % 80), false);
      }
      told.push(recorder.take((window + 1) * 100, (window + 1) * 100, (window + 1) * 100, 0));
      recorder.takeTally();
    }
    // Arrays of 10.5 KiB for each of 100 windows and four series would be 4.3 MB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(500_000);
    const windows = told.flatMap((one) => one.windows);
    expect(windows).toHaveLength(400);
    for (const { due, s, latency } of windows) expect([due, latency]).toEqual([500, windows.find((first) => first.s === s)?.latency]);
  });

  it('tells the tally since the last one', () => {
    const recorder = new Recorder(OPTIONS);
    recorder.due(0, GET_1, 0);
    recorder.due(0, GET_1, 0);
    recorder.answered(0, GET_1, 60, false);
    recorder.failed(0, GET_1, 70, 'closed');
    expect(recorder.takeTally()).toMatchObject({ due: 2, answered: 1, good: 0, failed: 1 });
    expect(recorder.takeTally()).toMatchObject({ due: 0, answered: 0, good: 0, failed: 0 });
  });
});

describe('the schedule', () => {
  it('counts as late what was looked at more than 10 ms after it was due', () => {
    const recorder = new Recorder(OPTIONS);
    for (const lookedAtMs of [10, 10.01, 35]) recorder.due(0, GET_1, lookedAtMs);
    const [window] = recorder.take(0, 0, 100, 0).generator;
    expect(window).toMatchObject({ due: 3, late: 2, maxLatenessMs: 35, p99LatenessMs: 35 });
  });

  it('shows a standstill of the event loop in every window that it touches', () => {
    const recorder = new Recorder(OPTIONS);
    recorder.schedule.woke(50, 51);
    recorder.schedule.woke(150, 350);
    expect(recorder.schedule.take(500, 0).map(({ maxLoopDelayMs }) => maxLoopDelayMs)).toEqual([1, 200, 200, 200, 0]);
  });

  it('counts connects in the window in which they came about', () => {
    const recorder = new Recorder(OPTIONS);
    for (const atMs of [-5, 20, 130, 140]) recorder.schedule.connected(atMs);
    expect(recorder.schedule.take(200, 3).map(({ connects, connections }) => [connects, connections])).toEqual([
      [2, 3],
      [2, 3],
    ]);
  });

  it('counts what was sent, repeats included, in the window in which it was sent', () => {
    const recorder = new Recorder(OPTIONS);
    recorder.due(90, GET_1, 90);
    for (const atMs of [90, 110, 130]) recorder.schedule.sent(atMs);
    expect(recorder.schedule.take(200, 0).map(({ due, sent }) => [due, sent])).toEqual([
      [1, 1],
      [0, 2],
    ]);
  });

  it('counts what was sent and connected behind the last request in the window of that request, which is the last', () => {
    const recorder = new Recorder(OPTIONS);
    recorder.due(130, GET_1, 130);
    for (const atMs of [130, 199, 210, 350]) recorder.schedule.sent(atMs);
    for (const atMs of [120, 310]) recorder.schedule.connected(atMs);
    recorder.schedule.fold(130);
    const told = recorder.schedule.take(1_000, 0).map(({ at, due, sent, connects }) => [at, due, sent, connects]);
    expect(told.slice(0, 3)).toEqual([
      [0, 0, 0, 0],
      [100, 1, 4, 2],
      [200, 0, 0, 0],
    ]);
    expect(told.slice(3).every(([, due, sent, connects]) => due === 0 && sent === 0 && connects === 0)).toBe(true);
  });

  it('counts it in the first window that was not told where that of the last request was', () => {
    const recorder = new Recorder(OPTIONS);
    recorder.due(130, GET_1, 130);
    recorder.schedule.sent(130);
    expect(recorder.schedule.take(200, 0).map(({ sent }) => sent)).toEqual([0, 1]);
    for (const atMs of [350, 450]) recorder.schedule.sent(atMs);
    recorder.schedule.fold(130);
    expect(recorder.schedule.take(500, 0).map(({ at, sent }) => [at, sent])).toEqual([
      [200, 2],
      [300, 0],
      [400, 0],
    ]);
  });

  describe('of processor time', () => {
    /** Wakes at each of these times with so much used since the one before. */
    function shares(readings: readonly (readonly [wokeMs: number, usedMs: number])[], untilMs: number, onRead?: () => void): (number | undefined)[] {
      let cpuMs = 5_000;
      const read = () => {
        onRead?.();
        return cpuMs;
      };
      const recorder = new Recorder({ ...OPTIONS, cpuMs: read });
      for (const [wokeMs, usedMs] of readings) {
        cpuMs += usedMs;
        recorder.schedule.woke(wokeMs, wokeMs);
      }
      return recorder.schedule.take(untilMs, 0).map(({ cpuShare }) => cpuShare);
    }

    it('gives each window what was used in it', () => {
      const readings = [
        [0, 0],
        [100, 30],
        [200, 90],
      ] as const;
      expect(shares(readings, 200)).toEqual([0.3, 0.9]);
    });

    it('reads it once a window, and counts from time zero on', () => {
      const readings = [
        [-100, 0],
        [-50, 1_000],
        [0, 20],
        [1, 5],
        [50, 5],
        [100, 10],
      ] as const;
      let reads = 0;
      expect(shares(readings, 100, () => reads++)).toEqual([0.2]);
      expect(reads).toBe(3);
    });

    it('lays what was used while the loop stood evenly over the windows in which it stood', () => {
      const readings = [
        [0, 0],
        [100, 20],
        [400, 240],
        [500, 10],
      ] as const;
      expect(shares(readings, 500)).toEqual([0.2, 0.8, 0.8, 0.8, 0.1]);
    });

    it('is absent for a window of which less than half was measured', () => {
      const readings = [
        [60, 0],
        [100, 20],
        [230, 65],
      ] as const;
      expect(shares(readings, 300)).toEqual([undefined, 0.5, undefined]);
    });

    it('is that of this process unless told otherwise', () => {
      const recorder = new Recorder(OPTIONS);
      recorder.schedule.woke(0, 0);
      const startedAt = performance.now();
      while (performance.now() - startedAt < 30) Math.sqrt(2);
      recorder.schedule.woke(100, 100);
      expect(recorder.schedule.take(100, 0)[0]?.cpuShare).toBeGreaterThan(0.05);
    });
  });
});
