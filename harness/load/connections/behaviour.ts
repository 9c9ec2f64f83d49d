/**
 * What a load of connections does with them: the plug of the connection engine. The engine opens a connection for each attempt that falls due, tells it
 * and records it; a behaviour says when attempts fall due and what becomes of the connections. Times are ms since time zero.
 */
import type { Connection } from './connection.ts';

/**
 * How a connection came to its end.
 * - `failed`: before its first request was answered.
 * - `left`: closed by this end.
 * - `fin`, `rst`: closed or reset by the far end. `garbled`: bytes came that were no answer, and this end closed it.
 */
export type End = 'failed' | 'left' | 'fin' | 'rst' | 'garbled';

export interface Behaviour {
  /** When the next attempt falls due, with so many that have begun and not ended; infinite while none is known. Never before what it has said already. */
  nextDueMs(nowMs: number, underWay: number): number;
  /** Goes on behind the attempt that is due next; answers with whose it is, a number of the behaviour's own. */
  take(): number;
  /** Before each look at what is due: does what was planned up to this moment. */
  turn?(untilMs: number): void;
  /** It is connected: asks its first request. Where it is left out, at once. */
  connected?(connection: Connection, nowMs: number): void;
  /** A request of it was answered. Where it is left out, it is kept, idle. */
  answered?(connection: Connection, nowMs: number): void;
  /** The moment came that it asked for with `stepAt`. */
  step?(connection: Connection, nowMs: number): void;
  /** The far end has closed it after it was answered. Where it is left out, this end closes it, too. */
  closedByPeer?(connection: Connection): void;
  /** It is at its end. */
  ended?(connection: Connection, nowMs: number, how: End): void;
}

/** How connections are opened, one attempt each, and no attempt twice. */
export interface Opening {
  /** When the first is due, ms. */
  readonly atMs: number;
  /** How many: 1 or more. */
  readonly count: number;
  /** Open loop: attempt n (from 0) is due n x 1000 / rate ms after the first, whatever is answered. Without it, as fast as they are answered. */
  readonly ratePerSecond?: number;
  /** Without a rate: the most attempts that are under way at once; the next is due when one has ended. */
  readonly openingAtOnce: number;
}

/** The part of a behaviour that opens connections one after the other. */
export function opening({ atMs, count, ratePerSecond, openingAtOnce }: Opening): Pick<Behaviour, 'nextDueMs' | 'take'> {
  let taken = 0;
  return {
    nextDueMs: (nowMs, underWay) => {
      if (taken === count) return Number.POSITIVE_INFINITY;
      if (ratePerSecond !== undefined) return atMs + (taken * 1_000) / ratePerSecond;
      return underWay < openingAtOnce ? Math.max(atMs, nowMs) : Number.POSITIVE_INFINITY;
    },
    take: () => taken++,
  };
}
