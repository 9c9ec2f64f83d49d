/**
 * Puts the samples of an iteration together: it is what k6 starts when something is due, so it is what counts as a request here, however many
 * HTTP requests its script makes.
 *
 * An iteration is answered when the last of its requests was, not when the script's function returns: what a script does or sleeps behind its last
 * answer is no part of the service. It has failed when one of its requests has, as the first one that did, or when a check of the script did not hold: an
 * answer that the script does not accept is no answer (`garbled`).
 */
import type { ErrorKind } from '../../../harness/timeline/types.ts';
import { failureOf, isScriptsFault } from './outcome.ts';
import type { Sample } from './samples.ts';

/** Times are of k6's wall clock, ms. */
export interface Iteration {
  readonly startMs: number;
  readonly endMs: number;
  readonly operation: string;
  /** Absent when it was answered. */
  readonly failed?: ErrorKind;
}

export interface Listener {
  ended(iteration: Iteration): void;
  dropped(atMs: number): void;
  /** A request was sent, or a connection opened. */
  sent(atMs: number): void;
  connected(atMs: number): void;
  /** The script is at fault, in one line: the load cannot be judged. */
  trouble(why: string): void;
}

export interface IterationRules {
  /** The operations that a tag of the script may name, and the one of iterations without a tag. */
  readonly operations: readonly string[];
  readonly other: string;
  readonly timeoutMs: number;
}

/** What is known of the iteration that a VU is in. */
interface UnderWay {
  requests: number;
  /** When the last request was sent, and when the last answer came. */
  sentMs: number;
  endMs: number;
  operation: string | undefined;
  failed: ErrorKind | undefined;
}

/**
 * A request that was to be given up after its timeout may take half as long again, and 0.25 s, on a machine that is busy; longer, and the script
 * did not hand the timeout on.
 */
const TIMEOUT_TOLERANCE = 1.5;
const TIMEOUT_TOLERANCE_MS = 250;

export class Iterations {
  readonly #rules: IterationRules;
  readonly #listener: Listener;
  readonly #byVu = new Map<number, UnderWay>();
  readonly #connected = new Set<number>();

  constructor(rules: IterationRules, listener: Listener) {
    this.#rules = rules;
    this.#listener = listener;
  }

  /** VUs that have a connection of their own, as far as their last request shows. */
  get connections(): number {
    return this.#connected.size;
  }

  /** Iterations that have made a request and were not seen to end. */
  get underWay(): number {
    return this.#byVu.size;
  }

  take(sample: Sample): void {
    switch (sample.kind) {
      case 'request':
        this.#request(sample);
        break;
      case 'connect':
        // Told right behind the request that it was opened for.
        this.#listener.connected(this.#at(sample.vu).sentMs);
        break;
      case 'unchecked':
        this.#at(sample.vu).failed ??= 'garbled';
        break;
      case 'iteration':
        this.#iteration(sample);
        break;
      case 'dropped':
        this.#listener.dropped(sample.atMs);
    }
  }

  #request(request: Sample & { kind: 'request' }): void {
    const { vu, endMs, tookMs, operation } = request;
    const { operations, timeoutMs } = this.#rules;
    const failed = failureOf(request);
    const underWay = this.#at(vu);
    underWay.requests++;
    underWay.sentMs = endMs - tookMs;
    underWay.endMs = Math.max(underWay.endMs, endMs);
    underWay.failed ??= failed;
    underWay.operation ??= operation;
    if (failed === undefined || failed === 'server') this.#connected.add(vu);
    else this.#connected.delete(vu);
    this.#listener.sent(underWay.sentMs);
    if (isScriptsFault(request)) this.#listener.trouble(`the script asked for what cannot be asked for: ${request.error}`);
    if (operation !== undefined && !operations.includes(operation))
      this.#listener.trouble(
        `a request has the tag operation '${operation}', which k6Load does not know; known: ${operations.length > 0 ? operations.join(', ') : 'none (write operations: [...])'}`,
      );
    if (tookMs > timeoutMs * TIMEOUT_TOLERANCE + TIMEOUT_TOLERANCE_MS)
      this.#listener.trouble(
        `a request took ${Math.round(tookMs)} ms, and its timeout is ${timeoutMs} ms: the script must hand it on, as http.get(url, { timeout: __ENV.TIMEOUT })`,
      );
  }

  #iteration({ vu, endMs, tookMs }: Sample & { kind: 'iteration' }): void {
    const startMs = endMs - tookMs;
    const underWay = this.#byVu.get(vu);
    this.#byVu.delete(vu);
    if (!underWay || underWay.requests === 0) {
      this.#listener.trouble('an iteration of the script made no HTTP request, so nothing is known of the service');
      return;
    }
    const { operation = this.#rules.other, failed } = underWay;
    this.#listener.ended({ startMs, endMs: underWay.endMs, operation, ...(failed === undefined ? {} : { failed }) });
  }

  #at(vu: number): UnderWay {
    let underWay = this.#byVu.get(vu);
    if (!underWay) {
      underWay = { requests: 0, sentMs: 0, endMs: 0, operation: undefined, failed: undefined };
      this.#byVu.set(vu, underWay);
    }
    return underWay;
  }
}
