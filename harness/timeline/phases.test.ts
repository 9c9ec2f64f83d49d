import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultTimes, percentileOf, phaseSpans, requestsOf, shardsAmong, slidingBuckets, windowsWithin } from './phases.ts';
import { faultMarks, HEALED_MS, healthy, INJECTED_MS, isDuring, SHARDS, synthetic } from './synthetic.fixture.ts';
import { SEVERAL, type Timeline } from './types.ts';

const marks = faultMarks(INJECTED_MS, HEALED_MS);

describe('the phases of a run', () => {
  it('lie between the marks, and the first ends a window before the fault begins', () => {
    const timeline = synthetic({ marks, ratePerSecond: 40 });
    expect(phaseSpans(timeline, 'before')).toEqual([{ fromMs: 0, toMs: 7_895 }]);
    expect(phaseSpans(timeline, 'during')).toEqual([{ fromMs: 7_800, toMs: 14_000 }]);
    expect(phaseSpans(timeline, 'after')).toEqual([{ fromMs: 14_000, toMs: 20_000 }]);
  });

  it('leave no request out, whenever the fault was put in and taken out', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 8_000 }), fc.integer({ min: 300, max: 8_000 }), (injectedMs, lastsMs) => {
        const timeline = synthetic({ marks: faultMarks(injectedMs, injectedMs + lastsMs), ratePerSecond: 40 });
        const due = (['before', 'during', 'after'] as const).map((phase) => requestsOf(timeline, phase).due);
        expect(due.reduce((sum, count) => sum + count, 0)).toBe(timeline.windows.reduce((sum, window) => sum + window.due, 0));
      }),
      { numRuns: 50 },
    );
  });

  it('lose their grace at the front', () => {
    const timeline = synthetic({ marks, ratePerSecond: 40 });
    expect(phaseSpans(timeline, 'during', 1_000)).toEqual([{ fromMs: 9_000, toMs: 14_000 }]);
    expect(phaseSpans(timeline, 'after', 500)).toEqual([{ fromMs: 14_500, toMs: 20_000 }]);
    expect(phaseSpans(timeline, 'during', 6_000)).toEqual([]);
  });

  it('are all before when nothing was ever injected', () => {
    const timeline = synthetic({ ratePerSecond: 40 });
    expect(phaseSpans(timeline, 'before')).toEqual([{ fromMs: 0, toMs: 20_000 }]);
    expect(phaseSpans(timeline, 'during')).toEqual([]);
    expect(phaseSpans(timeline, 'after')).toEqual([]);
  });

  it('have no after while a fault is not healed, and a during that lasts to the end of the load', () => {
    const timeline = synthetic({ marks: marks.filter((mark) => mark.event !== 'healed' && mark.event !== 'healing'), ratePerSecond: 40 });
    expect(phaseSpans(timeline, 'during')).toEqual([{ fromMs: 7_800, toMs: 20_000 }]);
    expect(phaseSpans(timeline, 'after')).toEqual([]);
    expect(faultTimes(timeline).healedMs).toBeUndefined();
  });

  it('have no after while one of two faults is not healed', () => {
    const timeline = synthetic({ marks: [...marks, ...faultMarks(9_000, 99_000, { step: 1 }).slice(0, 2)], ratePerSecond: 40 });
    expect(faultTimes(timeline).healedMs).toBeUndefined();
    expect(phaseSpans(timeline, 'after')).toEqual([]);
  });

  it('end with the load where the fault is healed after it', () => {
    const timeline = synthetic({ marks: faultMarks(8_000, 21_000), ratePerSecond: 40 });
    expect(phaseSpans(timeline, 'during')).toEqual([{ fromMs: 7_800, toMs: 20_000 }]);
    expect(phaseSpans(timeline, 'after')).toEqual([]);
  });

  it('join faults that overlap, leave out the quiet between two that do not, and come after the last', () => {
    const faults = [...faultMarks(4_000, 7_000), ...faultMarks(6_000, 9_000, { step: 1, affects: ['mc-1'] }), ...faultMarks(12_000, 15_000, { step: 2 })];
    const timeline = synthetic({ marks: faults, ratePerSecond: 40 });
    expect(phaseSpans(timeline, 'during')).toEqual([
      { fromMs: 3_800, toMs: 9_000 },
      { fromMs: 11_800, toMs: 15_000 },
    ]);
    expect(phaseSpans(timeline, 'after')).toEqual([{ fromMs: 15_000, toMs: 20_000 }]);
    expect(faultTimes(timeline)).toMatchObject({ injectingMs: 3_995, injectedMs: 4_000, healedMs: 15_000 });
  });

  it('take only windows that lie wholly within them, but for the last one of the load', () => {
    const timeline = synthetic({ durationMs: 1_050, ratePerSecond: 400, shards: ['mc-1'] });
    const at = (fromMs: number, toMs: number) => windowsWithin(timeline, [{ fromMs, toMs }], () => true).map((window) => window.at);
    expect(at(150, 450)).toEqual([200, 300]);
    expect(at(200, 400)).toEqual([200, 300]);
    expect(at(800, 1_050)).toEqual([800, 900, 1_000]);
  });
});

