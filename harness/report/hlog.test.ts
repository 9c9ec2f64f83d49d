import { HistogramLogReader, type JsHistogram, listTags } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../timeline/histogram.ts';
import { SHARDS, synthetic } from '../timeline/synthetic.fixture.ts';
import type { Timeline } from '../timeline/types.ts';
import { hlogLines, tagOf } from './hlog.ts';

const STARTED_AT = new Date('2026-11-21T14:02:03.250Z');
/** Answers take from 0.3 ms to 60 ms; on one shard, every tenth request is refused at once. */
const timeline = synthetic({
  durationMs: 2_000,
  fate: (dueMs, shard) => (shard === 'mc-3' && dueMs % 10 === 1 ? { afterMs: 0.2, failed: 'refused' } : { afterMs: 0.3 + ((dueMs * 7) % 60) }),
});

function logOf(from: Timeline, intervalMs = 100): string {
  return [...hlogLines(from, { startedAt: STARTED_AT, intervalMs, title: 'a run' })].join('');
}

function readBack(log: string): JsHistogram[] {
  const reader = new HistogramLogReader(log);
  const read: JsHistogram[] = [];
  for (let one = reader.nextIntervalHistogram(); one !== null; one = reader.nextIntervalHistogram()) read.push(one as JsHistogram);
  return read;
}

function merged(from: Timeline, of: 'latency' | 'gaveUp', shard?: string): Histogram {
  const sum = new Histogram();
  for (const window of from.windows) if (shard === undefined || window.series.shard === shard) sum.merge(window[of]);
  return sum;
}

function added(read: readonly JsHistogram[], tag: string): JsHistogram {
  const [first, ...rest] = read.filter((one) => one.tag === tag) as [JsHistogram, ...JsHistogram[]];
  for (const one of rest) first.add(one);
  return first;
}

describe('the HdrHistogram log', () => {
  it('begins with what the tools look for', () => {
    const lines = logOf(timeline).split('\n');
    expect(lines[0]).toBe('# a run');
    expect(lines.filter((line) => !line.startsWith('# ')).slice(0, 4)).toEqual([
      '#[Histogram log format version 1.3]',
      '#[BaseTime: 1795269723.250 (seconds since epoch)]',
      '#[StartTime: 1795269723.250 (seconds since epoch), 2026-11-21T14:02:03.250Z]',
      '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]);
  });

  it('has a tag for each series, one for what failed in it, and lines without a tag for all answered', () => {
    expect(listTags(logOf(timeline))).toEqual([
      'NO TAG',
      ...SHARDS.flatMap((shard) => (shard === 'mc-3' ? ['get/mc-3/main', 'get/mc-3/main/failed'] : [`get/${shard}/main`])),
    ]);
  });

  it('gives counts and percentiles as ours, in nanoseconds, with failures apart', () => {
    for (const intervalMs of [100, 500, 1_000]) {
      const read = readBack(logOf(timeline, intervalMs));
      const pairs: [JsHistogram, Histogram][] = [
        ...SHARDS.map((shard): [JsHistogram, Histogram] => [added(read, `get/${shard}/main`), merged(timeline, 'latency', shard)]),
        [added(read, 'get/mc-3/main/failed'), merged(timeline, 'gaveUp')],
        [added(read, 'NO TAG'), merged(timeline, 'latency')],
      ];
      for (const [theirs, ours] of pairs) {
        expect(ours.count).toBeGreaterThan(50);
        expect(theirs.totalCount).toBe(ours.count);
        for (const percent of [1, 25, 50, 90, 99, 99.9, 100]) {
          expect(theirs.getValueAtPercentile(percent) / 1_000 / ours.percentile(percent)).toBeGreaterThanOrEqual(1);
          expect(theirs.getValueAtPercentile(percent) / 1_000 / ours.percentile(percent)).toBeLessThanOrEqual(1.001);
        }
      }
    }
  });

  it('has a line for each interval, at its wall clock, with the maximum in milliseconds', () => {
    const log = logOf(timeline, 500);
    const all = readBack(log).filter(({ tag }) => tag === 'NO TAG');
    expect(all.map(({ startTimeStampMsec, endTimeStampMsec }) => [startTimeStampMsec - STARTED_AT.getTime(), endTimeStampMsec - startTimeStampMsec])).toEqual([
      [0, 500],
      [500, 500],
      [1_000, 500],
      [1_500, 500],
    ]);
    const [, , max] = (log.split('\n').find((line) => line.startsWith('0.000,')) as string).split(',');
    const first = new Histogram();
    for (const window of timeline.windows) if (window.at < 500) first.merge(window.latency);
    expect(max).toBe((first.max / 1_000).toFixed(3));
    expect(Number(max)).toBeGreaterThan(50);
    expect(Number(max)).toBeLessThan(61);
  });

  it('leaves out intervals without an answer, and writes none for an empty run', () => {
    const gap = { ...timeline, windows: timeline.windows.filter(({ at }) => at < 300 || at >= 700) };
    const starts = readBack(logOf(gap)).filter(({ tag }) => tag === 'NO TAG');
    expect(starts).toHaveLength(16);
    expect(readBack(logOf({ ...timeline, windows: [] }))).toEqual([]);
  });

  it('says at its head when the run cannot be judged', () => {
    const findings = [
      { at: 5, severity: 'invalid', text: 'the generator\nstood still' },
      { at: 6, severity: 'note', text: 'a note' },
    ] as const;
    const log = logOf({ ...timeline, findings });
    expect(log).toContain('# This run cannot be judged: the generator stood still\n');
    expect(log).not.toContain('a note');
  });

  it('writes in tags no comma, no white space, and no slash but its own', () => {
    expect(tagOf({ operation: 'get many, 100%', shard: '*', tenant: 'a/b' })).toBe('get%20many%2C%20100%25/*/a%2Fb');
  });
});
