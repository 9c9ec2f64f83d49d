/**
 * The open loop: requests fall due by the pacer whether or not the system answers, and each is timed from when it was due.
 *
 * Nothing waits for an answer here, so a system that stalls finds its requests waiting, as it would with real users, and the stall
 * shows in the latencies of all of them.
 *
 * Waking: timers of the event loop are good to a millisecond. At 2,000/s, with 0.5 ms between requests, exact
 * waking would mean to spin on a whole core beside the system under test. So the engine sleeps in timers of 1 to 2 ms, offers at each waking all that
 * has fallen due, and also looks whenever an answer comes in, which costs nothing. What that leaves of
 * lateness (some tenths of a millisecond) is measured and reported with each window.
 */
import { monotonicMs } from '../core/clock.ts';
import { WINDOW_MS } from '../timeline/types.ts';
import type { Pacer } from './pacer.ts';
import type { Outcomes, Pool } from './pool.ts';
import type { Workload } from './protocol.ts';
import { Recorder, type Taken, type Tally } from './recorder.ts';

/** The longest sleep: timeouts that begin while the engine sleeps are noticed at most this late. */
const LONGEST_SLEEP_MS = 2;

/** After a stall, so many overdue requests are offered before sockets are read again. */
const OFFERS_PER_TURN = 256;

export interface EngineOptions {
  readonly pool: Pool;
  readonly workload: Workload;
  readonly pacer: Pacer;
  readonly deadlineMs: number;
  /** Time zero, on this process's monotonic clock, ms. Due times and all that is recorded count from there. */
  readonly zeroMs: number;
  /** Called about every 100 ms, and a last time when all has been told. */
  readonly onReport: (report: EngineReport) => void;
  /** Every request has ended and was reported. */
  readonly onDone: () => void;
  /** This machine could not open a connection; a code such as EMFILE. */
  readonly onShortOf: (code: string) => void;
}

export interface EngineReport extends Taken {
  readonly atMs: number;
  readonly tally: Tally;
  readonly connections: number;
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #recorder: Recorder;
  #hits = 0;
  /** When the next request is due; infinite when none is to come. */
  #nextDueMs: number;
  #lastDueMs = Number.NEGATIVE_INFINITY;
  #nextReportMs = WINDOW_MS;
  #wakeMs = 0;
  #ended = false;
  readonly #turn = () => this.#wake();
  readonly #sweep = () => {
    this.#options.pool.sweep();
    this.#sleep();
  };

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#recorder = new Recorder({ ...namesOf(options.workload), deadlineMs: options.deadlineMs });
    this.#nextDueMs = options.pacer(0) ?? Number.POSITIVE_INFINITY;
  }

  /** Takes over the pool, and goes by the pacer from time zero on. */
  start(): void {
    this.#options.pool.handOver(() => this.#nowMs(), this.#outcomes());
    this.#sleep();
  }

  /** No further requests; those under way end as they would. */
  stop(): void {
    this.#nextDueMs = Number.POSITIVE_INFINITY;
  }

  /** Milliseconds since time zero. */
  #nowMs(): number {
    return monotonicMs() - this.#options.zeroMs;
  }

  #wake(): void {
    const nowMs = this.#nowMs();
    this.#recorder.schedule.woke(this.#wakeMs, nowMs);
    this.#offerDue(nowMs);
    if (nowMs >= this.#nextReportMs) this.#report(nowMs);
    // Answers that lie in this machine's buffers are read before their requests are given up: `setImmediate` runs behind the reading of sockets.
    if (this.#options.pool.nextExpiryMs() <= nowMs) setImmediate(this.#sweep);
    else this.#sleep();
  }

  #sleep(): void {
    if (this.#ended) return;
    if (this.#nextDueMs === Number.POSITIVE_INFINITY && this.#options.pool.underWay === 0) {
      this.#end();
      return;
    }
    const nowMs = this.#nowMs();
    const aheadMs = Math.min(this.#nextDueMs, this.#options.pool.nextExpiryMs(), nowMs + LONGEST_SLEEP_MS) - nowMs;
    const sleepMs = aheadMs > 0 ? Math.max(1, Math.floor(aheadMs)) : 0;
    this.#wakeMs = nowMs + sleepMs;
    if (sleepMs === 0) setImmediate(this.#turn);
    else setTimeout(this.#turn, sleepMs);
  }

  #offerDue(wokeMs: number): void {
    const { workload, pool, pacer } = this.#options;
    let nowMs = wokeMs;
    for (let offers = 0; this.#nextDueMs <= nowMs && offers < OFFERS_PER_TURN; offers++) {
      const dueMs = this.#nextDueMs;
      this.#lastDueMs = dueMs;
      workload.next();
      this.#recorder.due(dueMs, workload.operation, workload.shardOf(workload.key), nowMs);
      // The next due time is fixed before the offer, since an offer can lead back here.
      this.#nextDueMs = pacer(++this.#hits) ?? Number.POSITIVE_INFINITY;
      pool.offer(dueMs, workload.operation, workload.key);
      nowMs = this.#nowMs();
    }
  }

  #outcomes(): Outcomes {
    const { workload } = this.#options;
    const recorder = this.#recorder;
    return {
      answered: (dueMs, operation, key, endedMs, miss) => {
        recorder.answered(dueMs, operation, workload.shardOf(key), endedMs, miss);
        if (this.#nextDueMs <= endedMs) this.#offerDue(endedMs);
      },
      failed: (dueMs, operation, key, endedMs, kind) => recorder.failed(dueMs, operation, workload.shardOf(key), endedMs, kind),
      connected: (atMs) => recorder.schedule.connected(atMs),
      shortOf: this.#options.onShortOf,
    };
  }

  #report(nowMs: number): void {
    this.#nextReportMs = (Math.floor(nowMs / WINDOW_MS) + 1) * WINDOW_MS;
    const dueBeforeMs = Math.min(nowMs, this.#nextDueMs);
    this.#tell(nowMs, nowMs, dueBeforeMs, Math.min(dueBeforeMs, this.#scheduleEndMs()));
  }

  #end(): void {
    this.#ended = true;
    // Everything is final: the last windows need not be over by the clock.
    this.#tell(this.#nowMs(), Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, this.#scheduleEndMs());
    this.#options.onDone();
  }

  /** End of the last window that has a schedule to keep: infinite while requests are to come. */
  #scheduleEndMs(): number {
    if (this.#nextDueMs < Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    return (Math.floor(this.#lastDueMs / WINDOW_MS) + 1) * WINDOW_MS;
  }

  #tell(nowMs: number, endedBeforeMs: number, dueBeforeMs: number, scheduleBeforeMs: number): void {
    const connections = this.#options.pool.open;
    const taken = this.#recorder.take(endedBeforeMs, dueBeforeMs, scheduleBeforeMs, connections);
    this.#options.onReport({ atMs: nowMs, ...taken, tally: this.#recorder.takeTally(), connections });
  }
}

function namesOf(workload: Workload): { operations: readonly string[]; shards: readonly string[]; tenant: string } {
  return { operations: workload.operations, shards: workload.shards, tenant: workload.tenant };
}
