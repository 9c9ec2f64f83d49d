import { describe, expect, it } from 'vitest';
import { type Fate, faultMarks, HEALED_MS, healthy, INJECTED_MS, isDuring, type SyntheticOptions, synthetic } from '../timeline/synthetic.fixture.ts';
import { judgeObjective, objectiveSchema, recovery } from './index.ts';

const marks = faultMarks(INJECTED_MS, HEALED_MS);
const failed: Fate = { afterMs: 250, failed: 'timeout' };
const slow: Fate = { afterMs: 600 };
const badWhile = (isBad: (dueMs: number) => boolean, options: SyntheticOptions = {}, bad = slow) =>
  synthetic({ marks, fate: (dueMs) => (isBad(dueMs) ? bad : healthy), ...options });
const between = (fromMs: number, toMs: number) => (dueMs: number) => dueMs >= fromMs && dueMs < toMs;

describe('recovery to baseline', () => {
  const afterHealed = recovery({ within: '5s', from: 'healed', to: 'baseline' });
  const afterInjected = recovery({ within: '5s', from: 'injected', to: 'baseline' });

  it('counts from the healing to the first half second from which all is normal', () => {
    const verdict = judgeObjective(afterHealed, badWhile(between(8_000, 14_900)));
    expect(verdict).toMatchObject({ status: 'met', measured: '900 ms after healed', limit: 'back to baseline within 5 s after healed, for 2 s' });
    expect(verdict.figures).toMatchObject({ baselineMs: 900, marginMs: 4_100, heldMs: 5_100, withinMs: 5_000 });
    expect(verdict.moments).toEqual([{ at: 14_900, label: 'back to baseline' }]);
  });

  it('is missed when it comes back too late', () => {
    expect(judgeObjective({ ...afterHealed, within: '500ms' }, badWhile(between(8_000, 14_900)))).toMatchObject({
      status: 'missed',
      measured: '900 ms after healed',
      figures: { marginMs: -400 },
    });
  });

  it('may come while the fault is still there: the node was ejected', () => {
    const verdict = judgeObjective(afterInjected, badWhile(between(8_000, 8_900), {}, failed));
    expect(verdict).toMatchObject({ status: 'met', measured: '900 ms after injected', figures: { baselineMs: 900 } });
    // A tenth of the first bucket that is not normal lies after the injection: 7,600 to 8,100 ms.
    expect(verdict.figures['detectedMs']).toBe(100);
  });

  it('is immediate, and nothing was detected, where nothing was ever out of the normal', () => {
    const { status, figures } = judgeObjective(afterInjected, synthetic({ marks }));
    expect(status).toBe('met');
    expect(figures).toMatchObject({ baselineMs: 0, heldMs: 12_000 });
    expect(figures).not.toHaveProperty('detectedMs');
  });

  it('is metastable when the trouble outlasts the fault to the end of the load', () => {
    const verdict = judgeObjective(
      afterHealed,
      badWhile((dueMs) => dueMs >= 8_000),
    );
    expect(verdict).toMatchObject({
      status: 'missed',
      measured: 'never',
      cause: 'metastable',
      because: expect.stringContaining('6 s after the fault was healed'),
    });
    expect(verdict.figures).not.toHaveProperty('baselineMs');
  });

  it('is missed without being metastable when the fault was never taken away', () => {
    const timeline = badWhile((dueMs) => dueMs >= 8_000, { marks: marks.slice(0, 2) });
    const verdict = judgeObjective(afterInjected, timeline);
    expect(verdict).toMatchObject({ status: 'missed', measured: 'never' });
    expect(verdict.cause).toBeUndefined();
    expect(judgeObjective(afterHealed, timeline)).toMatchObject({ status: 'unknown' });
  });

  it('is not called metastable before it was seen for as long without the fault as it takes to believe in a return', () => {
    const stillBad = (durationMs: number) =>
      judgeObjective(
        afterInjected,
        badWhile((dueMs) => dueMs >= 8_000, { durationMs }),
      );
    expect(stillBad(15_900)).toMatchObject({ status: 'missed', measured: 'never' });
    expect(stillBad(15_900).cause).toBeUndefined();
    expect(stillBad(16_000)).toMatchObject({ status: 'missed', cause: 'metastable' });
  });

  it('never comes while a service is up for one second and down for two', () => {
    const flapping = badWhile((dueMs) => dueMs >= 8_000 && (dueMs - 8_000) % 3_000 < 2_000, { durationMs: 25_000 }, failed);
    expect(judgeObjective(afterHealed, flapping)).toMatchObject({ status: 'missed', measured: 'never' });
    expect(judgeObjective({ ...afterHealed, holds: '1s' }, flapping)).toMatchObject({ status: 'missed' });
    expect(
      judgeObjective(
        { ...afterHealed, holds: '500ms' },
        badWhile((dueMs) => dueMs >= 8_000 && dueMs < 23_000 && (dueMs - 8_000) % 3_000 < 2_000, { durationMs: 30_000 }),
      ),
    ).toMatchObject({ status: 'missed' });
  });

  it('does not take a fault that bites only after a while for one that was overcome at once', () => {
    const verdict = judgeObjective(afterInjected, badWhile(between(11_000, 13_800)));
    expect(verdict).toMatchObject({ status: 'missed', figures: { baselineMs: 5_800, detectedMs: 3_100 } });
    expect(judgeObjective(afterInjected, badWhile(between(11_000, 11_900)))).toMatchObject({ status: 'met', figures: { baselineMs: 0, heldMs: 3_000 } });
  });

  it('takes trouble that begins with the healing for none of the injection', () => {
    const timeline = badWhile(between(14_100, 17_000));
    expect(judgeObjective(afterInjected, timeline)).toMatchObject({ status: 'met', figures: { baselineMs: 0 } });
    expect(judgeObjective(afterInjected, badWhile(between(13_900, 17_000)))).toMatchObject({ status: 'met', figures: { baselineMs: 0 } });
    expect(judgeObjective(afterInjected, badWhile(between(13_800, 17_000)))).toMatchObject({ status: 'missed' });
    expect(judgeObjective(afterHealed, timeline)).toMatchObject({ status: 'met', figures: { baselineMs: 3_000 } });
  });

  it('is unknown when the load ended before it could be seen to hold', () => {
    const verdict = judgeObjective(afterHealed, badWhile(between(8_000, 14_900), { durationMs: 16_500 }));
    expect(verdict).toMatchObject({ status: 'unknown', because: 'the load ended after 1.6 s of being normal, and 2 s have to be seen' });
    expect(judgeObjective({ ...afterHealed, within: '800ms' }, badWhile(between(8_000, 14_900), { durationMs: 16_500 }))).toMatchObject({
      status: 'missed',
      measured: '900 ms after healed, at the earliest',
    });
  });

  it('is unknown when the load ended before the time that was promised', () => {
    expect(
      judgeObjective(
        afterHealed,
        badWhile((dueMs) => dueMs >= 8_000, { durationMs: 18_000 }),
      ),
    ).toMatchObject({ status: 'unknown', because: expect.stringContaining('4 s after healed; 5 s are allowed') });
    expect(judgeObjective(afterHealed, badWhile(isDuring, { durationMs: 14_000 }))).toMatchObject({
      status: 'unknown',
      because: 'the load had ended when the fault was healed',
    });
  });

  it('is unknown without a fault, without requests, and without a baseline', () => {
    expect(judgeObjective(afterInjected, synthetic())).toMatchObject({ status: 'unknown', because: 'no fault was injected' });
    expect(judgeObjective(afterInjected, { ...synthetic({ marks }), windows: [], completions: [] })).toMatchObject({
      status: 'unknown',
      because: 'a baseline needs 1,000 requests before the fault; there were 0',
    });
    expect(judgeObjective(afterInjected, synthetic({ marks, ratePerSecond: 100 }))).toMatchObject({
      status: 'unknown',
      because: 'a baseline needs 1,000 requests before the fault; there were 780',
    });
    const idle = synthetic({ marks });
    expect(judgeObjective(afterInjected, { ...idle, windows: idle.windows.filter((window) => !between(3_000, 4_000)(window.at)) })).toMatchObject({
      status: 'unknown',
      because: 'a baseline needs 10 requests in each half second; there were 0',
    });
    expect(judgeObjective(afterInjected, synthetic({ marks, fate: () => failed }))).toMatchObject({
      status: 'unknown',
      because: expect.stringContaining('no baseline to come back to'),
    });
  });

  it('allows what a noisy baseline has itself, but does not take a long stall for normal', () => {
    const noisy =
      (stallMs: number) =>
      (dueMs: number): Fate => ({ afterMs: dueMs % 1_000 < 10 ? stallMs : isDuring(dueMs) && dueMs < 10_000 ? 600 : 2 });
    expect(judgeObjective(afterInjected, synthetic({ marks, fate: noisy(30) }))).toMatchObject({ status: 'met', figures: { baselineMs: 2_000 } });
    const stalled = (dueMs: number): Fate => ({ afterMs: between(4_000, 4_060)(dueMs) ? 400 : dueMs >= 8_000 ? 200 : 2 });
    expect(judgeObjective(afterHealed, synthetic({ marks, fate: stalled }))).toMatchObject({
      status: 'missed',
      measured: 'never',
      figures: { normalP99Ms: expect.closeTo(52, 0) },
    });
  });

  it('asks for the goodput of the baseline less a point, and for no less than five points below it', () => {
    const share =
      (percent: number) =>
      (dueMs: number): Fate =>
        dueMs >= 8_000 && (dueMs * 2) % 1_000 < percent * 10 ? { afterMs: 1, failed: 'refused' } : healthy;
    expect(judgeObjective(afterHealed, synthetic({ marks, fate: share(0.5) }))).toMatchObject({ status: 'met', figures: { baselineMs: 0 } });
    expect(judgeObjective(afterHealed, synthetic({ marks, fate: share(2) }))).toMatchObject({ status: 'missed', cause: 'metastable' });
    // 100 of 15,600 requests fail before the fault, all within a half second of 1,000: it is only 90% good.
    const oneBadHalf = (dueMs: number): Fate => (between(4_000, 4_050)(dueMs) ? { afterMs: 1, failed: 'refused' } : share(8)(dueMs));
    expect(judgeObjective(afterHealed, synthetic({ marks, fate: oneBadHalf }))).toMatchObject({
      status: 'missed',
      figures: { normalGoodputShare: expect.closeTo(0.944, 3) },
    });
  });

  it('allows a p99 of three times the baseline, or 10 ms above it', () => {
    const from = (beforeMs: number, afterMs: number) =>
      judgeObjective(afterHealed, synthetic({ marks, fate: (dueMs) => ({ afterMs: dueMs < 8_000 ? beforeMs : afterMs }) })).status;
    expect([from(20, 55), from(20, 65)]).toEqual(['met', 'missed']);
    expect([from(2, 11), from(2, 13)]).toEqual(['met', 'missed']);
  });

  it('counts from the first injected and the last healed of several faults', () => {
    const several = [...faultMarks(8_000, 10_000), ...faultMarks(11_000, 13_000, { step: 1 })];
    const timeline = badWhile(between(8_000, 13_400), { marks: several });
    expect(judgeObjective(afterHealed, timeline).figures).toMatchObject({ baselineMs: 400 });
    expect(judgeObjective({ ...afterInjected, within: '10s' }, timeline).figures).toMatchObject({ baselineMs: 5_400 });
  });
});

