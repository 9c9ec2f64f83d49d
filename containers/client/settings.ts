/**
 * What a cache client is told in its first line, written by `index.ts` and read by `main.ts` inside the container.
 */
import { InputError } from '../../harness/core/errors.ts';
import { type Random, SEED_LIMIT, seeded } from '../../harness/core/random.ts';
import type { Load } from '../../harness/load/program.ts';
import type { Workload } from '../../harness/load/protocol.ts';
import { GET, memcachedText, OPERATIONS, SET } from '../memcached/text.ts';
import { ketama } from '../twemproxy/ketama.ts';

export interface ClientSettings {
  /** ip:port. */
  readonly entry: string;
  /** The run's seed, added when the load is started: it decides what is asked, and when backoffs end. Without one, 0. */
  readonly seed?: number;
  /** Keys begin with it, so that loads beside each other do not share keys. */
  readonly name: string;
  readonly tenant: string;
  readonly ratePerSecond: number;
  readonly connections: number;
  /** The rest is set. */
  readonly getShare: number;
  readonly keys: number;
  readonly valueBytes: number;
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly onTimeout: 'fail' | 'reconnect';
  readonly backoff?: { readonly firstMs: number; readonly mostMs: number; readonly jitter: boolean };
  /** The names that the proxy knows its servers by, in its order. */
  readonly shards: readonly string[];
}

/** '10.0.0.1:11211' to its parts. `key` names the value in the error. Throws InputError. */
export function addressOf(text: unknown, key: string): { host: string; port: number } {
  const match = /^([0-9.]+|\[[0-9a-f:]+\]):(\d{1,5})$/i.exec(String(text));
  if (!match) throw new InputError(`${key}: '${String(text)}' is not an address; write ip:port`);
  return { host: (match[1] as string).replace(/[[\]]/g, ''), port: Number(match[2]) };
}

/** Settings to a load. They come from our own builder: only what is added on the way is checked again. Throws InputError. */
export function loadOf(settings: unknown): Load {
  const client = settings as ClientSettings;
  const { host, port } = addressOf(client.entry, 'settings.entry');
  const seed = client.seed ?? 0;
  if (!(Number.isInteger(seed) && seed >= 0 && seed < SEED_LIMIT))
    throw new InputError(`settings.seed: ${String(seed)} is not allowed; write a whole number from 0 to ${SEED_LIMIT - 1}`);
  const random = seeded(seed, client.name);
  const keyName = keysOf(client.name);
  return {
    ratePerSecond: client.ratePerSecond,
    workload: mixedWorkload(client, keyName, random.fork('requests')),
    pool: {
      host,
      port,
      connections: client.connections,
      deadlineMs: client.deadlineMs,
      timeoutMs: client.timeoutMs,
      onTimeout: client.onTimeout,
      ...(client.backoff ? { backoff: client.backoff } : {}),
      protocol: memcachedText({ keyName, valueBytes: client.valueBytes }),
      random: random.fork('backoff'),
    },
  };
}

function keysOf(name: string): (key: number) => string {
  return (key) => `${name}:${key}`;
}

/** Get and set by their shares, each on any key with the same chance. */
function mixedWorkload(client: ClientSettings, keyName: (key: number) => string, random: Random): Workload {
  const owner = ketama(client.shards);
  const shards = Uint16Array.from({ length: client.keys }, (_, key) => owner(keyName(key)));
  return {
    operations: OPERATIONS,
    shards: client.shards,
    tenant: client.tenant,
    operation: GET,
    key: 0,
    fill: { operation: SET, keys: client.keys },
    shardOf: (key) => shards[key] as number,
    next() {
      const drawn = this as { operation: number; key: number };
      drawn.operation = random.next() < client.getShare ? GET : SET;
      drawn.key = random.below(client.keys);
    },
  };
}
