/**
 * What the program beside k6 is told in its first line, written by `../index.ts` and read by `main.ts` inside the container.
 */
import { InputError } from '../../../harness/core/errors.ts';
import type { Hold, Ramp } from '../../../harness/load/demand/arrivals.ts';

/** What k6's arrival-rate executors can plan. */
export type K6Segment = Hold | Ramp;

export interface K6Settings {
  /** ip:port of the first hop. */
  readonly entry: string;
  /** The scripts' texts, by path; `script` is the one that k6 runs, the others are what it imports. */
  readonly files: Readonly<Record<string, string>>;
  readonly script: string;
  readonly segments: readonly K6Segment[];
  readonly preAllocatedVUs: number;
  readonly maxVUs: number;
  readonly deadlineMs: number;
  /** The longest that a request may take, and the longest that an iteration may. */
  readonly timeoutMs: number;
  readonly longestMs: number;
  /** Beside `OTHER`: what an iteration can be counted as, by a tag of its requests. */
  readonly operations: readonly string[];
  readonly shard: string;
  readonly tenant: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The run's seed, and how long the load lasts: added when the load is started, for k6's options are fixed before it starts. */
  readonly seed?: number;
  readonly forMs?: number;
}

/** The operation of iterations without a tag, and of those that k6 dropped: what they would have done is not known. */
export const OTHER = 'iteration';

/** Settings that are whole. They come from our own builder: only what is added on the way is checked again. Throws InputError. */
export function settingsOf(value: unknown): K6Settings & { readonly seed: number; readonly forMs: number } {
  const settings = value as K6Settings;
  if (!/^[0-9a-f.:[\]]+:\d{1,5}$/i.test(settings.entry)) throw new InputError(`settings.entry: '${settings.entry}' is not an address; write ip:port`);
  const { seed = 0, forMs } = settings;
  if (!(forMs !== undefined && forMs > 0)) throw new InputError(`settings.forMs: ${String(forMs)} is not allowed; write how long the load lasts, ms`);
  return { ...settings, seed, forMs };
}
