/**
 * The forms in which a timeline is written down. Each file of a result is a list of such records, one
 * checksummed line each (see `journal.ts`):
 *
 * - `journal.ndjson`: start, intent, done, mark, finding, event, end
 * - `windows.ndjson`: window, completion, generator
 * - `gauges.ndjson`: gauge
 */
import type { SavedHistogram } from './histogram.ts';
import type { ErrorKind, Finding, Gauge, GeneratorWindow, Mark } from './types.ts';

/** [operation, shard, tenant] */
export type SavedSeries = readonly [string, string, string];

export interface SavedWindow {
  readonly type: 'window';
  readonly at: number;
  readonly s: SavedSeries;
  readonly due: number;
  readonly answered: number;
  readonly good: number;
  readonly misses: number;
  readonly failed: Readonly<Partial<Record<ErrorKind, number>>>;
  readonly latency: SavedHistogram;
  readonly gaveUp: SavedHistogram;
}

export interface SavedCompletion {
  readonly type: 'completion';
  readonly at: number;
  readonly s: SavedSeries;
  readonly answered: number;
  readonly failed: number;
  readonly firstAnswerAt?: number;
  readonly lastAnswerAt?: number;
}

export type WindowsRecord = SavedWindow | SavedCompletion | ({ readonly type: 'generator' } & GeneratorWindow);

export type GaugesRecord = { readonly type: 'gauge' } & Gauge;

export type JournalRecord =
  /** Time zero of the load: wall clock (ISO 8601) and the harness's monotonic clock, ms. */
  | { readonly type: 'start'; readonly at: 0; readonly wallClock: string; readonly monotonicMs: number }
  /**
   * Written before a side effect outside this process, so that what may be left behind is known. Most come before time
   * zero, so these carry the harness's monotonic clock.
   */
  | { readonly type: 'intent'; readonly clockMs: number; readonly action: string; readonly name: string }
  | { readonly type: 'done'; readonly clockMs: number; readonly action: string; readonly name: string; readonly detail?: string }
  | ({ readonly type: 'mark' } & Mark)
  | ({ readonly type: 'finding' } & Finding)
  /** Anything worth telling: readiness evidence, clock offset, a pause as the engine's own events tell it. */
  | { readonly type: 'event'; readonly at: number; readonly name: string; readonly detail: unknown }
  /** The last record: how long the load lasted, and why it stopped when it did not run to its end. */
  | { readonly type: 'end'; readonly at: number; readonly durationMs: number; readonly aborted?: string };
