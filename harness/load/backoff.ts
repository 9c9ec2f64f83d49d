/**
 * Connections that rest after a failure before they may connect again: exponentially longer with each failure in a row.
 */
import type { Random } from '../core/random.ts';
import { type Connection, ConnectionList } from './connection.ts';

export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
  /** Full jitter: rest for a time drawn evenly between zero and what it would be without. */
  readonly jitter: boolean;
}

/** How long to rest after this many failures before the present one, ms. */
export function restMs({ firstMs, mostMs, jitter }: Backoff, failuresBefore: number, random: Random): number {
  const fullMs = Math.min(mostMs, firstMs * 2 ** failuresBefore);
  return jitter ? random.next() * fullMs : fullMs;
}

export class RestingConnections {
  readonly #list = new ConnectionList();
  #nextMs = Number.POSITIVE_INFINITY;

  /** When the first of them has rested; infinite when there is none. */
  get nextMs(): number {
    return this.#nextMs;
  }

  add(connection: Connection, untilMs: number): void {
    connection.state = 'resting';
    connection.restsUntilMs = untilMs;
    this.#list.push(connection);
    this.#nextMs = Math.min(this.#nextMs, untilMs);
  }

  /** Hands over those who have rested by `nowMs`. Rests differ in length, so all are looked at: once per rest that ends, not once per request. */
  wake(nowMs: number, close: (connection: Connection) => void): void {
    if (this.#nextMs > nowMs) return;
    this.#nextMs = Number.POSITIVE_INFINITY;
    for (let resting = this.#list.first, next: Connection | undefined; resting; resting = next) {
      next = resting.after;
      if (resting.restsUntilMs <= nowMs) close(resting);
      else this.#nextMs = Math.min(this.#nextMs, resting.restsUntilMs);
    }
  }
}
