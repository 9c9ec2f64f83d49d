/** What a load's keys take of memory and of disk, for the plan's budget. */
import { meanBytes, type Values } from '../../harness/load/demand/values.ts';
import type { LoadSpec } from '../../harness/run/types.ts';
import { ITEM_BYTES } from '../memcached/index.ts';
import { longestNameBytes, operationsOf, type TenantSettings } from './workload.ts';

/** Of a name in a table of names: measured with a million of them, which took 58 MiB with 11 bytes each, 213 MiB with 100, and 444 MiB with 250. */
const NAME_BYTES = 60;
const NAME_BYTES_PER_BYTE = 1.65;

/** Settings that decide it. */
export interface Keyed {
  readonly name: string;
  readonly tenants: readonly TenantSettings[];
  readonly shards: readonly string[];
  readonly keyBytes?: number;
}

export function footprintOf(load: Keyed): Required<Pick<LoadSpec, 'memoryMiB' | 'series'>> {
  return {
    memoryMiB: namesMiB(keysOf(load), nameBytesOf(load)),
    // Each operation on each shard, and on no single one.
    series: load.tenants.length * operationsOf(load.tenants).length * (load.shards.length + 1),
  };
}

export function namesMiB(keys: number, nameBytes: number): number {
  return (keys * (NAME_BYTES + NAME_BYTES_PER_BYTE * nameBytes)) / 2 ** 20;
}

/** What memcached needs for all of its items. */
export function storedMiB(load: Keyed, values: Values): number {
  return (keysOf(load) * (meanBytes(values) + nameBytesOf(load) + ITEM_BYTES)) / 2 ** 20;
}

/** Of the longest name. */
export function nameBytesOf({ name, tenants, keyBytes }: Keyed): number {
  return keyBytes ?? longestNameBytes(name, tenants);
}

function keysOf({ tenants }: Keyed): number {
  return tenants.reduce((sum, { keys }) => sum + keys, 0);
}
