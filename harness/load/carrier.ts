/**
 * What carries requests to the system under test: our own pool of connections, or the library of an application. The engine says
 * when requests are due, a carrier gets them answered, and nobody else knows how.
 */
import type { ErrorKind } from '../timeline/types.ts';

/** Is told how every request ended; each ends exactly once. Times are of the carrier's clock, ms. `worker` is there for requests of one worker. */
export interface Outcomes {
  answered(dueMs: number, operation: number, key: number, endedMs: number, miss: boolean, worker?: number): void;
  failed(dueMs: number, operation: number, key: number, endedMs: number, kind: ErrorKind, worker?: number): void;
  /** A request was sent, or sent again. */
  sent(atMs: number): void;
  /** A connection was opened. */
  connected(atMs: number): void;
  /** This machine, not the system under test, could not open a connection: a code such as EMFILE. */
  shortOf(code: string): void;
}

export interface Carrier {
  /** Connections that are open. */
  readonly open: number;
  /** Requests that have not ended. */
  readonly underWay: number;
  /** Carries out a request that is due. */
  offer(dueMs: number, operation: number, key: number): void;
  /** Sends what was offered and still lies here, so that requests that are due together travel together. */
  flush(): void;
  /** When `sweep` has something to do next; infinite when nothing can expire. */
  nextExpiryMs(): number;
  /** Gives up what has expired, and lets those go on that have rested. */
  sweep(): void;
  /** The load begins: from now on connections are used as they are to be, where that is otherwise than kept. */
  begin?(): void;
  /** Goes on with another clock and for another listener; no request may be under way. */
  handOver(clock: () => number, outcomes: Outcomes): void;
  /** Closes all connections. Requests under way end untold. */
  close(): void;
}
