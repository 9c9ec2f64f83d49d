/**
 * The npm package `memjs` (1.3) as an application uses it: the binary protocol, with SASL PLAIN where it is told a user, straight to memcached.
 *
 * How it behaves, as far as a run shows it (each can be read in its source):
 * - A client has one connection to a server, and sends all its requests over it, one behind the other. Several connections are several clients here, asked in
 *   turn, as the processes of an application would be.
 * - Its timeout is the socket's timer of inactivity, which every further request puts off: under steady load it never fires. Where it does, the
 *   connection is closed, every request on it has failed, and each is tried again after 200 ms.
 * - When the server closes the connection, nobody hears of the requests on it. Their time runs on, and when it is over the next connection is closed for it.
 * - It tells its troubles to the console. Our stdout carries frames, so it is handed a logger of ours.
 */
import memjs from 'memjs';
import type { ErrorKind } from '../../harness/timeline/types.ts';
import type { Ending, Library } from './library-carrier.ts';

export interface MemjsOptions {
  readonly host: string;
  readonly port: number;
  /** Clients, of one connection each. */
  readonly clients: number;
  /** The longest value, bytes. */
  readonly mostBytes: number;
  /** For connecting and logging in, and for each try. */
  readonly timeoutMs: number;
  /** Tries in all, the first included. */
  readonly tries: number;
  readonly auth?: { readonly user: string; readonly password: string };
  /** Is told what it would write on the console. */
  readonly log: (line: string) => void;
}

/** Logging in (SASL list and SASL auth) is no request of the load. */
const SASL_OPCODES: ReadonlySet<number | undefined> = new Set([0x20, 0x21]);

export function isMemjsRequest(bytes: Uint8Array | string): boolean {
  return typeof bytes === 'string' || !SASL_OPCODES.has(bytes[1]);
}

export function openMemjs({ host, port, clients, mostBytes, timeoutMs, tries, auth, log }: MemjsOptions): Library {
  const logger = { log: (...words: unknown[]) => log(words.join(' ')) };
  const all = Array.from({ length: clients }, () =>
    memjs.Client.create(`${host}:${port}`, {
      timeout: timeoutMs / 1_000,
      conntimeout: timeoutMs / 1_000,
      // It counts down before it looks: what it calls retries are tries.
      retries: tries,
      logger,
      ...(auth ? { username: auth.user, password: auth.password } : {}),
    }),
  );
  const text = Buffer.alloc(mostBytes, 'x');
  let turn = 0;
  const next = () => all[turn++ % all.length] as memjs.Client;
  return {
    get: (key, bytes, ended) => next().get(key, (error, data) => ended(got(error, data, bytes))),
    // No options: it never expires.
    set: (key, bytes, ended) => next().set(key, text.subarray(0, bytes), {}, (error, isStored) => ended(stored(error, isStored))),
    close: () => {
      for (const client of all) client.close();
    },
  };
}

function got(error: unknown, data: Uint8Array | null | undefined, bytes: number): Ending {
  if (isTrouble(error)) return errorKind(error);
  if (data === null || data === undefined) return 'miss';
  return data.length === bytes ? 'hit' : 'garbled';
}

function stored(error: unknown, isStored: boolean | null): Ending {
  if (isTrouble(error)) return errorKind(error);
  return isStored ? 'done' : 'server';
}

function isTrouble(error: unknown): boolean {
  return error !== null && error !== undefined;
}

/** Its errors are errors of the socket, errors with words, or words alone (a login that was refused). */
function errorKind(error: unknown): ErrorKind {
  const text = String(error);
  if (/timed out waiting/.test(text)) return 'timeout';
  if (/ECONNREFUSED/.test(text)) return 'refused';
  if (/ECONNRESET|EPIPE|write after end|ended by the other/.test(text)) return 'closed';
  if (/timed out connecting|No servers available|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(text)) return 'unconnected';
  return 'server';
}
