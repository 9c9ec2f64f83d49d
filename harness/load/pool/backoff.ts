/** How long a connection rests after a failure before it may connect again: exponentially longer with each failure in a row. */
import type { Random } from '../../core/random.ts';

export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
  /** Full jitter: rest for a time drawn evenly between zero and what it would be without. Without jitter, clients that fail together return together. */
  readonly jitter: boolean;
}

/** How long to rest after this many failures before the present one, ms. */
export function restMs({ firstMs, mostMs, jitter }: Backoff, failuresBefore: number, random: Random): number {
  const fullMs = Math.min(mostMs, firstMs * 2 ** failuresBefore);
  return jitter ? random.next() * fullMs : fullMs;
}