describe('a return that has to hold', () => {
  const afterHealed = recovery({ within: '5s', from: 'healed', to: 'baseline' });
  const afterInjected = recovery({ within: '5s', from: 'injected', to: 'baseline' });
  /** Bad for the first part of each cycle from the injection on. */
  const cycle = (badMs: number, cycleMs: number, durationMs: number) =>
    badWhile((dueMs) => dueMs >= 8_000 && (dueMs - 8_000) % cycleMs < badMs, { durationMs, ratePerSecond: 400 }, failed);

  it('holds although an ejected node is tried every 5 s and costs 0.3 s each time', () => {
    const retried = cycle(300, 5_000, 40_000);
    expect(judgeObjective(afterHealed, retried)).toMatchObject({ status: 'met', figures: { baselineMs: 0 } });
    expect(judgeObjective(afterInjected, retried)).toMatchObject({ status: 'met', figures: { baselineMs: 300 } });
  });

  it('never holds while it is up for 2.1 s and down for 1 s, wherever the load ends', () => {
    for (let durationMs = 26_000; durationMs <= 29_100; durationMs += 100) {
      expect(judgeObjective(afterHealed, cycle(1_000, 3_100, durationMs)).status).toBe('missed');
      expect(judgeObjective(afterInjected, cycle(1_000, 3_100, durationMs)).status).toBe('missed');
    }
  });

  it('never holds when it is up for 2.2 s once and from then on down for 0.9 s and up for 0.6 s', () => {
    const stutters = (dueMs: number) => between(8_000, 14_000)(dueMs) || (dueMs >= 16_200 && (dueMs - 16_200) % 1_500 < 900);
    for (let durationMs = 26_000; durationMs <= 27_500; durationMs += 100) {
      expect(judgeObjective(afterHealed, badWhile(stutters, { durationMs, ratePerSecond: 400 }, failed)).status).toBe('missed');
    }
  });

  it('does not hold when all is lost for 2 s, however long the load', () => {
    const timeline = badWhile((dueMs) => isDuring(dueMs) || between(24_000, 26_000)(dueMs), { durationMs: 60_000, ratePerSecond: 400 });
    expect(judgeObjective(afterHealed, timeline)).toMatchObject({ status: 'missed', figures: { baselineMs: 12_000 } });
  });

  it('needs more to be seen after a return that was lost', () => {
    const timeline = badWhile((dueMs) => isDuring(dueMs) || between(16_200, 18_000)(dueMs), { durationMs: 20_500, ratePerSecond: 400 });
    expect(judgeObjective(afterHealed, timeline)).toMatchObject({
      status: 'unknown',
      because: 'the load ended after 2.5 s of being normal, and 4.2 s have to be seen',
    });
  });
});

