/** Churn: connect, ask once, close, at a rate; what a client does that has no pool. */
import { type Behaviour, opening } from './behaviour.ts';

export interface ChurnOptions {
  readonly atMs: number;
  readonly ratePerSecond: number;
}

export function churn(options: ChurnOptions): Behaviour {
  return {
    ...opening({ ...options, count: Number.POSITIVE_INFINITY, openingAtOnce: 1 }),
    answered: (connection) => connection.leave(),
  };
}
