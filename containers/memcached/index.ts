/** A cache node: one memcached. */
import type { NodeSpec } from '../../harness/cluster/spec.ts';

export const MEMCACHED_PORT = 11211;

export interface MemcachedOptions {
  /** Most connections that it takes at once (-c). */
  readonly maxConnections?: number;
  /** Memory for items, MiB (-m). */
  readonly itemsMiB?: number;
}

export function memcached(name: string, { maxConnections = 1024, itemsMiB = 64 }: MemcachedOptions = {}): NodeSpec {
  return {
    name,
    role: 'cache',
    image: 'aftershock/memcached:1.6',
    command: ['memcached', '-p', String(MEMCACHED_PORT), '-U', '0', '-m', String(itemsMiB), '-c', String(maxConnections), '-t', '1'],
    port: MEMCACHED_PORT,
    probe: { send: 'version\r\n', expect: 'VERSION' },
    // Items, plus what connections and the hash table take: about 64 MiB at the default 1,024 connections.
    memoryMiB: itemsMiB + 64,
  };
}
