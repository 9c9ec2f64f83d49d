/**
 * Whether and when a failed request is tried again: what a client library does by its policy.
 *
 * A retry is paid for with load: in an outage, three tries are three times the load on a system that has just shown that it cannot bear it once. A budget bounds
 * that: each new request earns a share of a retry (10%, say), each retry costs one, so that retries add at most that share
 * to the load, however much fails (Twitter's Finagle and gRPC's retry throttling work like this).
 */
import type { Random } from '../../core/random.ts';
import type { ErrorKind } from '../../timeline/types.ts';

export interface Retry {
  /** Tries in all, the first included. */
  readonly tries: number;
  /** Before the n-th retry: nothing, always `firstMs`, or drawn evenly between zero and `firstMs` x 2^(n-1), at most `mostMs` (full jitter). */
  readonly wait: 'none' | 'fixed' | 'full-jitter';
  readonly firstMs: number;
  readonly mostMs: number;
  /** Retries earned by each new request; without it there is no budget. */
  readonly budgetShare?: number;
}

/** Saved up at most, and there from the start: enough for the first failures of a quiet client. */
const MOST_SAVED = 10;

/** What is not worth another try: nobody was asked yet, or its time is over. */
const FINAL: ReadonlySet<ErrorKind> = new Set(['abandoned', 'dropped']);

export class Retries {
  readonly #policy: Retry;
  readonly #random: Random;
  #saved = MOST_SAVED;

  constructor(policy: Retry, random: Random) {
    this.#policy = policy;
    this.#random = random;
  }

  /** A new request is due. */
  earn(): void {
    const { budgetShare } = this.#policy;
    if (budgetShare !== undefined) this.#saved = Math.min(MOST_SAVED, this.#saved + budgetShare);
  }

  /** How long to wait before the next try of a request that has now failed so often and has `leftMs` to its deadline, ms; undefined when there is none. */
  waitMs(kind: ErrorKind, failures: number, leftMs: number): number | undefined {
    const { tries, budgetShare } = this.#policy;
    if (FINAL.has(kind) || failures >= tries) return undefined;
    const waitMs = this.#drawWaitMs(failures);
    if (waitMs >= leftMs) return undefined;
    if (budgetShare !== undefined) {
      if (this.#saved < 1) return undefined;
      this.#saved--;
    }
    return waitMs;
  }

  #drawWaitMs(failures: number): number {
    const { wait, firstMs, mostMs } = this.#policy;
    if (wait === 'none') return 0;
    if (wait === 'fixed') return firstMs;
    return this.#random.next() * Math.min(mostMs, firstMs * 2 ** (failures - 1));
  }
}
