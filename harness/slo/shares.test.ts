import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultMarks, HEALED_MS, healthy, INJECTED_MS, isDuring, synthetic } from '../timeline/synthetic.fixture.ts';
import { errors, goodput, judgeObjective } from './index.ts';

const marks = faultMarks(INJECTED_MS, HEALED_MS);
const failing = (everyMs: number) =>
  synthetic({ marks, ratePerSecond: 1_000, fate: (dueMs) => (isDuring(dueMs) && dueMs % everyMs === 0 ? { afterMs: 1, failed: 'refused' } : healthy) });

describe('goodput', () => {
  const promise = goodput({ atLeast: '95%', when: 'during', grace: '1s' });

  it('is met when all is answered in time', () => {
    // 9,000 to 13,900 ms: 49 whole windows of 200 requests.
    expect(judgeObjective(promise, synthetic({ marks }))).toEqual({
      status: 'met',
      limit: 'at least 95% of requests answered in time during the fault, after 1 s',
      measured: '100%',
      figures: { goodputShare: 1, limitShare: 0.95, marginShare: expect.closeTo(0.05), good: 10_000, samples: 10_000 },
    });
  });

  it('counts an answer after its deadline as none', () => {
    const timeline = synthetic({ marks, deadlineMs: 100, fate: (dueMs, shard) => (isDuring(dueMs) && shard === 'mc-3' ? { afterMs: 101 } : healthy) });
    expect(judgeObjective(promise, timeline)).toMatchObject({ status: 'missed', measured: '75%', figures: { goodputShare: 0.75 } });
  });

  it('looks away during its grace, and not a window longer', () => {
    const until = (endMs: number) =>
      synthetic({ marks, fate: (dueMs) => (dueMs >= INJECTED_MS && dueMs < endMs ? { afterMs: 1, failed: 'server' } : healthy) });
    expect(judgeObjective(promise, until(9_000)).figures).toMatchObject({ goodputShare: 1 });
    expect(judgeObjective(promise, until(9_100)).figures).toMatchObject({ goodputShare: expect.closeTo(48 / 49) });
  });

  it('is met at its very limit', () => {
    // One in twenty fails in the 6 s that the fault lasts; `during` holds the two windows before it too: 1 - 300 / 6,200 = 95.16%.
    expect(judgeObjective(goodput({ atLeast: '95.1%', when: 'during' }), failing(20))).toMatchObject({
      status: 'met',
      figures: { goodputShare: expect.closeTo(0.9516, 4) },
    });
    expect(judgeObjective(goodput({ atLeast: '95.2%', when: 'during' }), failing(20))).toMatchObject({ status: 'missed' });
    const oneOfAThousand = synthetic({ ratePerSecond: 1_000, fate: (dueMs) => (dueMs % 1_000 === 0 ? { afterMs: 1, failed: 'server' } : healthy) });
    expect(judgeObjective(goodput({ atLeast: '99.9%', when: 'before' }), oneOfAThousand)).toMatchObject({ status: 'met', figures: { goodputShare: 0.999 } });
  });

  it('is unknown, never met, without a fault, without requests, or with too few', () => {
    expect(judgeObjective(promise, synthetic())).toMatchObject({
      status: 'unknown',
      because: 'goodput needs 100 requests during the fault, after 1 s; there were 0',
    });
    expect(judgeObjective(promise, { ...synthetic({ marks }), windows: [] })).toMatchObject({ status: 'unknown', figures: { samples: 0 } });
    expect(judgeObjective(promise, synthetic({ marks, ratePerSecond: 19 }))).toMatchObject({
      status: 'unknown',
      because: expect.stringContaining('there were 95'),
    });
  });

  it('can be asked of healthy or affected shards alone', () => {
    const timeline = synthetic({ marks, fate: (dueMs, shard) => (isDuring(dueMs) && shard === 'mc-3' ? { afterMs: 1, failed: 'refused' } : healthy) });
    expect(judgeObjective({ ...promise, among: 'healthy shards' }, timeline)).toMatchObject({
      status: 'met',
      limit: expect.stringContaining('of requests of healthy shards'),
    });
    expect(judgeObjective({ ...promise, among: 'affected shards' }, timeline)).toMatchObject({ status: 'missed', figures: { goodputShare: 0 } });
  });

  it('never turns from missed to met when more requests fail', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (atLeast, few, more) => {
        const timeline = (percent: number) =>
          synthetic({ durationMs: 1_000, ratePerSecond: 200, fate: (dueMs) => ((dueMs / 5) % 100 < percent ? { afterMs: 1, failed: 'closed' } : healthy) });
        const status = (percent: number) => judgeObjective(goodput({ atLeast: `${atLeast}%`, when: 'before' }), timeline(percent)).status;
        expect(status(few)).toBe(100 - few >= atLeast ? 'met' : 'missed');
        if (status(few) === 'missed') expect(status(Math.min(100, few + more))).toBe('missed');
      }),
    );
  });
});

describe('errors', () => {
  it('count every kind of failure over all that was due', () => {
    const kinds = ['timeout', 'refused', 'server', 'garbled'] as const;
    const timeline = synthetic({
      marks,
      ratePerSecond: 1_000,
      fate: (dueMs) => (dueMs >= HEALED_MS && dueMs % 100 < 4 ? { afterMs: 1, failed: kinds[dueMs % 100] as 'timeout' } : healthy),
    });
    expect(judgeObjective(errors({ atMost: '3%', when: 'after' }), timeline)).toEqual({
      status: 'missed',
      limit: 'at most 3% of requests failed after the fault',
      measured: '4%',
      figures: { failedShare: 0.04, limitShare: 0.03, marginShare: expect.closeTo(-0.01), failed: 240, samples: 6_000 },
    });
    expect(judgeObjective(errors({ atMost: '4%', when: 'after' }), timeline)).toMatchObject({ status: 'met' });
  });

  it('leave late answers to goodput', () => {
    expect(judgeObjective(errors({ atMost: '0%', when: 'during' }), synthetic({ marks, deadlineMs: 1 }))).toMatchObject({ status: 'met', measured: '0%' });
  });

  it('are not called 0% when there was one', () => {
    expect(
      judgeObjective(errors({ atMost: '0%', when: 'before' }), synthetic({ fate: (dueMs) => (dueMs === 0 ? { afterMs: 1, failed: 'server' } : healthy) })),
    ).toMatchObject({ status: 'missed', measured: '0.003%' });
  });

  it('are unknown, never none, without requests', () => {
    expect(judgeObjective(errors({ atMost: '1%', when: 'during' }), synthetic())).toMatchObject({ status: 'unknown', measured: 'unknown' });
  });
});
