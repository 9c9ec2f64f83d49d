/**
 * Turns what happened to each request into the three lists of a timeline: windows by when requests were due, completions by when they
 * ended, and how well the generator kept its schedule (see `timeline/types.ts`).
 *
 * A window is given out once, when all of its requests have ended; windows are given out in order. Nothing here reads a clock: all times are
 * handed in, ms since the load's time zero.
 */
import { Histogram } from '../timeline/histogram.ts';
import type { SavedCompletion, SavedSeries, SavedWindow } from '../timeline/records.ts';
import { type ErrorKind, type GeneratorWindow, WINDOW_MS } from '../timeline/types.ts';
import { ScheduleRecorder } from './schedule-recorder.ts';

/** Everything that became final since it was last asked for. */
export interface Taken {
  readonly windows: SavedWindow[];
  readonly completions: SavedCompletion[];
  readonly generator: Omit<GeneratorWindow, 'load'>[];
}

/** What happened since the last one, for people who look on. */
export interface Tally {
  readonly due: number;
  readonly answered: number;
  readonly good: number;
  readonly failed: number;
  readonly latency: Histogram;
}

export interface RecorderOptions {
  readonly operations: readonly string[];
  readonly shards: readonly string[];
  readonly tenant: string;
  readonly deadlineMs: number;
}

/** One series in one window, by due time. */
class DueCell {
  due = 0;
  answered = 0;
  good = 0;
  misses = 0;
  readonly failed: Partial<Record<ErrorKind, number>> = {};
  readonly latency = new Histogram();
  readonly gaveUp = new Histogram();
}

/** One series in one window, by end time. */
class EndCell {
  answered = 0;
  failed = 0;
  firstAnswerAt = 0;
  lastAnswerAt = 0;
}

/** The cells of one window by series, and how many of its requests have not ended. */
interface Row<Cell> {
  /** Sparse: by number of the series, and only those with a request. */
  readonly cells: Cell[];
  pending: number;
}

export class Recorder {
  readonly schedule = new ScheduleRecorder();
  readonly #deadlineMs: number;
  readonly #shards: number;
  readonly #series: SavedSeries[];
  readonly #dueRows = new Map<number, Row<DueCell>>();
  readonly #endRows = new Map<number, Row<EndCell>>();
  #nextWindow = 0;
  #nextCompletion = 0;
  #tally = emptyTally();

  constructor(options: RecorderOptions) {
    this.#deadlineMs = options.deadlineMs;
    this.#shards = options.shards.length;
    this.#series = options.operations.flatMap((operation) => options.shards.map((shard): SavedSeries => [operation, shard, options.tenant]));
  }

