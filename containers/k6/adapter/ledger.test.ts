import { describe, expect, it } from 'vitest';
import { Recorder, type Taken } from '../../../harness/load/recording/recorder.ts';
import { type Event, Ledger } from './ledger.ts';
import { Schedule, stagesOf } from './schedule.ts';

const FOR_MS = 1_000;

/** 100/s for a second: one each 10 ms. */
function ledgerOf(longestMs = 200, forMs = FOR_MS) {
  const schedule = new Schedule(stagesOf([{ kind: 'hold', ratePerSecond: 100 }], forMs));
  const recorder = new Recorder({ series: [['iteration', 'web-1', 'everyone']], deadlineMs: 50, cpuMs: () => 0 });
  return { schedule, ledger: new Ledger({ schedule, recorder, forMs, longestMs }) };
}

/** What k6 does with the n-th of the plan: answers after `tookMs`, `lateMs` behind its time. */
const event = (n: number, { lateMs = 0.4, tookMs = 5, failed }: { lateMs?: number; tookMs?: number; failed?: Event['failed'] } = {}): Event => ({
  atMs: n * 10 + lateMs,
  endMs: n * 10 + lateMs + (failed === 'dropped' ? 0 : tookMs),
  series: 0,
  ...(failed ? { failed } : {}),
});

const sum = (taken: readonly Taken[], key: 'due' | 'answered' | 'good') => taken.flatMap(({ windows }) => windows).reduce((total, one) => total + one[key], 0);

describe('the ledger', () => {
  it('gives the n-th of all starts and drops the n-th due time of the plan, in whichever order they are told', () => {
    const { ledger } = ledgerOf();
    const events = Array.from({ length: 100 }, (_, n) => event(n, n % 4 === 3 ? { failed: 'dropped' } : {}));
    for (const one of events.toReversed()) ledger.add(one);
    const taken = ledger.takeAll(3);
    expect([ledger.started, ledger.dropped, ledger.surplus]).toEqual([75, 25, 0]);
    expect(taken.windows.map(({ at, due, answered, failed }) => [at, due, answered, failed.dropped])).toEqual(
      Array.from({ length: 10 }, (_, window) => [window * 100, 10, window % 2 === 0 ? 8 : 7, window % 2 === 0 ? 2 : 3]),
    );
    expect(taken.generator.map(({ due, connections }) => [due, connections])).toEqual(Array.from({ length: 10 }, () => [10, 3]));
  });

  it('takes k6 zero from the iteration that came least late, and counts what others are behind it as lateness', () => {
    const { ledger } = ledgerOf();
    // k6's loop stands from 0.5 s to 0.533 s, and then starts the four that are due at once.
    for (let n = 0; n < 100; n++) ledger.add(event(n, { lateMs: n === 7 ? 2 : Math.max(3, n >= 50 ? 533 - n * 10 : 0) }));
    const taken = ledger.takeAll(0);
    expect(ledger.offsetMs).toBeCloseTo(2, 1);
    expect(taken.generator.map(({ late }) => late)).toEqual([0, 0, 0, 0, 0, 3, 0, 0, 0, 0]);
    expect(taken.generator[5]?.maxLatenessMs).toBeCloseTo(31, 1);
    // Latency counts from due: what k6 was late, the answer was late.
    expect(taken.windows[5]?.good).toBe(10);
    expect(taken.windows[5]?.latency).not.toEqual(taken.windows[4]?.latency);
  });

  it('tells a drop as failed when it was due, not when an iteration of its number began', () => {
    const { ledger } = ledgerOf();
    // Nobody is free from 0.2 s to 0.8 s.
    for (let n = 0; n < 100; n++) ledger.add(event(n, n >= 20 && n < 80 ? { failed: 'dropped' } : {}));
    const { windows } = ledger.takeAll(0);
    expect(windows.map(({ failed }) => failed.dropped ?? 0)).toEqual([0, 0, 10, 10, 10, 10, 10, 10, 0, 0]);
  });

  it('lays no request outside of the load, however k6 lies beside time zero', () => {
    for (const lateMs of [-15, 15]) {
      const { ledger } = ledgerOf();
      for (let n = 0; n < 100; n++) ledger.add(event(n, { lateMs }));
      const { windows, generator } = ledger.takeAll(0);
      expect(windows.map(({ at }) => at)).toEqual(Array.from({ length: 10 }, (_, window) => window * 100));
      expect(generator.reduce((total, { late }) => total + late, 0)).toBe(0);
    }
  });

  it('gives windows out as soon as no iteration of theirs can still be under way, each once, and all in the end', () => {
    const { ledger } = ledgerOf(200, 4_000);
    const taken: Taken[] = [];
    for (let nowMs = 0; nowMs < 4_000; nowMs += 100) {
      for (let n = nowMs / 10; n < nowMs / 10 + 10; n++) ledger.add(event(n));
      taken.push(ledger.take(nowMs + 100, 0));
    }
    const early = sum(taken, 'due');
    // Held back: 0.2 s for an iteration, 1 s for its delivery, and what is left of a window.
    expect(early).toBe(280);
    taken.push(ledger.takeAll(0));
    expect([sum(taken, 'due'), sum(taken, 'answered')]).toEqual([400, 400]);
    const starts = taken.flatMap(({ windows }) => windows.map(({ at }) => at));
    expect(starts).toEqual(Array.from({ length: 40 }, (_, window) => window * 100));
    const ends = taken.flatMap(({ completions }) => completions.map(({ at }) => at));
    expect(ends).toEqual(Array.from({ length: 40 }, (_, window) => window * 100));
    expect(taken.flatMap(({ generator }) => generator.map(({ at }) => at))).toEqual(starts);
  });

  it('notices an iteration that took longer than any may, for then the order is lost', () => {
    const { ledger } = ledgerOf(200, 4_000);
    for (let n = 0; n < 300; n++) if (n !== 10) ledger.add(event(n));
    ledger.take(3_000, 0);
    expect(ledger.outOfTurnMs).toBe(0);
    ledger.add(event(10, { tookMs: 2_800 }));
    expect(ledger.outOfTurnMs).toBeCloseTo(2_800);
  });

  it('keeps, of a k6 that was cut off, only what came before the first iteration that it never told of', () => {
    const { ledger } = ledgerOf();
    // Answers take 50 ms; k6 is cut off at 605 ms, with those of 560 ms and later under way, and drops between them that were told.
    for (let n = 0; n <= 60; n++) {
      if (n % 2 === 1) ledger.add(event(n, { failed: 'dropped' }));
      else if (n < 56) ledger.add(event(n, { tookMs: 50 }));
    }
    const { windows, generator } = ledger.takeAll(0, 605);
    expect(windows.reduce((total, { due }) => total + due, 0)).toBe(56);
    expect(generator.reduce((total, { late }) => total + late, 0)).toBe(0);
    expect([ledger.started, ledger.dropped]).toEqual([28, 30]);
  });

  it('counts what k6 did beyond the plan, and gives it no due time', () => {
    const { ledger } = ledgerOf();
    for (let n = 0; n < 102; n++) ledger.add(event(n));
    expect(sum([ledger.takeAll(0)], 'due')).toBe(100);
    expect([ledger.started, ledger.surplus]).toEqual([102, 2]);
  });

  it('has nothing to tell of a k6 that did nothing', () => {
    const { ledger } = ledgerOf();
    expect(ledger.take(5_000, 0)).toMatchObject({ windows: [], completions: [] });
    expect(ledger.takeAll(0)).toMatchObject({ windows: [], completions: [] });
    expect(ledger.offsetMs).toBeUndefined();
  });
});
