/** What a flood of connections does with them, as data that the program which floods is told. */

export type FloodForm =
  /** So many connections that stay: idle; with answers that are never read; with a byte of a question each `everyMs`. As fast as they are answered, where no rate is given. */
  | { readonly kind: 'idle' | 'never-reading'; readonly connections: number; readonly ratePerSecond?: number }
  | { readonly kind: 'slow-sender'; readonly connections: number; readonly ratePerSecond?: number; readonly everyMs: number }
  /** So many that close and come again, all in one moment, each `everyMs`. */
  | { readonly kind: 'herd'; readonly connections: number; readonly everyMs: number }
  /** So many a second, each for one question: closed when it is answered, or half closed (FIN) when it is asked. */
  | { readonly kind: 'churn' | 'half-closed'; readonly ratePerSecond: number };
