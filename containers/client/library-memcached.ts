/**
 * The npm package `memcached` (2.2) as an application uses it: the text protocol, over a pool of connections to one server.
 *
 * How it behaves, as far as a run shows it (each can be read in its source):
 * - All requests go out over the connection that was opened last, one behind the other: the pool's test for a busy connection asks for a
 *   field of sockets that Node no longer has. The pool grows only while none is open, and shrinks again as unused ones idle out (5 s).
 * - It has no timeout for a request. When a connection is lost, nobody hears of the requests on it; nor when something comes that is no answer.
 * - After any issue with a server, a connection that failed or an answer SERVER_ERROR, it refuses every request to that server for a while (`retry`).
 * - An answer SERVER_ERROR reaches the caller without an error: `false`, where a miss is `undefined`. Here it counts as what it is.
 */
import Memcached from 'memcached';
import type { ErrorKind } from '../../harness/timeline/types.ts';
import type { Ending, Library } from './library-carrier.ts';

export interface NpmMemcachedOptions {
  readonly host: string;
  readonly port: number;
  /** Most connections at once. */
  readonly poolSize: number;
  /** The longest value, bytes. */
  readonly mostBytes: number;
  readonly timeoutMs: number;
  /** How long it refuses all requests after an issue. */
  readonly restMs: number;
}

/** It tries so often to get a connection, evenly over the timeout. */
const PULLS = 4;
/** For a number that is never reached in a run. */
const NEVER = 1_000_000_000;

export function openNpmMemcached({ host, port, poolSize, mostBytes, timeoutMs, restMs }: NpmMemcachedOptions): Library {
  // The types know only some of its settings.
  const settings = {
    poolSize,
    // For connecting. There is none for requests: the carrier's is.
    timeout: timeoutMs,
    // By default it tries for 100 s (after 1, 3, 9, 27 and 60 s) to have a connection for a request: the application has long given it up then, and what
    // it sends in the end belongs to nobody, or marks as bad a server that has been well again for a minute.
    retries: PULLS - 1,
    factor: 1,
    minTimeout: timeoutMs / PULLS,
    maxTimeout: timeoutMs / PULLS,
    retry: restMs,
    // At the fifth issue within five minutes it would leave the server alone for five hours, and then run the program `ping`, which a container need not
    // have: the process dies of that.
    failures: NEVER,
    // A server is never taken out of the ring: there is but one, the entry.
    remove: false,
  };
  const client = new Memcached(`${host}:${port}`, settings);
  const text = 'x'.repeat(mostBytes);
  return {
    get: (key, bytes, ended) => client.get(key, (error: unknown, data: unknown) => ended(got(error, data, bytes))),
    // 0: it never expires.
    set: (key, bytes, ended) => client.set(key, text.slice(0, bytes), 0, (error: unknown, isStored: unknown) => ended(stored(error, isStored))),
    close: () => client.end(),
  };
}

function got(error: unknown, data: unknown, bytes: number): Ending {
  if (error) return errorKind(error);
  if (data === undefined) return 'miss';
  if (data === false) return 'server';
  return typeof data === 'string' && data.length === bytes ? 'hit' : 'garbled';
}

function stored(error: unknown, isStored: unknown): Ending {
  if (error) return errorKind(error);
  return isStored === true ? 'done' : 'server';
}

/** What its errors tell: some are errors of the socket, most have nothing but words. */
function errorKind(error: unknown): ErrorKind {
  const text = String(Array.isArray(error) ? error[0] : error);
  if (/ECONNREFUSED/.test(text)) return 'refused';
  if (/ECONNRESET|EPIPE|readyState/.test(text)) return 'closed';
  if (/not available|Unable to connect|Timed out while trying|pool is full|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(text)) return 'unconnected';
  return 'server';
}
