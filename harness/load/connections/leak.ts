/**
 * A leak: connections that are opened at a rate and never closed, not even when the far end closes them, so that its FIN is never answered: this end stays in
 * CLOSE_WAIT, and the far end in FIN_WAIT2 for as long as its kernel has patience (60 s on Linux, once it has closed the descriptor).
 */
import { type Behaviour, opening } from './behaviour.ts';

export interface LeakOptions {
  readonly atMs: number;
  readonly ratePerSecond: number;
  /** Then no more are opened. */
  readonly most: number;
}

export function leak({ most, ...options }: LeakOptions): Behaviour {
  return {
    ...opening({ ...options, count: most, openingAtOnce: 1 }),
    // It is of no use any more, and its descriptor stays.
    closedByPeer: () => undefined,
  };
}
