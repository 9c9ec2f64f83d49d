/**
 * Closed loop: so many workers, each of which asks, waits until its requests have ended, thinks, and asks again: what the threads of an application do.
 *
 * A stall stops the workers that it meets, so fewer requests fall due while it lasts than in an open loop, and the latencies of those that were
 * never asked are missing (coordinated omission). That is true to a fixed crowd of workers, and wrong for users who come from
 * outside: those are an open loop's.
 */
import type { Random } from '../../core/random.ts';
import { Agenda } from '../agenda.ts';
import type { Demand } from './demand.ts';
import { Turns } from './turns.ts';

export interface WorkersOptions {
  readonly workers: number;
  /** Requests that a worker asks at once; it goes on when all have ended. */
  readonly batch: number;
  /** From the end of a worker's last request to its next. */
  readonly thinkMs: number;
  /** Each think drawn from an exponential distribution with that mean. Without, all are the same length. */
  readonly jitter: boolean;
  /** Nothing falls due from then on, ms since time zero. */
  readonly forMs: number;
  readonly random: Random;
}

export class Workers implements Demand {
  readonly #options: WorkersOptions;
  /** Who is due when. Thinks of one length end in the order in which they began, so that a line will do. */
  readonly #agenda: Agenda<number> | Turns;
  /** Requests of each worker that have not ended. */
  readonly #underWay: Uint32Array;
  /** Workers that will ask again. */
  #active: number;
  /** Of the batch of the worker that is due, what it has not asked yet. */
  #left = 0;
  #due = 0;
  #worker = 0;
  #isStopped = false;

  /** Workers begin one after the other over the length of one think, as they would have come by and by. */
  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#agenda = options.jitter ? new Agenda() : new Turns(options.workers);
    this.#underWay = new Uint32Array(options.workers);
    this.#active = 0;
    for (let worker = 0; worker < options.workers; worker++) this.#enter((options.thinkMs * worker) / options.workers, worker);
  }

  get nextDueMs(): number {
    return this.#left > 0 ? this.#due : this.#agenda.nextMs;
  }

  get isOver(): boolean {
    return this.#active === 0;
  }

  take(): number {
    if (this.#left === 0) {
      this.#due = this.#agenda.nextMs;
      this.#left = this.#options.batch;
      this.#worker = this.#agenda.take(this.#due) as number;
    }
    this.#left--;
    this.#underWay[this.#worker] = (this.#underWay[this.#worker] as number) + 1;
    return this.#worker;
  }

  ended(worker: number, endedMs: number): void {
    const left = (this.#underWay[worker] as number) - 1;
    this.#underWay[worker] = left;
    if (left > 0 || (this.#left > 0 && worker === this.#worker)) return;
    this.#active--;
    const { thinkMs, jitter, random } = this.#options;
    this.#enter(endedMs + (jitter ? -Math.log1p(-random.next()) * thinkMs : thinkMs), worker);
  }

  stop(): void {
    this.#isStopped = true;
    // Half a batch, and what was asked of it has ended.
    if (this.#left > 0 && this.#underWay[this.#worker] === 0) this.#active--;
    this.#left = 0;
    while (this.#agenda.take(Number.POSITIVE_INFINITY) !== undefined) this.#active--;
  }

  #enter(dueMs: number, worker: number): void {
    if (this.#isStopped || dueMs >= this.#options.forMs) return;
    this.#active++;
    this.#agenda.add(dueMs, worker);
  }
}
