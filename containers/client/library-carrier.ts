/**
 * Carries the requests of a load by the library of an application, in place of our own pool of connections.
 *
 * What the library does by itself (its pool, its timeouts, its retries) is its own behaviour and part of what is measured. It is asked as
 * soon as a request is due, so nothing ever waits here and nothing is abandoned. A request that it has not answered within the timeout,
 * counted from asking, is given up as an application would that waits no longer; what the library says of it later is not heard.
 */
import type { Carrier, Outcomes } from '../../harness/load/carrier.ts';
import type { ErrorKind } from '../../harness/timeline/types.ts';
import type { SocketEvents, SocketWatch } from './library-sockets.ts';

/** How a library says that a request has ended: with a correct answer, or by failing. */
export type Ending = 'hit' | 'miss' | 'done' | ErrorKind;
export type Ended = (ending: Ending) => void;

/** A library as the carrier uses it. `ended` may be called at once, late, twice or never. */
export interface Library {
  /** A value of another length is 'garbled'. */
  get(key: string, bytes: number, ended: Ended): void;
  set(key: string, bytes: number, ended: Ended): void;
  /** Closes its connections in its own way. */
  close(): void;
}

export interface LibraryCarrierOptions {
  /** Makes the library, and sees to it that its connections are watched. */
  readonly open: (events: SocketEvents) => { readonly library: Library; readonly sockets: SocketWatch };
  readonly keyName: (key: number) => string;
  /** How long the value of a key is, bytes. */
  readonly sizes: (key: number) => number;
  /** The workload's number of `get`; the other one is `set`. */
  readonly getOperation: number;
  readonly timeoutMs: number;
}

interface Asked {
  readonly dueMs: number;
  readonly operation: number;
  readonly key: number;
  readonly sinceMs: number;
  isOver: boolean;
}

/** So many requests that are over may lie at the front of the list before it is shortened. */
const SHORTEN_AT = 1_024;

export class LibraryCarrier implements Carrier {
  readonly #options: LibraryCarrierOptions;
  readonly #library: Library;
  readonly #sockets: SocketWatch;
  #clock: () => number;
  #outcomes: Outcomes;
  /** In the order of asking, which is that of expiring; those before `#first` are over, and some behind it. */
  #asked: Asked[] = [];
  #first = 0;
  #underWay = 0;
  #isClosed = false;

  constructor(options: LibraryCarrierOptions, clock: () => number, outcomes: Outcomes) {
    this.#options = options;
    this.#clock = clock;
    this.#outcomes = outcomes;
    const { library, sockets } = options.open({
      connected: () => this.#outcomes.connected(this.#clock()),
      sent: () => this.#outcomes.sent(this.#clock()),
      shortOf: (code) => this.#outcomes.shortOf(code),
    });
    this.#library = library;
    this.#sockets = sockets;
  }

  get open(): number {
    return this.#sockets.open;
  }

  get underWay(): number {
    return this.#underWay;
  }

  offer(dueMs: number, operation: number, key: number): void {
    const asked: Asked = { dueMs, operation, key, sinceMs: this.#clock(), isOver: false };
    this.#asked.push(asked);
    this.#underWay++;
    const { keyName, sizes, getOperation } = this.#options;
    const ended: Ended = (ending) => this.#end(asked, ending);
    if (operation === getOperation) this.#library.get(keyName(key), sizes(key), ended);
    else this.#library.set(keyName(key), sizes(key), ended);
  }

  /** The library sends when it is asked. */
  flush(): void {
    return;
  }

  nextExpiryMs(): number {
    const first = this.#firstUnderWay();
    return first ? first.sinceMs + this.#options.timeoutMs : Number.POSITIVE_INFINITY;
  }

  sweep(): void {
    const expiredMs = this.#clock() - this.#options.timeoutMs;
    for (let first = this.#firstUnderWay(); first && first.sinceMs <= expiredMs; first = this.#firstUnderWay()) this.#end(first, 'timeout');
  }

  handOver(clock: () => number, outcomes: Outcomes): void {
    this.#clock = clock;
    this.#outcomes = outcomes;
  }

  close(): void {
    this.#isClosed = true;
    this.#asked = [];
    this.#first = 0;
    this.#underWay = 0;
    this.#library.close();
    this.#sockets.close();
  }

  #end(asked: Asked, ending: Ending): void {
    if (asked.isOver || this.#isClosed) return;
    asked.isOver = true;
    this.#underWay--;
    const { dueMs, operation, key } = asked;
    const nowMs = this.#clock();
    if (ending === 'hit' || ending === 'miss' || ending === 'done') this.#outcomes.answered(dueMs, operation, key, nowMs, ending === 'miss');
    else this.#outcomes.failed(dueMs, operation, key, nowMs, ending);
  }

  #firstUnderWay(): Asked | undefined {
    while (this.#asked[this.#first]?.isOver) this.#first++;
    if (this.#first >= SHORTEN_AT) {
      this.#asked = this.#asked.slice(this.#first);
      this.#first = 0;
    }
    return this.#asked[this.#first];
  }
}
