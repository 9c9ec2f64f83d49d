/**
 * What a cache client is told in its first line, written by `index.ts` and read by `main.ts` inside the container.
 */
import { InputError } from '../../harness/core/errors.ts';
import { type Random, SEED_LIMIT, seeded } from '../../harness/core/random.ts';
import type { Arrivals } from '../../harness/load/demand/arrivals.ts';
import { sizesOf, type Values } from '../../harness/load/demand/values.ts';
import type { Pacing } from '../../harness/load/pacing/waker.ts';
import type { PoolOptions } from '../../harness/load/pool/pool-options.ts';
import type { Load } from '../../harness/load/program.ts';
import { type Asking, pooledLoad } from '../../harness/load/request-load.ts';
import { chooseWires } from '../../harness/load/wires/handle.ts';
import { type Credentials, memcachedProtocol, type ProtocolName } from '../memcached/protocol.ts';
import { cacheWorkload, harmless, keyspaceOf, operationsOf, type TenantSettings } from './workload.ts';

export interface ClientSettings extends Pick<PoolOptions, 'deadlineMs' | 'timeoutMs' | 'onTimeout' | 'use' | 'reconnect' | 'backoff' | 'retry'> {
  /** ip:port. */
  readonly entry: string;
  /** The run's seed, added when the load is started: it decides what is asked, and when backoffs end. Without one, 0. */
  readonly seed?: number;
  /** Which of the processes that share the load this is, from 0; added when the load is started. Without it, the only one. */
  readonly part?: { readonly index: number; readonly of: number };
  /** Keys begin with it, so that loads beside each other do not share keys. */
  readonly name: string;
  readonly asking:
    | { readonly kind: 'schedule'; readonly arrivals: Arrivals }
    | { readonly kind: 'workers'; readonly batch: number; readonly thinkMs: number; readonly jitter: boolean };
  readonly tenants: readonly TenantSettings[];
  readonly values: Values;
  readonly keyBytes?: number;
  readonly multiGet?: number;
  readonly protocol: ProtocolName;
  readonly auth?: Credentials;
  /** Of all processes together. */
  readonly connections: number;
  readonly depth: number;
  readonly pacing?: Pacing;
  /** The names that the proxy knows its servers by, in its order. */
  readonly shards: readonly string[];
}

/** How long a value is that incr and decr count in: as many digits as its largest number has. */
export const NUMBER_BYTES = 20;

/** '10.0.0.1:11211' or 'mc-1.aftershock.test:11211' to its parts. `key` names the value in the error. Throws InputError. */
export function addressOf(text: unknown, key: string): { host: string; port: number } {
  const match = /^([0-9.]+|\[[0-9a-f:]+\]|(?:[a-z0-9-]+\.)+[a-z]+):(\d{1,5})$/i.exec(String(text));
  if (!match) throw new InputError(`${key}: '${String(text)}' is not an address; write ip:port`);
  return { host: (match[1] as string).replace(/[[\]]/g, ''), port: Number(match[2]) };
}

/** The seed that the run has added, as random choices of this load. Throws InputError. */
export function randomOf(seed: unknown, name: string): Random {
  if (seed === undefined) return seeded(0, name);
  if (!(typeof seed === 'number' && Number.isInteger(seed) && seed >= 0 && seed < SEED_LIMIT))
    throw new InputError(`settings.seed: ${String(seed)} is not allowed; write a whole number from 0 to ${SEED_LIMIT - 1}`);
  return seeded(seed, name);
}

/** Settings to a load. They come from our own builder: only what is added on the way is checked again. Throws InputError. */
export async function loadOf(settings: unknown): Promise<Load> {
  const client = settings as ClientSettings;
  const { host, port } = addressOf(client.entry, 'settings.entry');
  const { part = { index: 0, of: 1 }, tenants } = client;
  const random = randomOf(client.seed, client.name);
  const operations = operationsOf(tenants);
  const keyspace = keyspaceOf(client.name, tenants, client.keyBytes);
  const counts = tenants.map(({ mix }) => (mix.incr ?? 0) + (mix.decr ?? 0) > 0);
  const numbers = (key: number) => counts[keyspace.tenantOf(key)] === true;
  const sizes = sizesOf(client.values, keyspace.keys, random.fork('values'));
  const protocol = memcachedProtocol(client.protocol, {
    keys: keyspace.keys,
    keyName: keyspace.nameOf,
    sizes: (key) => (numbers(key) ? NUMBER_BYTES : (sizes[key] as number)),
    operations,
    numbers,
    ...(client.multiGet === undefined ? {} : { multiGet: client.multiGet }),
    ...(client.auth ? { auth: client.auth } : {}),
  });
  const { deadlineMs, timeoutMs, onTimeout, use, reconnect, backoff, retry, depth } = client;
  const own = partOfConnections(client.connections, part);
  const asked = { keyspace, operations, shards: client.shards, part };
  return pooledLoad({
    asking: askingOf(client, own, part),
    workload: cacheWorkload({ ...asked, tenants, random: random.fork('requests') }),
    rehearsal: () => cacheWorkload({ ...asked, tenants: harmless(tenants), random: random.fork('rehearsal') }),
    random,
    ...(client.pacing === undefined ? {} : { pacing: client.pacing }),
    pool: {
      host,
      port,
      connections: own,
      depth,
      deadlineMs,
      timeoutMs,
      onTimeout,
      ...(use === undefined ? {} : { use }),
      ...(reconnect === undefined ? {} : { reconnect }),
      ...(backoff === undefined ? {} : { backoff }),
      ...(retry === undefined ? {} : { retry }),
      protocol,
      random: random.fork(`pool ${part.index}`),
      wires: await chooseWires(),
    },
  });
}

function askingOf({ asking }: ClientSettings, workers: number, part: { index: number; of: number }): Asking {
  return asking.kind === 'workers' ? { ...asking, workers, part } : { ...asking, part };
}

/** Connections that a process has of all: the first ones have one more where they do not divide. */
export function partOfConnections(connections: number, { index, of }: { index: number; of: number }): number {
  return Math.floor(connections / of) + (index < connections % of ? 1 : 0);
}