describe('recovery to limits', () => {
  const promise = recovery({ within: '5s', from: 'healed', to: { p99Under: '25ms', goodputAtLeast: '99%' } });
  const complaint = (to: unknown, rest: object = {}) => {
    const [issue] = objectiveSchema.safeParse({ kind: 'recovery', within: '5s', from: 'healed', to, ...rest }).error?.issues ?? [];
    return issue && `${issue.path.join('.')}: ${issue.message}`;
  };

  it('is judged against them in place of what was normal before', () => {
    const verdict = judgeObjective(promise, badWhile(between(8_000, 14_900)));
    expect(verdict).toMatchObject({
      status: 'met',
      limit: 'back to p99 under 25 ms and 99% in time within 5 s after healed, for 2 s',
      figures: { baselineMs: 900, normalP99Ms: 25, normalGoodputShare: 0.99 },
    });
    // 30 ms is within three times the baseline of 20 ms, and over the limit.
    const slower = synthetic({ marks, fate: (dueMs) => ({ afterMs: dueMs < 8_000 ? 20 : 30 }) });
    expect(judgeObjective({ ...promise, to: 'baseline' }, slower).status).toBe('met');
    expect(judgeObjective(promise, slower)).toMatchObject({ status: 'missed', measured: 'never', cause: 'metastable' });
    expect(judgeObjective({ ...promise, to: { goodputAtLeast: '99%' } }, slower)).toMatchObject({ status: 'met' });
  });

  it('needs no requests before the fault, but some after it', () => {
    const early = { marks: faultMarks(300, 2_000), fate: (dueMs: number) => (between(300, 2_400)(dueMs) ? slow : healthy) };
    expect(judgeObjective({ ...promise, to: 'baseline' }, synthetic(early)).status).toBe('unknown');
    expect(judgeObjective(promise, synthetic(early))).toMatchObject({ status: 'met', figures: { baselineMs: 400 } });
    expect(judgeObjective(promise, synthetic({ ...early, ratePerSecond: 10 }))).toMatchObject({
      status: 'unknown',
      because: 'limits need 10 requests in each half second; there were 5',
    });
  });

  it('takes no quick failure for a low p99', () => {
    const refused = badWhile((dueMs) => dueMs >= 8_000, {}, { afterMs: 0.1, failed: 'refused' });
    expect(judgeObjective({ ...promise, to: { p99Under: '25ms' } }, refused)).toMatchObject({ status: 'missed', measured: 'never' });
  });

  it('is refused in one line where the limits are wrong', () => {
    expect(complaint({ p99Under: '25ms' })).toBeUndefined();
    expect(complaint({ p99Under: '25ms', goodputAtLeast: '99%' }, { holds: '1s' })).toBeUndefined();
    expect(complaint({})).toBe("to: limits need p99Under, goodputAtLeast or both, such as { p99Under: '25ms', goodputAtLeast: '99%' }");
    expect(complaint({ p99: '25ms' })).toBe("to: unknown 'p99' in limits; known: p99Under, goodputAtLeast");
    expect(complaint({ p99Under: '25' })).toContain("p99Under: '25' is not a duration");
    expect(complaint('normal')).toContain("to: allowed are 'baseline', 'first success' and limits");
  });

  it('may hold, and a first success may not', () => {
    expect(complaint('baseline', { holds: '1s' })).toBeUndefined();
    expect(complaint('first success', { holds: '1s' })).toBe("holds: goes with 'baseline' or limits; a first success does not hold");
  });
});

