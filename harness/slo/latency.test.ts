import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Fate, faultMarks, HEALED_MS, healthy, INJECTED_MS, isDuring, synthetic } from '../timeline/synthetic.fixture.ts';
import { SEVERAL } from '../timeline/types.ts';
import { isolation, judgeObjective, percentile, ripple } from './index.ts';

const marks = faultMarks(INJECTED_MS, HEALED_MS);
const during = (fate: (shard: string) => Fate) => synthetic({ marks, fate: (dueMs, shard) => (isDuring(dueMs) ? fate(shard) : healthy) });

describe('percentile', () => {
  it('is met when so many of a hundred are answered so quickly', () => {
    // 0 to 7,800 ms: 78 whole windows of 200 requests.
    expect(judgeObjective(percentile(99, { under: '25ms', when: 'before' }), synthetic({ marks }))).toEqual({
      status: 'met',
      limit: 'p99 under 25 ms before the fault',
      // To the end of its bucket, which is 1/128 of 2 ms wide at most.
      measured: '2.01 ms',
      figures: { p99Ms: expect.closeTo(2, 1), limitMs: 25, marginMs: expect.closeTo(23, 1), samples: 15_600, failedShare: 0 },
    });
  });

  it('is missed when a quarter is slow, and its median is not', () => {
    const timeline = during((shard) => (shard === 'mc-3' ? { afterMs: 300 } : healthy));
    expect(judgeObjective(percentile(99, { under: '25ms', when: 'during' }), timeline)).toMatchObject({
      status: 'missed',
      measured: expect.stringMatching(/^30[0-3] ms$/),
    });
    expect(judgeObjective(percentile(50, { under: '25ms', when: 'during' }), timeline)).toMatchObject({ status: 'met' });
    expect(judgeObjective(percentile(99, { under: '25ms', when: 'after' }), timeline)).toMatchObject({ status: 'met' });
  });

  it('is missed when too many fail, after however short a time', () => {
    const slow = during((shard) => (shard === 'mc-3' ? { afterMs: 250, failed: 'timeout' } : healthy));
    expect(judgeObjective(percentile(99, { under: '25ms', when: 'during' }), slow)).toMatchObject({
      status: 'missed',
      measured: expect.stringMatching(/^25[0-2] ms$/),
      because: '24.1% of the requests failed, so the p99 is a failure',
    });
    const fast = during((shard) => (shard === 'mc-3' ? { afterMs: 0.2, failed: 'refused' } : healthy));
    expect(judgeObjective(percentile(99, { under: '25ms', when: 'during' }), fast)).toMatchObject({ status: 'missed', measured: 'failed' });
  });

  it('may be measured against what was normal', () => {
    const timeline = during(() => ({ afterMs: 30 }));
    const promise = percentile(99, { under: '25ms', when: 'during', orTimesBaseline: '20x' });
    expect(judgeObjective(promise, timeline)).toMatchObject({
      status: 'met',
      limit: expect.stringMatching(/^p99 under 40\.\d ms \(20x its baseline\) during the fault$/),
      figures: { baselineMs: expect.closeTo(2, 1) },
    });
    expect(judgeObjective({ ...promise, orTimesBaseline: '3x' }, timeline)).toMatchObject({ status: 'missed', limit: 'p99 under 25 ms during the fault' });
  });

  it('is unknown against a baseline that is not there, unless it is met without one', () => {
    const early = faultMarks(1_000, 14_000);
    const slow = synthetic({ marks: early, ratePerSecond: 200, fate: (dueMs) => ({ afterMs: dueMs < 1_000 ? 2 : 30 }) });
    const promise = percentile(99, { under: '25ms', when: 'during', orTimesBaseline: '20x' });
    expect(judgeObjective(promise, slow)).toMatchObject({ status: 'unknown', because: expect.stringContaining('no p99 before the fault') });
    expect(judgeObjective(promise, synthetic({ marks: early, ratePerSecond: 200 }))).toMatchObject({ status: 'met' });
  });

  it('is unknown below ten samples beyond it, and says how many it has and needs', () => {
    const of = (durationMs: number, percent: number) =>
      judgeObjective(percentile(percent, { under: '25ms', when: 'before' }), synthetic({ durationMs, ratePerSecond: 1_000 }));
    expect(of(999, 99)).toMatchObject({
      status: 'unknown',
      measured: 'unknown',
      because: 'a p99 needs 1,000 requests before the fault; there were 999',
      figures: { samples: 999 },
    });
    expect(of(1_000, 99)).toMatchObject({ status: 'met' });
    expect(of(9_900, 99.9)).toMatchObject({ status: 'unknown', because: expect.stringContaining('10,000') });
    expect(of(10_000, 99.9)).toMatchObject({ status: 'met', figures: { p99_9Ms: expect.closeTo(2, 1) } });
    expect(of(0, 50)).toMatchObject({ status: 'unknown' });
  });

  it('never turns from missed to met when more requests fail or take longer', () => {
    const answers = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 20, maxLength: 60 });
    fc.assert(
      fc.property(answers, fc.nat(), fc.boolean(), fc.integer({ min: 0, max: 40 }), (list, pick, fails, longer) => {
        const status = (changed?: number) => {
          const fate = (dueMs: number): Fate => {
            const index = Math.round(dueMs / 10);
            const afterMs = list[index] as number;
            if (index !== changed) return { afterMs };
            return fails ? { afterMs: longer, failed: 'refused' } : { afterMs: afterMs + longer };
          };
          return judgeObjective(percentile(50, { under: '20ms', when: 'before' }), synthetic({ durationMs: list.length * 10, ratePerSecond: 100, fate }))
            .status;
        };
        if (status() === 'missed') expect(status(pick % list.length)).toBe('missed');
      }),
    );
  });
});

