/**
 * Holds what k6 did against what it was to do: gives every iteration that k6 started or dropped its due time, and hands it to the recorder.
 *
 * k6's loop takes the planned iterations one after the other, and each is then started or dropped. So the n-th of all starts and drops together, in order
 * of time, is the n-th of the plan, and what lies between its planned and its real time is lateness of k6. (A start's number in the script counts
 * no drops, and its own time says nothing of lateness.) An iteration is told of when it ends; so that none comes out of turn, everything is
 * held back for as long as an iteration may take.
 */
import type { Recorder, Taken } from '../../../harness/load/recording/recorder.ts';
import type { ErrorKind } from '../../../harness/timeline/types.ts';
import type { Schedule } from './schedule.ts';

/** All times are ms since the load's time zero. */
export interface Event {
  /** When it was started or dropped. */
  readonly atMs: number;
  readonly endMs: number;
  readonly series: number;
  /** Absent when it was answered. */
  readonly failed?: ErrorKind;
}

export interface LedgerOptions {
  readonly schedule: Schedule;
  readonly recorder: Recorder;
  /** How long the load lasts, and the longest that an iteration may take. */
  readonly forMs: number;
  readonly longestMs: number;
}

/** Where k6's time zero lies is read from its first second: from whichever iteration came least late. */
const CALIBRATION_MS = 1_000;
/** k6 writes its samples each 100 ms, and a busy machine takes a while to hand them on. */
const DELIVERY_MS = 1_000;
/** What was due in a window that is over is told as its last microsecond. */
const LAST_MS = 0.001;

export class Ledger {
  readonly #options: LedgerOptions;
  #held: Event[] = [];
  #watermarkMs = Number.NEGATIVE_INFINITY;
  #zeroMs: number | undefined;
  #calibrated: number[] = [];
  #lastDueMs = 0;
  #longestSeenMs = 0;
  started = 0;
  dropped = 0;
  /** More than were planned. */
  surplus = 0;
  /** The longest that an iteration took that came out of turn, ms; 0 when none did. */
  outOfTurnMs = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** How far k6's own time zero lies behind that of the load, ms; undefined while it is not known. */
  get offsetMs(): number | undefined {
    return this.#zeroMs;
  }

  add(event: Event): void {
    if (event.failed === 'dropped') this.dropped++;
    else this.started++;
    if (event.atMs < this.#watermarkMs) this.outOfTurnMs = Math.max(this.outOfTurnMs, event.endMs - event.atMs);
    this.#longestSeenMs = Math.max(this.#longestSeenMs, event.endMs - event.atMs);
    this.#held.push(event);
  }

  /** What has become final by now. */
  take(nowMs: number, connections: number): Taken {
    const watermarkMs = nowMs - this.#options.longestMs - DELIVERY_MS;
    this.#release(watermarkMs, false);
    // Before k6's zero is known, none of its iterations has a due time.
    const finalMs = this.#zeroMs === undefined ? 0 : Math.max(0, watermarkMs);
    const nextDueMs = this.#dueOf(this.#calibrated[0] ?? this.#options.schedule.nextMs) ?? Number.POSITIVE_INFINITY;
    const dueBeforeMs = Math.min(nextDueMs, finalMs);
    return this.#options.recorder.take(finalMs, dueBeforeMs, Math.min(dueBeforeMs, this.#options.forMs), connections);
  }

  /**
   * All the rest: nothing more will come. When k6 was cut off at `cutMs`, the iterations that were under way then are never told of, and whatever came behind the first of
   * them would get the due time of another: only what began so long before that all had ended which began with it, as far as iterations took till then, is kept.
   */
  takeAll(connections: number, cutMs?: number): Taken {
    if (cutMs !== undefined) this.#held = this.#held.filter(({ atMs }) => atMs < cutMs - this.#longestSeenMs);
    this.#release(Number.POSITIVE_INFINITY, true);
    return this.#options.recorder.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Math.max(this.#options.forMs, this.#lastDueMs + 100), connections);
  }

  #release(watermarkMs: number, isLast: boolean): void {
    this.#watermarkMs = watermarkMs;
    this.#held.sort((a, b) => a.atMs - b.atMs);
    if (this.#zeroMs === undefined && !this.#calibrate(watermarkMs, isLast)) return;
    const until = this.#held.findIndex(({ atMs }) => atMs >= watermarkMs);
    for (const event of this.#held.splice(0, until < 0 ? this.#held.length : until)) this.#record(event);
  }

  /** Answers whether k6's zero is known now. */
  #calibrate(watermarkMs: number, isLast: boolean): boolean {
    const first = this.#held[0];
    if (!first || (!isLast && watermarkMs < first.atMs + CALIBRATION_MS)) return false;
    let zeroMs = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#held) {
      if (atMs >= first.atMs + CALIBRATION_MS) break;
      const plannedMs = this.#options.schedule.take();
      if (plannedMs === undefined) break;
      this.#calibrated.push(plannedMs);
      zeroMs = Math.min(zeroMs, atMs - plannedMs);
    }
    if (!Number.isFinite(zeroMs)) return false;
    this.#zeroMs = zeroMs;
    return true;
  }

  #record({ atMs, endMs, series, failed }: Event): void {
    const dueMs = this.#dueOf(this.#calibrated.shift() ?? this.#options.schedule.take());
    if (dueMs === undefined) {
      this.surplus++;
      return;
    }
    const { recorder } = this.#options;
    this.#lastDueMs = dueMs;
    recorder.due(dueMs, series, Math.max(dueMs, atMs));
    if (failed === undefined) recorder.answered(dueMs, series, Math.max(dueMs, endMs), false);
    else recorder.failed(dueMs, series, Math.max(dueMs, endMs), failed);
  }

  /**
   * When what k6 planned for then was due. k6 begins its load some tenths of a millisecond beside time zero: what that pushes over an end of the
   * load is told as due on it, so that no window begins where there is no load.
   */
  #dueOf(plannedMs: number | undefined): number | undefined {
    if (plannedMs === undefined) return undefined;
    return Math.min(Math.max(0, plannedMs + (this.#zeroMs ?? 0)), this.#options.forMs - LAST_MS);
  }
}
