/** What a client is: how many connections, how they are used, and what it does when something goes wrong. */
import type { Random } from '../../core/random.ts';
import type { Protocol } from '../protocol.ts';
import type { Wires } from '../wires/handle.ts';
import type { Backoff } from './backoff.ts';
import type { Retry } from './retry.ts';

/**
 * How long a connection is used: `pooled` for ever, `per-request` for one request, or for `forMs`, after which the next request opens another (with
 * `jitter`, each lives between half and one and a half times that). `leakShare` of the answers leave their connection behind, open and forgotten.
 */
export type ConnectionUse = 'pooled' | 'per-request' | { readonly forMs: number; readonly jitter: boolean } | { readonly leakShare: number };

export interface PoolOptions {
  /** An IP address; a name is resolved for each connect, and then the resolver is measured, too. */
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** Requests under way on one connection. Default 1. */
  readonly depth?: number;
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly onTimeout: 'fail' | 'reconnect';
  /** Default 'pooled'. */
  readonly use?: ConnectionUse;
  /** When a lost connection is opened again: by the next request that finds no other, or at once (after its backoff). Default 'on demand'. */
  readonly reconnect?: 'on demand' | 'at once';
  readonly backoff?: Backoff;
  readonly retry?: Retry;
  readonly protocol: Protocol;
  /** For jitter. */
  readonly random: Random;
  /** Where connections come from. Default: the public interface of Node. */
  readonly wires?: Wires;
}

/** Errors of connect that tell of the client's own limits. */
export const OWN_LIMITS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** Draws how long a new connection is used, ms. */
export function livesMs(use: ConnectionUse, random: Random): number {
  if (typeof use === 'string' || !('forMs' in use)) return Number.POSITIVE_INFINITY;
  return use.jitter ? use.forMs * (0.5 + random.next()) : use.forMs;
}

/** What becomes of a connection that has nothing left to do. */
export function fateOf(use: ConnectionUse, random: Random): 'stay' | 'close' | 'leave' {
  if (use === 'pooled') return 'stay';
  if (use === 'per-request') return 'close';
  return 'leakShare' in use && random.next() < use.leakShare ? 'leave' : 'stay';
}