describe('whose requests', () => {
  it('are told apart by the shards that the faults affect', () => {
    const timeline = synthetic({
      marks: [...marks, ...faultMarks(16_000, 17_000, { step: 1, affects: ['mc-1'] })],
      fate: (_, shard) => ({ afterMs: Number(shard.at(-1)) }),
    });
    // Two of the four shards are affected, so either side has half of the requests; shard n takes n ms.
    const during = (among: 'all requests' | 'healthy shards' | 'affected shards') => requestsOf(timeline, 'during', among);
    expect(during('healthy shards').due).toBe(during('affected shards').due);
    expect(during('all requests').due).toBe(during('healthy shards').due * 2);
    expect(during('healthy shards').latency.max).toBeLessThan(4_100);
    expect(percentileOf(during('affected shards'), 99)?.ms).toBeCloseTo(3, 1);
    expect(percentileOf(during('healthy shards'), 40)?.ms).toBeCloseTo(2, 1);
  });
});

describe('requests for several shards or none', () => {
  // Half of all requests, and the slowest: in either side's figures they would show.
  const timeline = synthetic({ marks, shards: ['mc-1', SEVERAL, 'mc-3', SEVERAL], fate: (_, shard) => ({ afterMs: shard === SEVERAL ? 500 : 1 }) });

  it('are neither healthy nor affected, and count among all', () => {
    expect(requestsOf(timeline, 'before', 'all requests').due).toBe(requestsOf(timeline, 'before', 'healthy shards').due * 4);
    for (const among of ['healthy shards', 'affected shards'] as const) {
      expect(requestsOf(timeline, 'during', among).latency.max, among).toBeLessThan(1_100);
      expect(shardsAmong(timeline, among)(SEVERAL), among).toBe(false);
    }
    expect(shardsAmong(timeline, 'all requests')(SEVERAL)).toBe(true);
  });

  it('are not affected even where a mark speaks of every shard', () => {
    const all = { ...timeline, marks: timeline.marks.map((mark) => ({ ...mark, affects: [SEVERAL, 'mc-1', 'mc-3'] })) };
    expect(requestsOf(all, 'during', 'affected shards').latency.max).toBeLessThan(1_100);
    expect(requestsOf(all, 'during', 'healthy shards').due).toBe(0);
  });
});

