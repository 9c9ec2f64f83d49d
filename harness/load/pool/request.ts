/**
 * One request on its way, and lists of such requests.
 *
 * Requests are used again when they have ended, so that a million of them a second make no garbage. Each stands in one list at a time (it waits
 * for a connection, or it is under way), and beside that in the line of the connection that carries it; both are linked through the requests
 * themselves: moving one costs a few assignments and no memory.
 */
import type { ErrorKind } from '../../timeline/types.ts';
import type { Connection } from './connection.ts';

export class Request {
  /** When it was due, on the carrier's clock. */
  dueMs = 0;
  /** Numbers of the workload. */
  operation = 0;
  key = 0;
  /** Who asks, for requests that belong to one worker; -1 for all others. */
  worker = -1;
  /** Tries that have failed before this one. */
  failures = 0;
  /** Why the last of them failed. */
  lastFailure: ErrorKind = 'abandoned';
  /** When it was sent or, if it had to connect first, when that began. */
  sinceMs = 0;
  /** Ended for whoever asked, but its answer has not been read yet. */
  isGivenUp = false;

  /** The connection that carries it, and the request behind it there. */
  connection: Connection | undefined = undefined;
  behind: Request | undefined = undefined;

  list: RequestList | undefined = undefined;
  before: Request | undefined = undefined;
  after: Request | undefined = undefined;
}

/** First in, first out, with removal from anywhere. */
export class RequestList {
  first: Request | undefined = undefined;
  #last: Request | undefined = undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Puts a request, which is in no list, at the end. */
  push(request: Request): void {
    this.#insert(request, this.#last);
  }

  /** Puts a request, which is in no list, in front of the first that was due later. Sought from both ends: cheap for one that is older than most, and for a new one. */
  insertByDue(request: Request): void {
    let later = this.first;
    let earlier = this.#last;
    for (;;) {
      if (!later || later.dueMs > request.dueMs) {
        this.#insert(request, later ? later.before : this.#last);
        return;
      }
      if (!earlier || earlier.dueMs <= request.dueMs) {
        this.#insert(request, earlier);
        return;
      }
      later = later.after;
      earlier = earlier.before;
    }
  }

  remove(request: Request): void {
    if (request.before) request.before.after = request.after;
    else this.first = request.after;
    if (request.after) request.after.before = request.before;
    else this.#last = request.before;
    request.before = undefined;
    request.after = undefined;
    request.list = undefined;
    this.#size--;
  }

  #insert(request: Request, before: Request | undefined): void {
    const after = before ? before.after : this.first;
    request.list = this;
    request.before = before;
    request.after = after;
    if (before) before.after = request;
    else this.first = request;
    if (after) after.before = request;
    else this.#last = request;
    this.#size++;
  }
}

/** Requests that have ended and can be used again. It grows to the most that were ever under way at once. */
export class RequestStock {
  readonly #free: Request[] = [];

  take(dueMs: number, operation: number, key: number, worker: number): Request {
    const request = this.#free.pop() ?? new Request();
    request.dueMs = dueMs;
    request.operation = operation;
    request.key = key;
    request.worker = worker;
    request.failures = 0;
    request.lastFailure = 'abandoned';
    request.isGivenUp = false;
    return request;
  }

  /** Takes a request back that is in no list and on no connection. */
  giveBack(request: Request): void {
    this.#free.push(request);
  }
}
