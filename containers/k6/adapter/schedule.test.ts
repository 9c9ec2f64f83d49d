import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded } from '../../../harness/core/random.ts';
import { hitsOf } from '../../../harness/load/demand/arrivals.ts';
import { pacerOf } from '../../../harness/load/demand/pacer.ts';
import { SampleReader } from './samples.ts';
import { Schedule, stagesOf } from './schedule.ts';
import type { K6Segment } from './settings.ts';

function startsOf(segments: readonly K6Segment[], forMs: number): number[] {
  const schedule = new Schedule(stagesOf(segments, forMs));
  const starts: number[] = [];
  for (let startMs = schedule.take(); startMs !== undefined; startMs = schedule.take()) starts.push(startMs);
  return starts;
}

describe("k6's schedule", () => {
  it('has the iterations of a constant rate from time zero on, and none on the end', () => {
    const starts = startsOf([{ kind: 'hold', ratePerSecond: 1_000 }], 10_000);
    expect(starts).toHaveLength(10_000);
    for (const [n, startMs] of starts.entries()) expect(Math.abs(startMs - n)).toBeLessThan(0.0011);
    expect(new Schedule(stagesOf([{ kind: 'hold', ratePerSecond: 1_000 }], 10_000)).planned).toBe(10_000);
  });

  it('says what is planned without walking through it, and what comes next without taking it', () => {
    const schedule = new Schedule(stagesOf([{ kind: 'hold', ratePerSecond: 10 }], 250));
    expect(schedule.planned).toBe(3);
    expect(schedule.nextMs).toBe(schedule.nextMs);
    expect([schedule.take(), schedule.take(), schedule.take()].map((startMs) => Math.round(startMs ?? Number.NaN))).toEqual([0, 100, 200]);
    expect(schedule.take()).toBeUndefined();
    expect(schedule.nextMs).toBeUndefined();
  });

  it('is told to k6 as whole numbers, with a stage of no length wherever the rate jumps', () => {
    expect(
      stagesOf(
        [
          { kind: 'hold', ratePerSecond: 0.5, forMs: 2_000 },
          { kind: 'ramp', fromPerSecond: 10, toPerSecond: 20, forMs: 4_000 },
        ],
        4_000,
      ),
    ).toEqual({
      startRate: 99_900_000,
      stages: [
        { target: 99_900_000, durationNs: 10_000_000 },
        { target: 500_000, durationNs: 0 },
        { target: 500_000, durationNs: 2_000_000_000 },
        { target: 10_000_000, durationNs: 0 },
        // Half of the ramp lies behind the end of the load.
        { target: 15_000_000, durationNs: 2_000_000_000 },
        { target: 0, durationNs: 0 },
        { target: 0, durationNs: 1_000_000_000 },
      ],
    });
  });

  it('is that of our own pacer to a thousandth of an iteration, whatever the segments', () => {
    const rate = fc.integer({ min: 1, max: 400 });
    const forMs = fc.integer({ min: 1, max: 30 }).map((tenths) => tenths * 100);
    const segment = fc.oneof(
      fc.record({ kind: fc.constant('hold' as const), ratePerSecond: rate, forMs }),
      fc.record({ kind: fc.constant('ramp' as const), fromPerSecond: rate, toPerSecond: rate, forMs }),
    );
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), forMs, (segments, lastsMs) => {
        const arrivals = { kind: 'segments', spacing: 'even', segments } as const;
        const starts = startsOf(segments, lastsMs);
        expect(starts).toHaveLength(hitsOf(arrivals, lastsMs));
        expect(new Schedule(stagesOf(segments, lastsMs)).planned).toBe(starts.length);
        const pacer = pacerOf(arrivals, lastsMs, seeded(0));
        // At the slowest rate of all, a thousandth of an iteration takes 1 ms.
        for (const [n, startMs] of starts.entries()) expect(Math.abs(startMs - (pacer(n) ?? Number.NaN))).toBeLessThan(1.01);
      }),
      { numRuns: 200 },
    );
  });

  it('is what k6 itself kept in a recording: 20 iterations at 10/s, started or dropped within 3 ms of their time', () => {
    const wall: number[] = [];
    const reader = new SampleReader('load', (sample) => {
      if (sample.kind === 'iteration') wall.push(sample.endMs - sample.tookMs);
      if (sample.kind === 'dropped') wall.push(sample.atMs);
    });
    reader.read(readFileSync(join(import.meta.dirname, '../recorded/every-ending.csv'), 'utf8'));
    wall.sort((a, b) => a - b);
    const starts = startsOf([{ kind: 'hold', ratePerSecond: 10 }], 2_000);
    expect(wall).toHaveLength(starts.length);
    const offsets = wall.map((atMs, n) => atMs - (starts[n] as number));
    expect(Math.max(...offsets) - Math.min(...offsets)).toBeLessThan(3);
  });
});
