/**
 * Turns what happened to each request into the three lists of a timeline: windows by when requests were due, completions by when they
 * ended, and how well the generator kept its schedule (see `timeline/types.ts`).
 *
 * A window is given out once, when all of its requests have ended; windows are given out in order. Nothing here reads a clock: all times are
 * handed in, ms since the load's time zero.
 *
 * A million requests a second leave 1,000 ns for each, so two calls here may take some tens of them, and leave no garbage: counts are kept
 * in rows that are used again (see `rows.ts`), the row of the last request lies at hand, and all that is allocated is what `take` tells.
 */
import { bucketOf, Histogram } from '../../timeline/histogram.ts';
import type { SavedCompletion, SavedSeries, SavedWindow } from '../../timeline/records.ts';
import { ERROR_KINDS, type ErrorKind, type GeneratorWindow } from '../../timeline/types.ts';
import { type Row, Rows } from './rows.ts';
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
  /** Due to answered, microseconds, of the answered: empty when there are none, and then it has no percentile. */
  readonly latency: Histogram;
}

export interface RecorderOptions {
  /** [operation, shard, tenant] by number: requests are handed in by the number of their series. */
  readonly series: readonly SavedSeries[];
  readonly deadlineMs: number;
  /** Processor time that this process has used, ms; for tests. */
  readonly cpuMs?: () => number;
}

/** One series in one window, by due time. */
class DueCell {
  due = 0;
  answered = 0;
  good = 0;
  misses = 0;
  /** By number of the kind. Most cells never see a failure. */
  failed: number[] | undefined;
  readonly latency = new Histogram();
  readonly gaveUp = new Histogram();

  clear(): void {
    this.due = 0;
    this.answered = 0;
    this.good = 0;
    this.misses = 0;
    this.failed?.fill(0);
    this.latency.clear();
    this.gaveUp.clear();
  }
}

/** One series in one window, by end time. */
class EndCell {
  answered = 0;
  failed = 0;
  /** From the start of the window, whole microseconds: small integers need no room of their own. */
  firstAnswerUs = 0;
  lastAnswerUs = 0;

  clear(): void {
    this.answered = 0;
    this.failed = 0;
  }
}

class RunningTally implements Tally {
  due = 0;
  answered = 0;
  good = 0;
  failed = 0;
  readonly latency = new Histogram();

  clear(): void {
    this.due = 0;
    this.answered = 0;
    this.good = 0;
    this.failed = 0;
    this.latency.clear();
  }
}

const KIND_NUMBERS = Object.fromEntries(ERROR_KINDS.map((kind, number) => [kind, number])) as Readonly<Record<ErrorKind, number>>;

export class Recorder {
  readonly schedule: ScheduleRecorder;
  readonly #deadlineMs: number;
  readonly #series: readonly SavedSeries[];
  readonly #dueRows: Rows<DueCell>;
  readonly #endRows: Rows<EndCell>;
  /** The rows that were used last: what falls due, what is answered and when it ends go on in different windows. */
  #dueRow: Row<DueCell>;
  #answeredRow: Row<DueCell>;
  #endRow: Row<EndCell>;
  #tally = new RunningTally();
  #toldTally = new RunningTally();

  constructor(options: RecorderOptions) {
    this.schedule = new ScheduleRecorder(options.cpuMs);
    this.#deadlineMs = options.deadlineMs;
    this.#series = options.series;
    this.#dueRows = new Rows(options.series.length, () => new DueCell());
    this.#endRows = new Rows(options.series.length, () => new EndCell());
    this.#dueRow = this.#dueRows.none();
    this.#answeredRow = this.#dueRows.none();
    this.#endRow = this.#endRows.none();
  }

