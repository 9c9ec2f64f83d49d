/**
 * How well the generator keeps its own schedule, window by window: what a run must show before its latencies mean anything, since a
 * generator that stands still makes every answer late.
 */
import { Histogram } from '../timeline/histogram.ts';
import { type GeneratorWindow, WINDOW_MS } from '../timeline/types.ts';

/** A request looked at later than this after it was due is counted as late. */
export const LATE_MS = 10;

class ScheduleCell {
  due = 0;
  late = 0;
  readonly latenessUs = new Histogram();
  maxLatenessMs = 0;
  maxLoopDelayMs = 0;
  connects = 0;
}

export class ScheduleRecorder {
  readonly #cells = new Map<number, ScheduleCell>();
  /** The first window that was not given out. */
  #next = 0;

  /** A request that was due was looked at. */
  looked(dueMs: number, lookedAtMs: number): void {
    const cell = this.#at(dueMs);
    const latenessMs = lookedAtMs - dueMs;
    cell.due++;
    if (latenessMs > LATE_MS) cell.late++;
    cell.latenessUs.record(latenessMs * 1_000);
    cell.maxLatenessMs = Math.max(cell.maxLatenessMs, latenessMs);
  }

  /** The event loop wanted to wake at one time and woke at another: it stood in between, in every window that this touches. */
  woke(wantedMs: number, wokeMs: number): void {
    const last = Math.floor(wokeMs / WINDOW_MS);
    for (let window = Math.max(this.#next, Math.floor(wantedMs / WINDOW_MS)); window <= last; window++) {
      const cell = this.#at(window * WINDOW_MS);
      cell.maxLoopDelayMs = Math.max(cell.maxLoopDelayMs, wokeMs - wantedMs);
    }
  }

  connected(atMs: number): void {
    this.#at(atMs).connects++;
  }

  /** All windows that end at or before `beforeMs`, in order, each once, with or without requests. */
  take(beforeMs: number, openConnections: number): Omit<GeneratorWindow, 'load'>[] {
    const taken: Omit<GeneratorWindow, 'load'>[] = [];
    for (; (this.#next + 1) * WINDOW_MS <= beforeMs; this.#next++) {
      const cell = this.#cells.get(this.#next) ?? new ScheduleCell();
      this.#cells.delete(this.#next);
      const lateness = cell.latenessUs;
      taken.push({
        at: this.#next * WINDOW_MS,
        due: cell.due,
        late: cell.late,
        p99LatenessMs: lateness.count > 0 ? Math.min(lateness.percentile(99) / 1_000, round(cell.maxLatenessMs)) : 0,
        maxLatenessMs: round(cell.maxLatenessMs),
        maxLoopDelayMs: round(cell.maxLoopDelayMs),
        connections: openConnections,
        connects: cell.connects,
      });
    }
    return taken;
  }

  #at(atMs: number): ScheduleCell {
    // What comes from before time zero, or for a window that was given out, counts in the next one.
    const window = Math.max(this.#next, Math.floor(atMs / WINDOW_MS));
    let cell = this.#cells.get(window);
    if (!cell) {
      cell = new ScheduleCell();
      this.#cells.set(window, cell);
    }
    return cell;
  }
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
