/**
 * Offers requests when they fall due, and has all that becomes of them recorded, each timed from when it was due.
 *
 * By a schedule nothing waits for an answer, so a system that stalls finds its requests waiting, as it would with real users, and the stall
 * shows in the latencies of all of them. What is due is offered whenever the engine wakes, and also whenever an answer comes in, which costs nothing.
 */
import { monotonicMs } from '../core/clock.ts';
import { WINDOW_MS } from '../timeline/types.ts';
import type { Carrier, Outcomes } from './carrier.ts';
import type { Demand } from './demand/demand.ts';
import { type Waker, wakerOf } from './pacing/waker.ts';
import type { Workload } from './protocol.ts';
import { Recorder, type Taken, type Tally } from './recording/recorder.ts';

/** The longest sleep: timeouts that begin while the engine sleeps are noticed at most this late. */
const LONGEST_SLEEP_MS = 2;

/** After a stall, so many overdue requests are offered before sockets are read again. */
const OFFERS_PER_TURN = 256;

export interface EngineOptions {
  readonly carrier: Carrier & { offerOwn?(worker: number, dueMs: number, operation: number, key: number): void };
  readonly workload: Workload;
  readonly demand: Demand;
  readonly deadlineMs: number;
  /** Time zero, on this process's monotonic clock, ms. Due times and all that is recorded count from there. */
  readonly zeroMs: number;
  /** How it sleeps; it stays open when the engine has ended. Default: timers. */
  readonly waker?: Waker;
  /** What is due waits while so many are under way: for rehearsals alone, since a load that does so hides what it should show. Default: no bound. */
  readonly mostUnderWay?: number;
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
  // Fields of its own rather than the options: code that V8 compiled for one shape of options would have to be compiled again for another.
  readonly #carrier: EngineOptions['carrier'];
  readonly #workload: Workload;
  readonly #demand: Demand;
  readonly #zeroMs: number;
  readonly #mostUnderWay: number;
  readonly #onReport: EngineOptions['onReport'];
  readonly #onDone: () => void;
  readonly #onShortOf: EngineOptions['onShortOf'];
  readonly #recorder: Recorder;
  readonly #waker: Waker;
  #lastDueMs = Number.NEGATIVE_INFINITY;
  #nextReportMs = WINDOW_MS;
  #wakeMs = 0;
  #isEnded = false;
  readonly #sweep = () => {
    if (this.#isEnded) return;
    this.#carrier.sweep();
    this.#sleep();
  };

  constructor(options: EngineOptions) {
    this.#carrier = options.carrier;
    this.#workload = options.workload;
    this.#demand = options.demand;
    this.#zeroMs = options.zeroMs;
    this.#mostUnderWay = options.mostUnderWay ?? Number.POSITIVE_INFINITY;
    this.#onReport = options.onReport;
    this.#onDone = options.onDone;
    this.#onShortOf = options.onShortOf;
    this.#recorder = new Recorder({ series: options.workload.series, deadlineMs: options.deadlineMs });
    this.#waker = options.waker ?? wakerOf('economical');
    this.#waker.wake = () => this.#wake();
  }

  /** Takes over the carrier, and goes by the demand from time zero on. */
  start(): void {
    this.#carrier.handOver(() => this.#nowMs(), this.#outcomes());
    this.#sleep();
  }

  /** No further requests; those under way end as they would. */
  stop(): void {
    this.#demand.stop();
  }

  /** Wakes no more, whatever is under way. */
  close(): void {
    this.#isEnded = true;
  }