describe('recovery to the first success', () => {
  /** 200/s in turn over four shards: each of them is asked every 20 ms, the second one at 5, 25, 45 ms and so on. */
  const outage = (fromMs: number, toMs: number, options: SyntheticOptions = {}) =>
    synthetic({
      marks,
      ratePerSecond: 200,
      fate: (dueMs) => (dueMs >= fromMs && dueMs < toMs ? { afterMs: 100, failed: 'refused' } : { afterMs: 1 }),
      ...options,
    });
  const promise = recovery({ within: '4s', from: 'injected', to: 'first success' });

  it('is counted to the millisecond', () => {
    // The last answer comes at 7,996 ms, and the first of those due from 10,999 ms on is due at 11,000 and answered at 11,001 ms.
    const verdict = judgeObjective(promise, outage(8_000, 10_999));
    expect(verdict).toMatchObject({ status: 'met', measured: '3001 ms after injected', limit: 'first success within 4 s after injected' });
    expect(verdict.figures).toMatchObject({ firstSuccessMs: 3_001, outageMs: 3_005, marginMs: 999 });
    expect(verdict.moments).toEqual([{ at: 11_001, label: 'first success' }]);
    const exact = outage(8_000, 11_000, { fate: (dueMs) => (dueMs >= 8_000 && dueMs < 11_000 ? { afterMs: 100, failed: 'refused' } : { afterMs: 0 }) });
    expect(judgeObjective({ ...promise, within: '3s' }, exact)).toMatchObject({
      status: 'met',
      measured: '3000 ms after injected',
      figures: { firstSuccessMs: 3_000, marginMs: 0 },
    });
    expect(judgeObjective({ ...promise, within: '2999ms' }, exact)).toMatchObject({ status: 'missed' });
  });

  it('takes the answers of several programs of one load together', () => {
    const [one, other] = [outage(8_000, 10_999), outage(7_900, 11_500)];
    const both = { ...one, windows: [...other.windows, ...one.windows], completions: [...other.completions, ...one.completions] };
    expect(judgeObjective(promise, other)).toMatchObject({ measured: '3501 ms after injected' });
    expect(judgeObjective(promise, both)).toMatchObject({ measured: '3001 ms after injected', figures: { outageMs: 3_005 } });
  });

  it('sees the outage of one shard only among its own requests', () => {
    const timeline = synthetic({ marks, fate: (dueMs, shard) => (shard === 'mc-3' && isDuring(dueMs) && dueMs < 11_000 ? failed : healthy) });
    expect(judgeObjective(promise, timeline)).toMatchObject({ status: 'met', measured: 'answers never stopped', figures: { firstSuccessMs: 0, outageMs: 0 } });
    expect(judgeObjective({ ...promise, among: 'affected shards' }, timeline)).toMatchObject({
      status: 'met',
      limit: 'first success of affected shards within 4 s after injected',
      figures: { firstSuccessMs: 3_003 },
    });
  });

  it('sees an outage that was over before the injection had returned', () => {
    const slowly = marks.map((mark) => (mark.event === 'injecting' ? { ...mark, at: 7_500 } : mark));
    expect(judgeObjective(promise, outage(7_600, 7_900, { marks: slowly }))).toMatchObject({
      status: 'met',
      measured: '0 ms after injected',
      figures: { outageMs: 305 },
    });
  });

  it('does not call it answering when the silence had begun before the fault', () => {
    expect(judgeObjective(promise, outage(7_000, 13_000))).toMatchObject({ status: 'missed', measured: '5001 ms after injected' });
  });

  it('takes the first silence of the fault, and none that was over before it', () => {
    const timeline = synthetic({
      marks,
      fate: (dueMs) => (between(2_000, 6_000)(dueMs) || between(8_000, 8_300)(dueMs) || between(9_000, 11_000)(dueMs) ? failed : healthy),
    });
    expect(judgeObjective(promise, timeline).figures).toMatchObject({ firstSuccessMs: 302 });
    const hiccup = synthetic({ marks, fate: (dueMs) => (between(8_000, 8_298)(dueMs) || between(13_800, 14_300)(dueMs) ? failed : healthy) });
    expect(judgeObjective(promise, hiccup)).toMatchObject({ status: 'met', measured: '300 ms after injected' });
    const later = synthetic({ marks, fate: (dueMs) => (between(15_000, 19_000)(dueMs) ? failed : healthy) });
    expect(judgeObjective(promise, later)).toMatchObject({ status: 'met', measured: 'answers never stopped' });
  });

  it('calls a pause below 200 ms no outage', () => {
    expect(judgeObjective(promise, outage(8_000, 8_180))).toMatchObject({ measured: 'answers never stopped' });
    expect(judgeObjective(promise, outage(8_000, 8_200))).toMatchObject({ measured: '201 ms after injected' });
  });

  it('may count from the healing, over a silence that began with the injection', () => {
    const fromHealed = recovery({ within: '2s', from: 'healed', to: 'first success' });
    expect(judgeObjective(fromHealed, outage(8_000, 15_500))).toMatchObject({ status: 'met', measured: '1501 ms after healed', figures: { outageMs: 7_505 } });
    expect(judgeObjective(fromHealed, outage(8_000, 13_000))).toMatchObject({ status: 'met', measured: 'answers were there already' });
    const blip = outage(0, 0, { fate: (dueMs) => (between(8_000, 13_000)(dueMs) || between(18_000, 18_250)(dueMs) ? failed : { afterMs: 1 }) });
    expect(judgeObjective(fromHealed, blip)).toMatchObject({ status: 'met', measured: 'answers were there already' });
  });

  it('is never, and metastable, when answers do not come back after the healing', () => {
    expect(judgeObjective(promise, outage(8_000, 99_000))).toMatchObject({ status: 'missed', measured: 'never', cause: 'metastable' });
    const unhealed = judgeObjective(promise, outage(8_000, 99_000, { marks: marks.slice(0, 2) }));
    expect(unhealed).toMatchObject({ status: 'missed', measured: 'never' });
    expect(unhealed.cause).toBeUndefined();
  });

  it('is not put off by answers that stop again to the end, long after the first one had come', () => {
    const again = synthetic({ marks, ratePerSecond: 200, fate: (dueMs) => (between(8_000, 9_000)(dueMs) || dueMs >= 16_000 ? failed : healthy) });
    expect(judgeObjective(promise, again)).toMatchObject({ status: 'met', figures: { firstSuccessMs: 1_002 } });
    expect(judgeObjective({ ...promise, from: 'healed' }, again)).toMatchObject({ status: 'met', measured: 'answers were there already' });
    expect(judgeObjective({ ...promise, from: 'healed' }, outage(13_000, 99_000))).toMatchObject({ status: 'missed', measured: 'never' });
  });

  it('is unknown when the load ended too early to tell, and with too few requests for a silence to mean anything', () => {
    expect(judgeObjective(promise, outage(8_000, 99_000, { durationMs: 11_000 }))).toMatchObject({
      status: 'unknown',
      because: expect.stringContaining('4 s are allowed'),
    });
    expect(judgeObjective(promise, synthetic({ marks, ratePerSecond: 40 }))).toMatchObject({
      status: 'unknown',
      because: expect.stringContaining('50 requests a second'),
    });
    expect(judgeObjective(promise, { ...synthetic({ marks }), completions: [] })).toMatchObject({ status: 'unknown' });
    expect(judgeObjective(promise, outage(0, 9_000))).toMatchObject({ status: 'unknown', because: expect.stringContaining('answers before the fault') });
  });
});
