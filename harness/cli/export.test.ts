/** A result folder, recorded and written as a run does it, as other tools read it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Histogram as HdrHistogram, HistogramLogReader } from 'hdr-histogram-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../core/random.ts';
import { Recorder } from '../load/recording/recorder.ts';
import { planOf } from '../report/run.fixture.ts';
import { Histogram } from '../timeline/histogram.ts';
import { Journal } from '../timeline/journal.ts';
import { readTimeline } from '../timeline/read.ts';
import type { JournalRecord, WindowsRecord } from '../timeline/records.ts';
import { interval } from './export.ts';
import { aftershock, temporaryFolder } from './spawned.fixture.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());
const result = join(folder.path, 'result');
const hlog = join(folder.path, 'run.hlog');

const SERIES = ['get', 'set'].flatMap((operation) => ['mc-1', 'mc-2'].map((shard) => [operation, shard, 'main'] as const));
const SECONDS = 3;
const RATE = 4_000;

/** Answers between 0.05 ms and 50 ms; one in a hundred requests times out. */
function record(): void {
  mkdirSync(result);
  writeFileSync(join(result, 'plan.json'), JSON.stringify(planOf('eject')));
  const recorder = new Recorder({ series: SERIES, deadlineMs: 20 });
  const random = seeded(7);
  for (let n = 0; n < SECONDS * RATE; n++) {
    const dueMs = (n * 1_000) / RATE;
    recorder.due(dueMs, n % SERIES.length, dueMs);
    if (n % 100 === 99) recorder.failed(dueMs, n % SERIES.length, dueMs + 250, 'timeout');
    else recorder.answered(dueMs, n % SERIES.length, dueMs + 0.05 * 1_000 ** random.next(), false);
  }
  const journal = Journal.create<JournalRecord>(join(result, 'journal.ndjson'));
  journal.append({ type: 'start', at: 0, wallClock: '2026-11-21T14:02:03.250Z', monotonicMs: 5 });
  journal.append({ type: 'end', at: 3_300, durationMs: SECONDS * 1_000 });
  journal.close();
  const { windows, completions } = recorder.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 0);
  const file = Journal.create<WindowsRecord>(join(result, 'windows.ndjson'), { buffered: true });
  for (const one of [...windows, ...completions]) file.append(one);
  file.close();
  writeFileSync(join(result, 'gauges.ndjson'), '');
}

describe('aftershock export', () => {
  beforeAll(record);

  it('writes a log in which HdrHistogram finds the counts and percentiles of the result, by series and for what failed', async () => {
    const { code, stdout, stderr } = await aftershock(['export', result, '--hlog', hlog]).finished;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${hlog}: `);

    const ours = new Map<string, Histogram>();
    const sum = (tag: string) => ours.get(tag) ?? (ours.set(tag, new Histogram()).get(tag) as Histogram);
    for (const { series, latency, gaveUp } of readTimeline(result).windows) {
      sum(`${series.operation}/${series.shard}/${series.tenant}`).merge(latency);
      if (gaveUp.count > 0) sum(`${series.operation}/${series.shard}/${series.tenant}/failed`).merge(gaveUp);
    }
    const theirs = new Map<string, HdrHistogram>();
    const reader = new HistogramLogReader(readFileSync(hlog, 'utf8'));
    for (let one = reader.nextIntervalHistogram(); one !== null; one = reader.nextIntervalHistogram()) {
      const before = theirs.get(one.tag);
      if (before) before.add(one);
      else theirs.set(one.tag, one);
    }
    // Every hundredth request is of the last series.
    expect([...ours.keys()].sort()).toEqual(['get/mc-1/main', 'get/mc-2/main', 'set/mc-1/main', 'set/mc-2/main', 'set/mc-2/main/failed']);
    expect([...theirs.keys()].sort()).toEqual(['NO TAG', ...ours.keys()].sort());
    expect(theirs.get('NO TAG')?.totalCount).toBe(SECONDS * RATE * 0.99);
    for (const [tag, histogram] of ours) {
      const read = theirs.get(tag) as HdrHistogram;
      expect([tag, read.totalCount]).toEqual([tag, histogram.count]);
      for (const percent of [50, 90, 99, 99.9, 100]) {
        const ratio = read.getValueAtPercentile(percent) / 1_000 / histogram.percentile(percent);
        expect(ratio).toBeGreaterThanOrEqual(1);
        expect(ratio).toBeLessThanOrEqual(1.001);
      }
    }
  });

  it('refuses in one line what it cannot do, and writes nothing', async () => {
    const elsewhere = join(folder.path, 'no.hlog');
    const cases: [string[], RegExp][] = [
      [['export', result], /^aftershock: required option '--hlog <file>' not specified/],
      [
        ['export', result, '--hlog', elsewhere, '--interval', '150ms'],
        /^aftershock: --interval: '150ms' is not allowed; write a multiple of 100ms, such as '1s'/,
      ],
      [['export', folder.path, '--hlog', elsewhere], /^aftershock: .* is not a result folder: it has no plan.json/],
      [['export', result, '--hlog', join(folder.path, 'nowhere', 'x.hlog')], /^aftershock: --hlog: '.*x.hlog' cannot be written: /],
    ];
    for (const { finished, words } of cases.map(([args, words]) => ({ finished: aftershock(args).finished, words }))) {
      const { code, stderr } = await finished;
      expect(stderr).toMatch(words);
      expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    }
    expect(existsSync(elsewhere)).toBe(false);
  });

  it('takes whole windows for intervals', () => {
    expect([interval('100ms'), interval('1s'), interval('2.5s')]).toEqual([100, 1_000, 2_500]);
    for (const bad of ['0s', '50ms', '1050ms', '1', 'x']) expect(() => interval(bad)).toThrow('--interval');
  });
});