  /** A request is due, and the generator looked at it at `lookedAtMs`. Operation and shard are numbers. */
  due(dueMs: number, operation: number, shard: number, lookedAtMs: number): void {
    const row = rowAt(this.#dueRows, dueMs);
    row.pending++;
    this.#dueCell(row, operation, shard).due++;
    this.schedule.looked(dueMs, lookedAtMs);
    this.#tally.due++;
  }

  answered(dueMs: number, operation: number, shard: number, endedMs: number, miss: boolean): void {
    const row = rowAt(this.#dueRows, dueMs);
    const cell = this.#dueCell(row, operation, shard);
    const latencyUs = (endedMs - dueMs) * 1_000;
    row.pending--;
    cell.answered++;
    cell.latency.record(latencyUs);
    if (miss) cell.misses++;
    if (endedMs - dueMs <= this.#deadlineMs) {
      cell.good++;
      this.#tally.good++;
    }
    const end = this.#endCell(endedMs, operation, shard);
    if (end.answered === 0) end.firstAnswerAt = endedMs;
    end.lastAnswerAt = endedMs;
    end.answered++;
    this.#tally.answered++;
    this.#tally.latency.record(latencyUs);
  }

  failed(dueMs: number, operation: number, shard: number, endedMs: number, kind: ErrorKind): void {
    const row = rowAt(this.#dueRows, dueMs);
    const cell = this.#dueCell(row, operation, shard);
    row.pending--;
    cell.failed[kind] = (cell.failed[kind] ?? 0) + 1;
    cell.gaveUp.record((endedMs - dueMs) * 1_000);
    this.#endCell(endedMs, operation, shard).failed++;
    this.#tally.failed++;
  }

  /**
   * What has become final: everything that ended before `endedBeforeMs` and every request that was due before `dueBeforeMs` has been handed in,
   * and the schedule is told up to `scheduleBeforeMs` (finite). Windows with requests under way and all behind them are kept back; series
   * without a request are left out.
   */
  take(endedBeforeMs: number, dueBeforeMs: number, scheduleBeforeMs: number, openConnections: number): Taken {
    const windows: SavedWindow[] = [];
    for (; endOf(this.#nextWindow) <= dueBeforeMs && this.#dueRows.size > 0; this.#nextWindow++) {
      const row = this.#dueRows.get(this.#nextWindow);
      if (row && row.pending > 0) break;
      row?.cells.forEach((cell, series) => {
        windows.push(this.#saveWindow(this.#nextWindow, series, cell));
      });
      this.#dueRows.delete(this.#nextWindow);
    }
    const completions: SavedCompletion[] = [];
    for (; endOf(this.#nextCompletion) <= endedBeforeMs && this.#endRows.size > 0; this.#nextCompletion++) {
      const row = this.#endRows.get(this.#nextCompletion);
      row?.cells.forEach((cell, series) => {
        completions.push(this.#saveCompletion(this.#nextCompletion, series, cell));
      });
      this.#endRows.delete(this.#nextCompletion);
    }
    return { windows, completions, generator: this.schedule.take(scheduleBeforeMs, openConnections) };
  }

  /** The tally since the last call. */
  takeTally(): Tally {
    const tally = this.#tally;
    this.#tally = emptyTally();
    return tally;
  }

  #dueCell(row: Row<DueCell>, operation: number, shard: number): DueCell {
    const series = operation * this.#shards + shard;
    const cell = row.cells[series] ?? new DueCell();
    row.cells[series] = cell;
    return cell;
  }

  #endCell(endedMs: number, operation: number, shard: number): EndCell {
    const { cells } = rowAt(this.#endRows, endedMs);
    const series = operation * this.#shards + shard;
    const cell = cells[series] ?? new EndCell();
    cells[series] = cell;
    return cell;
  }

  #saveWindow(window: number, series: number, cell: DueCell): SavedWindow {
    return {
      type: 'window',
      at: window * WINDOW_MS,
      s: this.#series[series] as SavedSeries,
      due: cell.due,
      answered: cell.answered,
      good: cell.good,
      misses: cell.misses,
      failed: cell.failed,
      latency: cell.latency.encode(),
      gaveUp: cell.gaveUp.encode(),
    };
  }

  #saveCompletion(window: number, series: number, cell: EndCell): SavedCompletion {
    const answers = cell.answered > 0 ? { firstAnswerAt: toMicrosecond(cell.firstAnswerAt), lastAnswerAt: toMicrosecond(cell.lastAnswerAt) } : {};
    return { type: 'completion', at: window * WINDOW_MS, s: this.#series[series] as SavedSeries, answered: cell.answered, failed: cell.failed, ...answers };
  }
}

function rowAt<Cell>(rows: Map<number, Row<Cell>>, atMs: number): Row<Cell> {
  const window = Math.floor(atMs / WINDOW_MS);
  let row = rows.get(window);
  if (!row) {
    row = { cells: [], pending: 0 };
    rows.set(window, row);
  }
  return row;
}

function endOf(window: number): number {
  return (window + 1) * WINDOW_MS;
}

/** Three decimals of a millisecond: more is noise, and longer lines. */
function toMicrosecond(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

function emptyTally(): { -readonly [K in keyof Tally]: Tally[K] } {
  return { due: 0, answered: 0, good: 0, failed: 0, latency: new Histogram() };
}
