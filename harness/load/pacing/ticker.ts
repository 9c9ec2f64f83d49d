/**
 * Wakes the event loop at a moment to some tens of microseconds, without spinning until it: a thread of its own sleeps in the kernel (a futex with a timeout, good to the
 * kernel's timer slack of 50 us) and sends the loop a word; what is left then, the loop spins for.
 */
import { Worker } from 'node:worker_threads';
import { monotonicMs } from '../../core/clock.ts';
import type { Waker } from './waker.ts';

/** The thread aims so much before the moment: the slack of its own timer. The word itself takes 20 to 40 us. */
export const EARLY_MS = 0.05;
/** What is nearer than that is not worth a word to the thread and back. */
const NEAR_MS = 0.06;
/**
 * Wakings are at least so far apart: at 5,000/s, with 200 us between requests, each has its own; at 50,000/s, where each would take more
 * time than there is between two requests, five go out together, the first of them 100 us late.
 */
const APART_MS = 0.1;

/** What the two threads share: a number that is raised with each new moment (-1 is the end), and the moment. */
export interface TickerShared {
  readonly counter: SharedArrayBuffer;
  readonly moment: SharedArrayBuffer;
}

export class Ticker implements Waker {
  wake: () => void = () => undefined;
  readonly #shared: TickerShared = { counter: new SharedArrayBuffer(4), moment: new SharedArrayBuffer(8) };
  readonly #counter = new Int32Array(this.#shared.counter);
  readonly #moment = new Float64Array(this.#shared.moment);
  readonly #thread: Worker;
  #wanted = 0;
  #wokeMs = Number.NEGATIVE_INFINITY;
  readonly #finish = () => {
    const moment = this.#moment[0] as number;
    do this.#wokeMs = monotonicMs();
    while (this.#wokeMs < moment);
    this.wake();
  };

  constructor() {
    this.#thread = new Worker(new URL('./ticker-thread.ts', import.meta.url), { workerData: this.#shared });
    this.#thread.on('message', (wanted: number) => {
      // A word about a moment that another one has replaced since.
      if (wanted === this.#wanted) this.#finish();
    });
  }

  sleepUntil(clockMs: number): void {
    const moment = Math.max(clockMs, this.#wokeMs + APART_MS);
    this.#moment[0] = moment;
    this.#wanted++;
    if (moment - monotonicMs() < NEAR_MS) {
      // Sockets are read before.
      setImmediate(this.#finish);
      return;
    }
    Atomics.store(this.#counter, 0, this.#wanted);
    Atomics.notify(this.#counter, 0);
  }

  close(): void {
    Atomics.store(this.#counter, 0, -1);
    Atomics.notify(this.#counter, 0);
  }
}