describe('windows of one load from several programs', () => {
  it('add up to those of one', () => {
    const whole = synthetic({ marks, ratePerSecond: 400 });
    const half = synthetic({ marks, ratePerSecond: 200 });
    const two = { ...half, windows: [...half.windows, ...half.windows], completions: [...half.completions, ...half.completions] };
    for (const phase of ['before', 'during', 'after'] as const) {
      const of = (one: Timeline) => {
        const { latency, gaveUp, ...counts } = requestsOf(one, phase, 'healthy shards');
        return { ...counts, latencies: latency.count, failures: gaveUp.count };
      };
      expect(of(two)).toEqual(of(whole));
    }
    expect(slidingBuckets(two, () => true)).toEqual(slidingBuckets(whole, () => true));
  });
});

describe('a percentile over answered and failed requests', () => {
  it('ranks failures last, however fast they are', () => {
    const timeline = synthetic({ ratePerSecond: 100, fate: (dueMs) => (dueMs % 1_000 < 20 ? { afterMs: 0.1, failed: 'refused' } : { afterMs: 5 }) });
    const requests = requestsOf(timeline, 'before');
    expect(percentileOf(requests, 98)).toMatchObject({ isFailure: false });
    expect(percentileOf(requests, 99)).toMatchObject({ isFailure: true });
  });

  it('is that of the answers where nothing fails', () => {
    let next = 0;
    const timeline = synthetic({ ratePerSecond: 50, fate: () => ({ afterMs: ++next / 100 }) });
    // 1,000 requests of 0.01 to 10 ms: the p90 is 9 ms, to the width of a bucket.
    expect(percentileOf(requestsOf(timeline, 'before'), 90)?.ms).toBeCloseTo(9, 0);
    expect(percentileOf(requestsOf(synthetic({ durationMs: 0 }), 'before'), 90)).toBeUndefined();
  });

  it('never gets better when an answer becomes a failure', () => {
    const request = fc.record({ afterMs: fc.double({ min: 0.01, max: 2_000, noNaN: true }), fails: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 50 }),
        fc.nat(),
        fc.double({ min: 0, max: 3_000, noNaN: true }),
        fc.constantFrom(50, 90, 99),
        (list, pick, failsAfterMs, percent) => {
          const rank = (requests: typeof list) => {
            const fate = (dueMs: number) => {
              const { afterMs, fails } = requests[Math.round(dueMs / 10)] as (typeof list)[number];
              return fails ? { afterMs, failed: 'server' as const } : { afterMs };
            };
            const timeline = synthetic({ durationMs: requests.length * 10, ratePerSecond: 100, fate });
            const measured = percentileOf(requestsOf(timeline, 'before'), percent) as { ms: number; isFailure: boolean };
            return measured.isFailure ? Number.POSITIVE_INFINITY : measured.ms;
          };
          const index = pick % list.length;
          const worse = list.with(index, { afterMs: failsAfterMs, fails: true });
          expect(rank(worse)).toBeGreaterThanOrEqual(rank(list));
        },
      ),
    );
  });
});

describe('sliding buckets', () => {
  it('are half a second long, one for each window that begins one, within the load', () => {
    const buckets = slidingBuckets(synthetic({ durationMs: 1_000, ratePerSecond: 200 }), () => true);
    expect(buckets.map((bucket) => bucket.at)).toEqual([0, 100, 200, 300, 400, 500]);
    expect(buckets.every((bucket) => bucket.due === 100 && bucket.goodShare === 1)).toBe(true);
  });

  it('are bad in proportion to what is bad in them, and have nothing good where nothing was due', () => {
    const timeline = synthetic({ marks, fate: (dueMs) => (isDuring(dueMs) ? { afterMs: 250, failed: 'timeout' } : healthy) });
    const buckets = slidingBuckets(timeline, (shard) => shard === SHARDS[0]);
    expect(buckets[76]).toMatchObject({ at: 7_600, goodShare: 0.8 });
    expect(buckets[80]).toMatchObject({ at: 8_000, goodShare: 0 });
    const idle = slidingBuckets({ ...timeline, windows: [] }, () => true)[0];
    expect(idle).toEqual({ at: 0, due: 0, goodShare: 0, p99Ms: Number.POSITIVE_INFINITY });
  });
});
