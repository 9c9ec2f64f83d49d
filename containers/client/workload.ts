/**
 * What a cache client asks, request by request: for which of its tenants, what, and for which key.
 *
 * Keys are numbered through: the first tenant has the first so many, the next one those behind. So the number of a key tells its tenant, its
 * name and its shard, and nothing else has to travel with a request.
 */
import type { Random } from '../../harness/core/random.ts';
import { type KeyChoice, keyChooser } from '../../harness/load/demand/keys.ts';
import type { Workload } from '../../harness/load/protocol.ts';
import type { SavedSeries } from '../../harness/timeline/records.ts';
import { SEVERAL } from '../../harness/timeline/types.ts';
import type { Operation } from '../memcached/protocol.ts';
import { ketama } from '../twemproxy/ketama.ts';

export interface TenantSettings {
  readonly name: string;
  /** Of all requests, 0 to 1. */
  readonly share: number;
  /** Of its requests, by operation, 0 to 1. */
  readonly mix: Readonly<Partial<Record<Operation, number>>>;
  readonly keys: number;
  readonly keyChoice: KeyChoice;
}

export interface Keyspace {
  readonly keys: number;
  readonly nameOf: (key: number) => string;
  /** The tenant of a key, by number. */
  readonly tenantOf: (key: number) => number;
}

/** Operations that ask for no key, or for several. */
const OF_NO_SHARD: ReadonlySet<Operation> = new Set(['multi-get', 'version', 'noop']);

/** All that any tenant asks, and 'set', which the keys are stored with. An operation's number is its place. */
export function operationsOf(tenants: readonly TenantSettings[]): Operation[] {
  const asked = tenants.flatMap(({ mix }) => Object.entries(mix).flatMap(([operation, share]) => (share > 0 ? [operation as Operation] : [])));
  return [...new Set<Operation>([...asked, 'set'])];
}

/** What leaves behind what was stored. */
const HARMLESS: ReadonlySet<Operation> = new Set(['get', 'gets', 'multi-get', 'set', 'touch', 'version', 'noop']);

/** The same tenants with those parts of their mix that change nothing; who has none of these stores what is stored. */
export function harmless(tenants: readonly TenantSettings[]): TenantSettings[] {
  return tenants.map((tenant) => {
    const kept = Object.entries(tenant.mix).filter(([operation]) => HARMLESS.has(operation as Operation));
    const sum = kept.reduce((total, [, share]) => total + share, 0);
    return { ...tenant, mix: sum > 0 ? Object.fromEntries(kept.map(([operation, share]) => [operation, share / sum])) : { set: 1 } };
  });
}

/** Names are the load's name, the tenant's where there are several, and a number; with `keyBytes`, all are as long as that. */
export function keyspaceOf(load: string, tenants: readonly TenantSettings[], keyBytes?: number): Keyspace {
  const firsts: number[] = [];
  let keys = 0;
  for (const tenant of tenants) {
    firsts.push(keys);
    keys += tenant.keys;
  }
  const tenantOf = (key: number) => {
    let tenant = firsts.length - 1;
    while (key < (firsts[tenant] as number)) tenant--;
    return tenant;
  };
  const nameOf = (key: number) => {
    const tenant = tenantOf(key);
    const prefix = prefixOf(load, tenants[tenant]?.name, tenants.length);
    const number = String(key - (firsts[tenant] as number));
    return keyBytes === undefined ? prefix + number : prefix + number.padStart(keyBytes - prefix.length, '0');
  };
  return { keys, nameOf, tenantOf };
}

/** Of the names that come as long as they come, bytes. */
export function longestNameBytes(load: string, tenants: readonly Pick<TenantSettings, 'name' | 'keys'>[]): number {
  return Math.max(...tenants.map(({ name, keys }) => `${prefixOf(load, name, tenants.length)}${keys - 1}`.length));
}

function prefixOf(load: string, tenant: string | undefined, tenants: number): string {
  return tenants > 1 ? `${load}:${tenant}:` : `${load}:`;
}

export interface WorkloadOptions {
  readonly tenants: readonly TenantSettings[];
  readonly keyspace: Keyspace;
  readonly operations: readonly Operation[];
  readonly shards: readonly string[];
  readonly part: { readonly index: number; readonly of: number };
  readonly random: Random;
}

export function cacheWorkload({ tenants, keyspace, operations, shards, part, random }: WorkloadOptions): Workload {
  const places = [...shards, SEVERAL];
  const series = tenants.flatMap(({ name }) => operations.flatMap((operation) => places.map((place): SavedSeries => [operation, place, name])));
  const owner = ketama(shards);
  const width = operations.length * places.length;
  /** The series of operation 0 on this key; and on no shard. */
  const onShard = Uint32Array.from({ length: keyspace.keys }, (_, key) => keyspace.tenantOf(key) * width + owner(keyspace.nameOf(key)));
  const onSeveral = Uint32Array.from({ length: keyspace.keys }, (_, key) => keyspace.tenantOf(key) * width + shards.length);
  const isOfNoShard = operations.map((operation) => OF_NO_SHARD.has(operation));
  const draws = tenants.map((tenant, index) => drawOf(tenant, operations, random.fork(`tenant ${index}`), part));
  const chooseTenant = weighted(
    tenants.map(({ share }) => share),
    random.fork(`tenants of ${part.index}`),
  );
  const firsts = tenants.map((_, index) => tenants.slice(0, index).reduce((sum, { keys }) => sum + keys, 0));
  const workload = {
    series,
    operation: 0,
    key: 0,
    fill: { operation: operations.indexOf('set'), keys: keyspace.keys, first: part.index, step: part.of },
    seriesOf: (operation: number, key: number) => ((isOfNoShard[operation] ? onSeveral : onShard)[key] as number) + operation * places.length,
    next() {
      const tenant = chooseTenant();
      const draw = draws[tenant] as Draw;
      workload.operation = draw.operation();
      workload.key = (firsts[tenant] as number) + draw.key();
    },
  };
  return workload;
}

interface Draw {
  operation(): number;
  key(): number;
}

function drawOf({ mix, keys, keyChoice }: TenantSettings, operations: readonly Operation[], random: Random, part: { index: number; of: number }): Draw {
  const choose = weighted(
    operations.map((operation) => mix[operation] ?? 0),
    random.fork(`operations of ${part.index}`),
  );
  return { operation: choose, key: keyChooser(keyChoice, keys, random.fork('keys'), part.index, part.of) };
}

/** Numbers from 0, each with its share of the chances. */
function weighted(shares: readonly number[], random: Random): () => number {
  const sums = Float64Array.from(shares, (_, index) => shares.slice(0, index + 1).reduce((sum, share) => sum + share, 0));
  const last = shares.findLastIndex((share) => share > 0);
  const first = shares.findIndex((share) => share > 0);
  if (first === last) return () => last;
  return () => {
    const draw = random.next();
    let number = first;
    while (number < last && draw >= (sums[number] as number)) number++;
    return number;
  };
}
