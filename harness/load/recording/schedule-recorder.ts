/**
 * How well the generator keeps its own schedule, window by window: what a run must show before its latencies mean anything, since a
 * generator that stands still makes every answer late.
 */
import { readFileSync } from 'node:fs';
import { bucketOf, Histogram } from '../../timeline/histogram.ts';
import { LATE_MS } from '../../timeline/starved.ts';
import { type GeneratorWindow, WINDOW_MS } from '../../timeline/types.ts';

/** Less of a window than this, and its share of processor time would be a guess. */
const LEAST_MEASURED_MS = WINDOW_MS / 2;

class ScheduleCell {
  fromMs = Number.NaN;
  untilMs = Number.NaN;
  due = 0;
  late = 0;
  readonly latenessUs = new Histogram();
  maxLatenessMs = Number.NaN;
  maxLoopDelayMs = Number.NaN;
  connects = 0;
  sent = 0;
  /** Processor time used in the part of the window that was measured, and how long that part is, ms. */
  cpuMs = Number.NaN;
  measuredMs = Number.NaN;
  /** Of that, how long our thread ran or waited for a processor. */
  readyMs = Number.NaN;

  constructor() {
    this.clear();
  }

  clear(): void {
    this.fromMs = Number.NaN;
    this.untilMs = Number.NaN;
    this.due = 0;
    this.late = 0;
    this.latenessUs.clear();
    this.maxLatenessMs = 0;
    this.maxLoopDelayMs = 0;
    this.connects = 0;
    this.sent = 0;
    this.cpuMs = 0;
    this.measuredMs = 0;
    this.readyMs = 0;
  }
}

export class ScheduleRecorder {
  readonly #cells = new Map<number, ScheduleCell>();
  readonly #spare: ScheduleCell[] = [];
  /** The cell that was used last. */
  #cell = new ScheduleCell();
  /** The first window that was not given out. */
  #next = 0;
  readonly #cpuMs: () => number;
  readonly #readyMs: () => number;
  /** When the processor time was read last, how much it was then, and when to read it again, ms. */
  #readAtMs = Number.NaN;
  #readCpuMs = 0;
  #readReadyMs = 0;
  #readNextMs = Number.NEGATIVE_INFINITY;

  /** `cpuMs`: processor time that this process has used so far, ms. `readyMs`: for how long this thread has run or waited for a processor; not a number where nobody counts. */
  constructor(cpuMs: () => number = processCpuMs, readyMs: () => number = threadReadyMs) {
    this.#cpuMs = cpuMs;
    this.#readyMs = readyMs;
  }

  /** A request that was due was looked at. */
  looked(dueMs: number, lookedAtMs: number): void {
    const cell = this.#at(dueMs);
    const latenessMs = lookedAtMs - dueMs;
    cell.due++;
    if (latenessMs > LATE_MS) cell.late++;
    cell.latenessUs.recordBucket(bucketOf(latenessMs * 1_000));
    if (latenessMs > cell.maxLatenessMs) cell.maxLatenessMs = latenessMs;
  }

