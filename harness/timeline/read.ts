/**
 * A result folder as a timeline. What is torn, corrupt or missing becomes an `invalid` finding: the run can still be looked
 * at, and is never judged as if it were whole.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, messageOf } from '../core/errors.ts';
import { Histogram } from './histogram.ts';
import { readJournal } from './journal.ts';
import type { GaugesRecord, JournalRecord, SavedCompletion, SavedSeries, SavedWindow, WindowsRecord } from './records.ts';
import { type Completion, type Finding, type Gauge, type GeneratorWindow, type Mark, type Series, type Timeline, WINDOW_MS, type Window } from './types.ts';

export const JOURNAL_FILE = 'journal.ndjson';
export const WINDOWS_FILE = 'windows.ndjson';
export const GAUGES_FILE = 'gauges.ndjson';

/** Reads what a run has written down. Throws InputError when the folder is no result. */
export function readTimeline(folder: string): Timeline {
  if (!existsSync(folder)) throw new InputError(`there is no result folder at '${folder}'`);
  if (!statSync(folder).isDirectory()) throw new InputError(`'${folder}' is not a result folder: it is a file`);
  for (const name of ['plan.json', JOURNAL_FILE]) {
    if (!existsSync(join(folder, name))) throw new InputError(`'${folder}' is not a result folder: it has no ${name}`);
  }
  const windows: Window[] = [];
  const completions: Completion[] = [];
  const generator: GeneratorWindow[] = [];
  const gauges: Gauge[] = [];
  const marks: Mark[] = [];
  const findings: Finding[] = [];
  const damage: string[] = [];
  let end: Extract<JournalRecord, { type: 'end' }> | undefined;
  const seriesOf = internSeries();

  damage.push(
    ...readRecords<JournalRecord>(folder, JOURNAL_FILE, (record) => {
      if (record.type === 'mark') marks.push(checked(withoutType(record), 'at', 'step'));
      else if (record.type === 'finding') findings.push(checked(withoutType(record), 'at'));
      else if (record.type === 'end') end = checked(record, 'durationMs');
    }),
    ...readRecords<WindowsRecord>(folder, WINDOWS_FILE, (record) => {
      if (record.type === 'window') windows.push(windowOf(record, seriesOf));
      else if (record.type === 'completion') completions.push(completionOf(record, seriesOf));
      else if (record.type === 'generator')
        generator.push(checked(withoutType(record), 'at', 'due', 'late', 'p99LatenessMs', 'maxLatenessMs', 'maxLoopDelayMs'));
      else throw new TypeError('its type is not known');
    }),
    ...readRecords<GaugesRecord>(folder, GAUGES_FILE, (record) => {
      if (record.type !== 'gauge') throw new TypeError('its type is not known');
      gauges.push(checked(withoutType(record), 'at', 'value'));
    }),
  );
  if (!end) damage.push(`${JOURNAL_FILE} has no end: the run was cut off`);
  const durationMs = end?.durationMs ?? windows.reduce((latest, window) => Math.max(latest, window.at + WINDOW_MS), 0);
  for (const text of damage) findings.push({ at: durationMs, severity: 'invalid', text });
  return {
    durationMs,
    windows: byTime(windows),
    completions: byTime(completions),
    generator: byTime(generator),
    gauges: byTime(gauges),
    marks: byTime(marks),
    findings: byTime(findings),
    ...(end?.aborted !== undefined && { aborted: end.aborted }),
  };
}

/** Hands on each record of a file; answers with what is wrong with the file, a sentence each. */
function readRecords<R extends { readonly type: string }>(folder: string, name: string, take: (record: R) => void): string[] {
  const path = join(folder, name);
  if (!existsSync(path)) return [`${name} is missing`];
  const { records, damage } = readJournal(path);
  let refused = 0;
  let firstRefusal = '';
  for (const [index, record] of records.entries()) {
    try {
      take(record as R);
    } catch (thrown) {
      if (refused++ === 0) firstRefusal = `record ${index + 1}: ${messageOf(thrown)}`;
    }
  }
  return refused === 0 ? [...damage] : [...damage, `${name} has ${refused} records that cannot be read (${firstRefusal})`];
}

function windowOf(saved: SavedWindow, seriesOf: (saved: SavedSeries) => Series): Window {
  const { at, due, answered, good, misses, failed } = checked(saved, 'at', 'due', 'answered', 'good', 'misses');
  for (const [kind, count] of Object.entries(failed)) if (!Number.isFinite(count)) throw new TypeError(`failed.${kind} is not a number`);
  return {
    at,
    series: seriesOf(saved.s),
    due,
    answered,
    good,
    misses,
    failed,
    latency: Histogram.decode(saved.latency),
    gaveUp: Histogram.decode(saved.gaveUp),
  };
}

function completionOf(saved: SavedCompletion, seriesOf: (saved: SavedSeries) => Series): Completion {
  const { type: _, s, ...rest } = checked(saved, 'at', 'answered', 'failed');
  return { ...rest, series: seriesOf(s) };
}

/** One object for each series, however many windows it has. */
function internSeries(): (saved: SavedSeries) => Series {
  const known = new Map<string, Series>();
  return (saved) => {
    const [operation, shard, tenant] = saved;
    const key = JSON.stringify(saved);
    const series = known.get(key) ?? { operation, shard, tenant };
    known.set(key, series);
    return series;
  };
}

function withoutType<R extends { readonly type: string }>({ type: _, ...rest }: R): Omit<R, 'type'> {
  return rest;
}

/** The record itself, once these of its keys are seen to be numbers. */
function checked<R extends object>(record: R, ...keys: (keyof R & string)[]): R {
  for (const key of keys) if (!Number.isFinite(record[key])) throw new TypeError(`${key} is not a number`);
  return record;
}

function byTime<T extends { readonly at: number }>(records: readonly T[]): T[] {
  return records.toSorted((a, b) => a.at - b.at);
}
