/**
 * Before the load: all connections open and all keys filled, over the same connections and by the same rules as the load itself. What fails is
 * tried again until the time is over, since a cluster that has just started may refuse for a moment; what did not come about by then is
 * told in one line.
 */
import { monotonicMs } from '../core/clock.ts';
import { EnvironmentError } from '../core/errors.ts';
import type { ErrorKind } from '../timeline/types.ts';
import { Pool } from './pool/pool.ts';
import type { PoolOptions } from './pool/pool-options.ts';
import type { Workload } from './protocol.ts';
import { rehearsalLimitMs } from './rehearsal.ts';

/** Connecting, and keys at a rate that a path of proxies takes even on a busy machine: 10,000 a second. */
export function warmUpLimitMs(keys: number): number {
  return 10_000 + keys / 10;
}

/** The longest that a load takes from its start to being ready: keys and connections, a rehearsal, and what that has lost opened again. */
export function prepareLimitMs(keys: number, longestRequestMs: number): number {
  return warmUpLimitMs(keys) + rehearsalLimitMs(longestRequestMs) + REOPEN_WITHIN_MS;
}

/** How often failed requests are offered again and expired ones swept. */
const TURN_MS = 5;

/** A system that lost connections in a rehearsal has this long to take them again. */
const REOPEN_WITHIN_MS = 3_000;

/** Connections opened at the same time: more than this overruns the listen backlogs on the way (twemproxy's is 512), and a dropped SYN costs a second. */
const OPENING_AT_ONCE = 128;

/** Opens what is closed again, for as long as it takes to connect to a system that answers; what is not open by then, the load opens. */
export async function reopen(pool: Pool, connections: number): Promise<void> {
  for (const endMs = monotonicMs() + REOPEN_WITHIN_MS; pool.open < connections && monotonicMs() < endMs; ) {
    pool.sweep();
    pool.openSome(OPENING_AT_ONCE);
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
  }
}

/** A pool with all connections open, after every key was stored. Throws EnvironmentError when that takes longer than `limitMs`. */
export async function warmUp(options: PoolOptions, workload: Workload, limitMs = warmUpLimitMs(workload.fill.keys)): Promise<Pool> {
  const { operation, keys: endKey, first = 0, step = 1 } = workload.fill;
  const keys = Math.max(0, Math.ceil((endKey - first) / step));
  const again: number[] = [];
  let nextKey = first;
  let stored = 0;
  let trouble: string | undefined;

  const pool: Pool = new Pool(options, monotonicMs, {
    answered: () => {
      stored++;
      offer();
    },
    failed: (_dueMs, _operation, key, _endedMs, kind: ErrorKind) => {
      again.push(key);
      trouble = kind;
    },
    sent: () => undefined,
    connected: () => undefined,
    shortOf: (code) => {
      trouble = code;
    },
  });
  /** As many requests as open connections carry, so that none waits in line. */
  const offer = () => {
    while (pool.underWay < pool.open * (options.depth ?? 1)) {
      const key = again.pop() ?? nextKey;
      if (key >= endKey) return;
      if (key === nextKey) nextKey += step;
      pool.offer(monotonicMs(), operation, key);
    }
  };

  const endMs = monotonicMs() + limitMs;
  while (pool.open < options.connections || stored < keys || pool.underWay > 0) {
    if (monotonicMs() >= endMs) {
      const state = `${pool.open} of ${options.connections} connections were open and ${stored} of ${keys} keys stored`;
      pool.close();
      throw new EnvironmentError(
        `the load could not warm up: after ${limitMs / 1_000} s, ${state} at ${options.host}:${options.port}${trouble ? ` (last trouble: ${trouble})` : ''}`,
      );
    }
    pool.sweep();
    pool.openSome(OPENING_AT_ONCE);
    offer();
    pool.flush();
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
  }
  return pool;
}
