/**
 * All requests of a client that have not ended: who waits for a connection, who is under way, who is to be tried again, and how each of them ends.
 *
 * What is due expires at its deadline and what is under way at its timeout; both bounds are the same for all, so that the next to expire is always the first of its list.
 */
import type { ErrorKind } from '../../timeline/types.ts';
import { Agenda } from '../agenda.ts';
import type { Outcomes } from '../carrier.ts';
import type { Connection } from './connection.ts';
import { type Request, RequestList, RequestStock } from './request.ts';
import type { Retries } from './retry.ts';

export interface BookOptions {
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly retries: Retries | undefined;
  /** A request is to be tried again now: it stands in no list and on no connection. */
  readonly again: (request: Request) => void;
}

export class Book {
  readonly #options: BookOptions;
  readonly #stock = new RequestStock();
  /** Without a connection, by due. */
  readonly waiting = new RequestList();
  /** A worker's, in the line of its own connection that rests or is full; by due, as far as workers are. */
  readonly waitingForOwn = new RequestList();
  /** Connecting or sent, by `sinceMs`. */
  readonly #inFlight = new RequestList();
  readonly #toRetry = new Agenda<Request>();
  #underWay = 0;
  outcomes: Outcomes;

  constructor(options: BookOptions, outcomes: Outcomes) {
    this.#options = options;
    this.outcomes = outcomes;
  }

  /** Requests that have not ended. */
  get underWay(): number {
    return this.#underWay;
  }

  /** The one that is under way longest, if its timeout is over. */
  expired(nowMs: number): Request | undefined {
    const { first } = this.#inFlight;
    return first && first.sinceMs + this.#options.timeoutMs <= nowMs ? first : undefined;
  }

  enter(dueMs: number, operation: number, key: number, worker: number): Request {
    this.#underWay++;
    this.#options.retries?.earn();
    return this.#stock.take(dueMs, operation, key, worker);
  }

  /** Stands for connecting itself where no request waits for it, so that it expires like one. */
  enterOpener(slot: Connection, nowMs: number): void {
    slot.opener = this.#stock.take(nowMs, 0, 0, -1);
    slot.opener.connection = slot;
    this.begin(slot.opener, nowMs);
  }

  strikeOpener(slot: Connection): void {
    const { opener } = slot;
    if (!opener) return;
    slot.opener = undefined;
    opener.connection = undefined;
    this.#inFlight.remove(opener);
    this.#stock.giveBack(opener);
  }

  /** Its connecting or its sending begins, and with that its timeout. */
  begin(request: Request, nowMs: number): void {
    request.list?.remove(request);
    request.sinceMs = nowMs;
    this.#inFlight.push(request);
  }

  /** It was written to its connection. */
  sent(request: Request, nowMs: number): void {
    if (request.list === this.waitingForOwn) this.begin(request, nowMs);
    this.outcomes.sent(nowMs);
  }

  /** Its answer was read. */
  answered(request: Request, nowMs: number, miss: boolean): void {
    const { dueMs, operation, key, worker } = request;
    this.#inFlight.remove(request);
    this.#underWay--;
    // First given back, since being told of an answer can lead to the next request.
    this.#stock.giveBack(request);
    this.outcomes.answered(dueMs, operation, key, nowMs, miss, worker);
  }

  /** Its try has failed, and it is out of its connection's line. */
  failed(request: Request, nowMs: number, kind: ErrorKind): void {
    request.list?.remove(request);
    request.failures++;
    request.lastFailure = kind;
    const waitMs = this.#options.retries?.waitMs(kind, request.failures, request.dueMs + this.#options.deadlineMs - nowMs);
    if (waitMs === undefined) this.#end(request, nowMs, kind);
    else if (waitMs > 0) this.#toRetry.add(nowMs + waitMs, request);
    else this.#options.again(request);
  }

  /** It has timed out and its connection is kept: it stays in the line there until its answer was read, and ends, or is tried again, as a twin. */
  giveUp(request: Request, nowMs: number): void {
    this.#inFlight.remove(request);
    request.isGivenUp = true;
    const twin = this.#stock.take(request.dueMs, request.operation, request.key, request.worker);
    twin.failures = request.failures;
    this.failed(twin, nowMs, 'timeout');
  }

  /** A request that was given up has left its connection's line. */
  strike(request: Request): void {
    this.#stock.giveBack(request);
  }

  /** Ends what still waits at its deadline. */
  abandon(nowMs: number): void {
    for (const list of [this.waiting, this.waitingForOwn]) {
      for (let first = list.first; first && first.dueMs + this.#options.deadlineMs <= nowMs; first = list.first) {
        list.remove(first);
        first.connection?.withdraw(first);
        // Who was sent before and waited for another try failed by what that try came to.
        this.#end(first, nowMs, first.lastFailure);
      }
    }
  }

  /** Tries those again that have waited for it. */
  retryDue(nowMs: number): void {
    for (let request = this.#toRetry.take(nowMs); request; request = this.#toRetry.take(nowMs)) this.#options.again(request);
  }

  /** When a request is to be abandoned, has timed out, or is to be tried again; infinite when none is. */
  nextExpiryMs(): number {
    const { deadlineMs, timeoutMs } = this.#options;
    const oldestDueMs = Math.min(this.waiting.first?.dueMs ?? Number.POSITIVE_INFINITY, this.waitingForOwn.first?.dueMs ?? Number.POSITIVE_INFINITY);
    const oldestSinceMs = this.#inFlight.first?.sinceMs ?? Number.POSITIVE_INFINITY;
    return Math.min(oldestDueMs + deadlineMs, oldestSinceMs + timeoutMs, this.#toRetry.nextMs);
  }

  #end(request: Request, nowMs: number, kind: ErrorKind): void {
    const { dueMs, operation, key, worker } = request;
    this.#underWay--;
    this.#stock.giveBack(request);
    this.outcomes.failed(dueMs, operation, key, nowMs, kind, worker);
  }
}