describe('isolation', () => {
  const promise = isolation({ p99Under: '25ms', grace: '1s' });

  it('is met when only the affected shard is slow', () => {
    const timeline = during((shard) => (shard === 'mc-3' ? { afterMs: 1_000 } : healthy));
    expect(judgeObjective(promise, timeline)).toMatchObject({
      status: 'met',
      limit: 'p99 of healthy shards under 25 ms during the fault, after 1 s',
      figures: { samples: 7_500 },
    });
  });

  it('is missed when one healthy shard is slow', () => {
    expect(
      judgeObjective(
        promise,
        during((shard) => (shard === 'mc-1' ? { afterMs: 30 } : healthy)),
      ),
    ).toMatchObject({ status: 'missed' });
  });

  it('is unknown when no shard is healthy', () => {
    const all = faultMarks(INJECTED_MS, HEALED_MS, { affects: ['mc-1', 'mc-2', 'mc-3', 'mc-4'] });
    expect(judgeObjective(promise, synthetic({ marks: all }))).toMatchObject({ status: 'unknown', because: expect.stringContaining('healthy shards') });
  });
});

describe('ripple', () => {
  const symptom = ripple({ from: 'mc-3', atLeast: '20x' });

  it('shows when the median of all other shards grows', () => {
    const verdict = judgeObjective(
      symptom,
      during(() => ({ afterMs: 168 })),
    );
    expect(verdict).toMatchObject({
      status: 'met',
      measured: '84x',
      limit: 'p50 of shards other than mc-3 at least 20x its baseline during the fault, after 1 s',
    });
    expect(verdict.figures).toMatchObject({
      factor: expect.closeTo(84, 0),
      limitFactor: 20,
      p50Ms: expect.closeTo(168, -1),
      baselineMs: expect.closeTo(2, 1),
      samples: 7_500,
    });
  });

  it('shows in what was given up, too', () => {
    expect(
      judgeObjective(
        symptom,
        during(() => ({ afterMs: 250, failed: 'timeout' })),
      ),
    ).toMatchObject({ status: 'met' });
  });

  it('does not show when only the shard itself is slow', () => {
    expect(
      judgeObjective(
        symptom,
        during((shard) => (shard === 'mc-3' ? { afterMs: 1_000 } : healthy)),
      ),
    ).toMatchObject({ status: 'missed', measured: '1x' });
  });

  it('leaves out requests for several shards, which may wait for the slow one', () => {
    const shards = ['mc-1', 'mc-3', SEVERAL, SEVERAL];
    const timeline = synthetic({ marks, shards, fate: (dueMs, shard) => (isDuring(dueMs) && shard !== 'mc-1' ? { afterMs: 1_000 } : healthy) });
    expect(judgeObjective(symptom, timeline)).toMatchObject({ status: 'missed', measured: '1x', figures: { samples: 2_500 } });
  });

  it('is unknown for a shard that nobody asks, and without a phase to compare', () => {
    expect(judgeObjective(ripple({ from: 'mc-9', atLeast: '2x' }), synthetic({ marks }))).toMatchObject({
      status: 'unknown',
      because: "no request was for shard 'mc-9'; there were mc-1, mc-2, mc-3, mc-4",
    });
    expect(judgeObjective(symptom, synthetic())).toMatchObject({ status: 'unknown', because: expect.stringContaining('and 0 during the fault') });
    // 4.9 s of 5 requests a second, three quarters of them for other shards.
    expect(judgeObjective(symptom, synthetic({ marks, ratePerSecond: 5 }))).toMatchObject({
      status: 'unknown',
      because: expect.stringContaining('needs 20 requests'),
    });
  });
});
