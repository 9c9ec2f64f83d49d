/**
 * Connections that ask for large values again and again and never read: each is answered once, so that it counts, and then asks `asks` times more with nobody
 * reading. The far end's send buffer and this end's receive buffer fill, and what the far end cannot send it has to hold or to stop for.
 *
 * Linux lets a send buffer grow to 4 MiB and a receive buffer that nobody reads from stay at some 64 kB, so 16 values of 1 MB are more than fits.
 */
import { type Behaviour, type Opening, opening } from './behaviour.ts';

export interface NeverReadingOptions extends Opening {
  /** Requests that each sends after the one that was answered. */
  readonly asks: number;
}

export function neverReading({ asks, ...options }: NeverReadingOptions): Behaviour {
  return {
    ...opening(options),
    answered: (connection) => {
      connection.stopReading();
      for (let n = 0; n < asks; n++) connection.ask();
    },
  };
}