  /** The event loop wanted to wake at one time and woke at another: it stood in between, in every window that this touches. */
  woke(wantedMs: number, wokeMs: number): void {
    const delayMs = wokeMs - wantedMs;
    const last = Math.floor(wokeMs / WINDOW_MS);
    for (let window = Math.max(this.#next, Math.floor(wantedMs / WINDOW_MS)); window <= last; window++) {
      const cell = this.#at(window * WINDOW_MS);
      if (delayMs > cell.maxLoopDelayMs) cell.maxLoopDelayMs = delayMs;
    }
    if (wokeMs >= this.#readNextMs) this.#readCpu(wokeMs);
  }

  connected(atMs: number): void {
    this.#at(atMs).connects++;
  }

  /** A request was sent, or sent again. */
  sent(atMs: number): void {
    this.#at(atMs).sent++;
  }

  /** What was sent and connected in later windows counts in the one of this moment, which was not told yet: it came of requests that were due by then. */
  fold(lastMs: number): void {
    const last = Math.max(this.#next, Math.floor(lastMs / WINDOW_MS));
    for (const [window, { sent, connects }] of this.#cells) {
      if (window <= last) continue;
      const cell = this.#at(last * WINDOW_MS);
      cell.sent += sent;
      cell.connects += connects;
      this.#cells.delete(window);
    }
  }

  /** All windows that end at or before `beforeMs`, in order, each once, with or without requests. */
  take(beforeMs: number, openConnections: number): Omit<GeneratorWindow, 'load'>[] {
    const taken: Omit<GeneratorWindow, 'load'>[] = [];
    for (; (this.#next + 1) * WINDOW_MS <= beforeMs; this.#next++) {
      const cell = this.#cells.get(this.#next) ?? this.#newCell();
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
        sent: cell.sent,
        ...(cell.measuredMs >= LEAST_MEASURED_MS && {
          cpuShare: round(cell.cpuMs / cell.measuredMs),
          ...(cell.readyMs >= 0 && { busyShare: round(Math.min(1, cell.readyMs / cell.measuredMs)) }),
        }),
      });
      this.#cells.delete(this.#next);
      cell.clear();
      this.#spare.push(cell);
    }
    return taken;
  }

  /**
   * Reads the processor time, once a window. What was used since the last reading is laid evenly over the time since then: a loop
   * that stood for several windows gives each of them the same share, since nobody was there to see more.
   */
  #readCpu(nowMs: number): void {
    const cpuMs = this.#cpuMs();
    const readyMs = this.#readyMs();
    const { usedMs, sinceMs, wasReadyMs } = { usedMs: cpuMs - this.#readCpuMs, sinceMs: this.#readAtMs, wasReadyMs: readyMs - this.#readReadyMs };
    this.#readAtMs = nowMs;
    this.#readCpuMs = cpuMs;
    this.#readReadyMs = readyMs;
    const last = Math.floor(nowMs / WINDOW_MS);
    this.#readNextMs = (last + 1) * WINDOW_MS;
    // The first reading only begins.
    if (Number.isNaN(sinceMs) || nowMs <= sinceMs) return;
    for (let window = Math.max(this.#next, Math.floor(sinceMs / WINDOW_MS)); window <= last; window++) {
      const fromMs = window * WINDOW_MS;
      const withinMs = Math.min(nowMs, fromMs + WINDOW_MS) - Math.max(sinceMs, fromMs);
      const cell = this.#at(fromMs);
      cell.cpuMs += (usedMs * withinMs) / (nowMs - sinceMs);
      cell.readyMs += (wasReadyMs * withinMs) / (nowMs - sinceMs);
      cell.measuredMs += withinMs;
    }
  }

  #at(atMs: number): ScheduleCell {
    const cell = this.#cell;
    return atMs >= cell.fromMs && atMs < cell.untilMs ? cell : this.#find(atMs);
  }

  #find(atMs: number): ScheduleCell {
    // What comes from before time zero, or for a window that was given out, counts in the next one.
    const window = Math.max(this.#next, Math.floor(atMs / WINDOW_MS));
    let cell = this.#cells.get(window);
    if (!cell) {
      cell = this.#newCell();
      cell.fromMs = window * WINDOW_MS;
      cell.untilMs = cell.fromMs + WINDOW_MS;
      this.#cells.set(window, cell);
    }
    this.#cell = cell;
    return cell;
  }

  #newCell(): ScheduleCell {
    return this.#spare.pop() ?? new ScheduleCell();
  }
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** proc_pid_schedstat(5): nanoseconds in which this thread ran, and in which it was ready to and waited. Some kernels do not count. */
function threadReadyMs(): number {
  try {
    const [ran = Number.NaN, waited = Number.NaN] = readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ').map(Number);
    return (ran + waited) / 1e6;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return Number.NaN;
    throw thrown;
  }
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