  /** A request is due, and the generator looked at it at `lookedAtMs`. `series` is its number, as in all below. */
  due(dueMs: number, series: number, lookedAtMs: number): void {
    if (!this.#dueRow.holds(dueMs)) this.#dueRow = this.#dueRows.at(dueMs);
    const row = this.#dueRow;
    row.pending++;
    this.#dueRows.cellOf(row, series).due++;
    this.schedule.looked(dueMs, lookedAtMs);
    this.#tally.due++;
  }

  /** A request was answered correctly; `miss` when it found nothing. */
  answered(dueMs: number, series: number, endedMs: number, miss: boolean): void {
    const cell = this.#ended(dueMs, series);
    const tookMs = endedMs - dueMs;
    const tally = this.#tally;
    cell.answered++;
    const bucket = bucketOf(tookMs * 1_000);
    cell.latency.recordBucket(bucket);
    tally.answered++;
    tally.latency.recordBucket(bucket);
    if (miss) cell.misses++;
    if (tookMs <= this.#deadlineMs) {
      cell.good++;
      tally.good++;
    }
    const end = this.#endCell(endedMs, series);
    // Whoever reads the answers of another tool tells them in the order in which they were asked for.
    const answerUs = ((endedMs - this.#endRow.fromMs) * 1_000 + 0.5) | 0;
    if (end.answered === 0 || answerUs < end.firstAnswerUs) end.firstAnswerUs = answerUs;
    if (end.answered === 0 || answerUs > end.lastAnswerUs) end.lastAnswerUs = answerUs;
    end.answered++;
  }

  /** A request failed, or was given up. */
  failed(dueMs: number, series: number, endedMs: number, kind: ErrorKind): void {
    const cell = this.#ended(dueMs, series);
    const number = KIND_NUMBERS[kind];
    cell.failed ??= ERROR_KINDS.map(() => 0);
    cell.failed[number] = (cell.failed[number] as number) + 1;
    cell.gaveUp.recordBucket(bucketOf((endedMs - dueMs) * 1_000));
    this.#endCell(endedMs, series).failed++;
    this.#tally.failed++;
  }

  /**
   * What has become final: everything that ended before `endedBeforeMs` and every request that was due before `dueBeforeMs` has been handed in,
   * and the schedule is told up to `scheduleBeforeMs` (finite). Windows with requests under way and all behind them are kept back; series
   * without a request are left out.
   */
  take(endedBeforeMs: number, dueBeforeMs: number, scheduleBeforeMs: number, openConnections: number): Taken {
    const windows: SavedWindow[] = [];
    this.#dueRows.giveOut(dueBeforeMs, (at, series, cell) => windows.push(savedWindow(at, this.#series[series] as SavedSeries, cell)));
    const completions: SavedCompletion[] = [];
    this.#endRows.giveOut(endedBeforeMs, (at, series, cell) => completions.push(savedCompletion(at, this.#series[series] as SavedSeries, cell)));
    return { windows, completions, generator: this.schedule.take(scheduleBeforeMs, openConnections) };
  }

  /** The tally since the last call. It is lent until the next call. */
  takeTally(): Tally {
    const told = this.#tally;
    this.#tally = this.#toldTally;
    this.#tally.clear();
    this.#toldTally = told;
    return told;
  }

  /** The cell of a request that has now ended. */
  #ended(dueMs: number, series: number): DueCell {
    if (!this.#answeredRow.holds(dueMs)) this.#answeredRow = this.#dueRows.at(dueMs);
    const row = this.#answeredRow;
    row.pending--;
    return this.#dueRows.cellOf(row, series);
  }

  #endCell(endedMs: number, series: number): EndCell {
    if (!this.#endRow.holds(endedMs)) this.#endRow = this.#endRows.at(endedMs);
    return this.#endRows.cellOf(this.#endRow, series);
  }
}

function savedWindow(at: number, s: SavedSeries, cell: DueCell): SavedWindow {
  const { due, answered, good, misses } = cell;
  return {
    type: 'window',
    at,
    s,
    due,
    answered,
    good,
    misses,
    failed: failedByKind(cell.failed),
    latency: cell.latency.encode(),
    gaveUp: cell.gaveUp.encode(),
  };
}

function savedCompletion(at: number, s: SavedSeries, { answered, failed, firstAnswerUs, lastAnswerUs }: EndCell): SavedCompletion {
  const answers = answered > 0 && { firstAnswerAt: (at * 1_000 + firstAnswerUs) / 1_000, lastAnswerAt: (at * 1_000 + lastAnswerUs) / 1_000 };
  return { type: 'completion', at, s, answered, failed, ...answers };
}

/** Only the kinds that occurred. */
function failedByKind(counts: readonly number[] | undefined): Partial<Record<ErrorKind, number>> {
  const failed: Partial<Record<ErrorKind, number>> = {};
  counts?.forEach((count, number) => {
    if (count > 0) failed[ERROR_KINDS[number] as ErrorKind] = count;
  });
  return failed;
}