  /** Milliseconds since time zero. */
  #nowMs(): number {
    return monotonicMs() - this.#zeroMs;
  }

  #wake(): void {
    if (this.#isEnded) return;
    let nowMs = this.#nowMs();
    this.#recorder.schedule.woke(this.#wakeMs, nowMs);
    // Offering takes its time, in which more falls due.
    for (let left = OFFERS_PER_TURN; left > 0 && this.#demand.nextDueMs <= nowMs; nowMs = this.#nowMs()) {
      const offers = this.#offerDue(nowMs, left);
      if (offers === 0) break;
      left -= offers;
    }
    this.#carrier.flush();
    if (nowMs >= this.#nextReportMs) this.#report(nowMs);
    // Answers that lie in this machine's buffers are read before their requests are given up: `setImmediate` runs behind the reading of sockets.
    if (this.#carrier.nextExpiryMs() <= nowMs) setImmediate(this.#sweep);
    else this.#sleep();
  }

  #sleep(): void {
    if (this.#isEnded) return;
    const carrier = this.#carrier;
    const demand = this.#demand;
    if (demand.isOver && carrier.underWay === 0) {
      this.#end();
      return;
    }
    const nowMs = this.#nowMs();
    // Where so many are under way as may be, an answer leads on, and nothing else.
    const nextDueMs = carrier.underWay < this.#mostUnderWay ? demand.nextDueMs : Number.POSITIVE_INFINITY;
    this.#wakeMs = Math.max(nowMs, Math.min(nextDueMs, carrier.nextExpiryMs(), nowMs + LONGEST_SLEEP_MS));
    this.#waker.sleepUntil(this.#wakeMs + this.#zeroMs);
  }

  /** Offers what is due by now, so many at the most; answers with how many it were. */
  #offerDue(nowMs: number, most: number): number {
    const carrier = this.#carrier;
    const demand = this.#demand;
    const workload = this.#workload;
    let offers = 0;
    for (; demand.nextDueMs <= nowMs && offers < most && carrier.underWay < this.#mostUnderWay; offers++) {
      const dueMs = demand.nextDueMs;
      const worker = demand.take();
      this.#lastDueMs = dueMs;
      workload.next();
      const { operation, key } = workload;
      this.#recorder.due(dueMs, workload.seriesOf(operation, key), nowMs);
      if (worker >= 0 && carrier.offerOwn) carrier.offerOwn(worker, dueMs, operation, key);
      else carrier.offer(dueMs, operation, key);
    }
    return offers;
  }

  #outcomes(): Outcomes {
    const workload = this.#workload;
    const demand = this.#demand;
    const recorder = this.#recorder;
    return {
      answered: (dueMs, operation, key, endedMs, miss, worker = -1) => {
        recorder.answered(dueMs, workload.seriesOf(operation, key), endedMs, miss);
        if (worker >= 0) demand.ended(worker, endedMs);
        // The carrier sends behind this what is offered here.
        if (demand.nextDueMs <= endedMs) this.#offerDue(endedMs, OFFERS_PER_TURN);
      },
      failed: (dueMs, operation, key, endedMs, kind, worker = -1) => {
        recorder.failed(dueMs, workload.seriesOf(operation, key), endedMs, kind);
        if (worker >= 0) demand.ended(worker, endedMs);
      },
      sent: (atMs) => recorder.schedule.sent(atMs),
      connected: (atMs) => recorder.schedule.connected(atMs),
      shortOf: this.#onShortOf,
    };
  }

  #report(nowMs: number): void {
    this.#nextReportMs = (Math.floor(nowMs / WINDOW_MS) + 1) * WINDOW_MS;
    const dueBeforeMs = Math.min(nowMs, this.#demand.nextDueMs);
    // The window of the last request so far is kept back: it may be the last one, and then what is sent behind it counts in it.
    this.#tell(nowMs, nowMs, dueBeforeMs, Math.min(dueBeforeMs, this.#scheduleEndMs() - WINDOW_MS));
  }

  #end(): void {
    this.#isEnded = true;
    // Everything is final: the last windows need not be over by the clock, and what was sent behind the last one counts in it.
    this.#recorder.schedule.fold(this.#lastDueMs);
    // One window at least: a process whose share of a slow schedule is nothing has kept it.
    this.#tell(this.#nowMs(), Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Math.max(WINDOW_MS, this.#scheduleEndMs()));
    this.#onDone();
  }

  /** End of the last window, so far, that has a schedule to keep. */
  #scheduleEndMs(): number {
    return (Math.floor(this.#lastDueMs / WINDOW_MS) + 1) * WINDOW_MS;
  }

  #tell(nowMs: number, endedBeforeMs: number, dueBeforeMs: number, scheduleBeforeMs: number): void {
    const connections = this.#carrier.open;
    const taken = this.#recorder.take(endedBeforeMs, dueBeforeMs, scheduleBeforeMs, connections);
    this.#onReport({ atMs: nowMs, ...taken, tally: this.#recorder.takeTally(), connections });
  }
}
