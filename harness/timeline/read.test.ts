import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../core/errors.ts';
import { Journal } from './journal.ts';
import { readTimeline } from './read.ts';
import type { GaugesRecord, JournalRecord, WindowsRecord } from './records.ts';
import { faultMarks, synthetic } from './synthetic.fixture.ts';
import type { Timeline } from './types.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'result-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const original = synthetic({
  durationMs: 2_000,
  ratePerSecond: 200,
  marks: faultMarks(800, 1_200),
  gauges: [{ at: 10, node: 'proxy-1', name: 'sockets.total', value: 12 }],
  fate: (dueMs) => (dueMs % 50 === 0 ? { afterMs: 250, failed: 'timeout' } : { afterMs: 3 }),
});

/** Saves a timeline as a run does: in the order in which things become known, which is not that of their times. */
function save(timeline: Timeline, { end = true } = {}): void {
  writeFileSync(join(folder, 'plan.json'), '{}');
  const journal = Journal.create<JournalRecord>(join(folder, 'journal.ndjson'));
  journal.append({ type: 'start', at: 0, wallClock: '2026-11-21T14:00:00.000Z', monotonicMs: 5 });
  for (const mark of timeline.marks.toReversed()) journal.append({ type: 'mark', ...mark });
  for (const finding of timeline.findings) journal.append({ type: 'finding', ...finding });
  if (end)
    journal.append({
      type: 'end',
      at: timeline.durationMs + 300,
      durationMs: timeline.durationMs,
      ...(timeline.aborted !== undefined && { aborted: timeline.aborted }),
    });
  journal.close();
  const windows = Journal.create<WindowsRecord>(join(folder, 'windows.ndjson'), { buffered: true });
  for (const { series, latency, gaveUp, ...window } of timeline.windows.toReversed()) {
    windows.append({ type: 'window', ...window, s: [series.operation, series.shard, series.tenant], latency: latency.encode(), gaveUp: gaveUp.encode() });
  }
  for (const { series, ...completion } of timeline.completions)
    windows.append({ type: 'completion', ...completion, s: [series.operation, series.shard, series.tenant] });
  for (const window of timeline.generator) windows.append({ type: 'generator', ...window });
  windows.close();
  const gauges = Journal.create<GaugesRecord>(join(folder, 'gauges.ndjson'), { buffered: true });
  for (const gauge of timeline.gauges) gauges.append({ type: 'gauge', ...gauge });
  gauges.close();
}

/** Histograms as numbers, so that timelines can be compared. */
const plain = (timeline: Timeline) => ({
  ...timeline,
  windows: timeline.windows
    .map(({ latency, gaveUp, ...window }) => ({ ...window, latency: latency.encode(), gaveUp: gaveUp.encode() }))
    .toSorted((a, b) => a.at - b.at || a.series.shard.localeCompare(b.series.shard)),
});

describe('reading a result', () => {
  it('gives back the timeline that was saved, sorted by time', () => {
    save(original);
    expect(plain(readTimeline(folder))).toEqual(plain(original));
    expect(readTimeline(folder).windows.map((window) => window.at)).toEqual(original.windows.map((window) => window.at));
  });

  it('gives back findings and why the run was stopped', () => {
    const findings = [{ at: 5, severity: 'note', text: 'a note' }] as const;
    save({ ...original, findings, aborted: 'interrupted' });
    expect(readTimeline(folder)).toMatchObject({ findings, aborted: 'interrupted' });
  });

  it('ends with the last window when the run was cut off, and says so', () => {
    save(synthetic({ durationMs: 1_700, ratePerSecond: 200 }), { end: false });
    expect(readTimeline(folder)).toMatchObject({
      durationMs: 1_700,
      findings: [{ at: 1_700, severity: 'invalid', text: 'journal.ndjson has no end: the run was cut off' }],
    });
  });

  it('makes a torn file a finding, and keeps what is whole', () => {
    save(original);
    const path = join(folder, 'windows.ndjson');
    truncateSync(path, readFileSync(path).length - 5);
    const timeline = readTimeline(folder);
    const records = original.windows.length + original.completions.length + original.generator.length;
    expect(timeline.findings).toEqual([{ at: 2_000, severity: 'invalid', text: `windows.ndjson is torn after record ${records - 1}` }]);
    expect(timeline.generator).toHaveLength(original.generator.length - 1);
  });

  it('makes a corrupt line a finding', () => {
    save(original);
    const path = join(folder, 'gauges.ndjson');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"value":12', '"value":13'));
    expect(readTimeline(folder)).toMatchObject({ gauges: [], findings: [{ severity: 'invalid', text: 'gauges.ndjson is corrupt at line 1' }] });
  });

  it('makes a record whose checksum fits, but which is no record, a finding', () => {
    save(original);
    rmSync(join(folder, 'gauges.ndjson'));
    const gauges = Journal.create(join(folder, 'gauges.ndjson'));
    gauges.append({ type: 'gauge', at: 0, node: 'n', name: 'x', value: null });
    gauges.append({ type: 'other' });
    gauges.append([null]);
    gauges.close();
    expect(readTimeline(folder).findings).toEqual([
      { at: 2_000, severity: 'invalid', text: 'gauges.ndjson has 3 records that cannot be read (record 1: value is not a number)' },
    ]);
  });

  it('makes a histogram that is none a finding', () => {
    save({ ...original, windows: [] });
    const extra = Journal.create(join(folder, 'extra'));
    extra.append({ type: 'window', at: 0, s: ['get', 'mc-1', 'main'], due: 1, answered: 1, good: 1, misses: 0, failed: {}, latency: [5], gaveUp: [] });
    extra.close();
    appendFileSync(join(folder, 'windows.ndjson'), readFileSync(join(folder, 'extra')));
    expect(readTimeline(folder).findings[0]?.text).toContain('windows.ndjson has 1 records that cannot be read');
  });

  it('makes a missing file of windows a finding', () => {
    save(original);
    rmSync(join(folder, 'windows.ndjson'));
    expect(readTimeline(folder)).toMatchObject({ windows: [], findings: [{ severity: 'invalid', text: 'windows.ndjson is missing' }] });
  });

  it('refuses what is no result, naming what is missing', () => {
    expect(() => readTimeline(folder)).toThrow(new InputError(`'${folder}' is not a result folder: it has no plan.json`));
    writeFileSync(join(folder, 'plan.json'), '{}');
    expect(() => readTimeline(folder)).toThrow(new InputError(`'${folder}' is not a result folder: it has no journal.ndjson`));
    expect(() => readTimeline(join(folder, 'plan.json'))).toThrow('it is a file');
    expect(() => readTimeline(join(folder, 'none'))).toThrow(`there is no result folder at '${join(folder, 'none')}'`);
  });
});
