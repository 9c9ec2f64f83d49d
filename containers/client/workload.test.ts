import { describe, expect, it } from 'vitest';
import { seeded } from '../../harness/core/random.ts';
import { SEVERAL } from '../../harness/timeline/types.ts';
import { ketama } from '../twemproxy/ketama.ts';
import { cacheWorkload, harmless, keyspaceOf, operationsOf, type TenantSettings } from './workload.ts';

const SHARDS = ['mc-1', 'mc-2', 'mc-3'];
const TENANTS: TenantSettings[] = [
  { name: 'a', share: 0.7, mix: { get: 0.9, set: 0.1 }, keys: 500, keyChoice: { kind: 'uniform' } },
  { name: 'b', share: 0.3, mix: { 'multi-get': 1 }, keys: 100, keyChoice: { kind: 'sequential' } },
];

function workload(part = { index: 0, of: 1 }, tenants = TENANTS) {
  const operations = operationsOf(tenants);
  const keyspace = keyspaceOf('load', tenants);
  return { operations, keyspace, load: cacheWorkload({ tenants, keyspace, operations, shards: SHARDS, part, random: seeded(4) }) };
}

describe('what a cache client asks', () => {
  it('comes by the shares of tenants and operations, each tenant for its own keys', () => {
    const { operations, keyspace, load } = workload();
    const counts = new Map<string, number>();
    for (let i = 0; i < 10_000; i++) {
      load.next();
      const what = `${TENANTS[keyspace.tenantOf(load.key)]?.name} ${operations[load.operation]}`;
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    // Four standard deviations of a share p of 10,000 are 4 x sqrt(10,000 p (1 - p)): 183, 97 and 183.
    expect(Math.abs((counts.get('a get') ?? 0) - 6_300)).toBeLessThan(194);
    expect(Math.abs((counts.get('a set') ?? 0) - 700)).toBeLessThan(103);
    expect(Math.abs((counts.get('b multi-get') ?? 0) - 3_000)).toBeLessThan(184);
    expect(counts.size).toBe(3);
  });

  it('is told apart by operation, tenant and the node that owns the key; what asks for several keys belongs to none', () => {
    const { operations, keyspace, load } = workload();
    const owner = ketama(SHARDS);
    for (const key of [0, 3, 499])
      expect(load.series[load.seriesOf(operations.indexOf('set'), key)]).toEqual(['set', SHARDS[owner(keyspace.nameOf(key))], 'a']);
    for (const key of [500, 599]) expect(load.series[load.seriesOf(operations.indexOf('multi-get'), key)]).toEqual(['multi-get', SEVERAL, 'b']);
  });

  it('has names by load and tenant, all as long as they are to be', () => {
    expect(keyspaceOf('load', TENANTS).nameOf(500)).toBe('load:b:0');
    expect(keyspaceOf('load', TENANTS.slice(0, 1)).nameOf(7)).toBe('load:7');
    const padded = keyspaceOf('load', TENANTS, 32);
    expect(padded.nameOf(7)).toBe(`load:a:${'0'.repeat(24)}7`);
    expect(new Set(Array.from({ length: 600 }, (_, key) => padded.nameOf(key))).size).toBe(600);
  });

  it('is the same for the same seed, and other for another process of the same load', () => {
    const asked = (index: number) => {
      const { load } = workload({ index, of: 2 });
      return Array.from({ length: 50 }, () => {
        load.next();
        return `${load.operation} ${load.key}`;
      });
    };
    expect(asked(0)).toEqual(asked(0));
    expect(asked(0)).not.toEqual(asked(1));
  });

  it('is stored by all processes together, each key by one of them', () => {
    const stored = [0, 1, 2].flatMap((index) => {
      const { first = 0, step = 1, keys } = workload({ index, of: 3 }).load.fill;
      return Array.from({ length: Math.ceil((keys - first) / step) }, (_, n) => first + n * step);
    });
    expect(stored.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 600 }, (_, key) => key));
  });

  it('is rehearsed with what leaves behind what was stored', () => {
    const [a, b, c] = harmless([
      { ...(TENANTS[0] as TenantSettings), mix: { get: 0.5, delete: 0.3, append: 0.2 } },
      { ...(TENANTS[0] as TenantSettings), mix: { incr: 1 } },
      { ...(TENANTS[0] as TenantSettings), mix: { get: 0.3, set: 0.1, cas: 0.6 } },
    ]);
    expect(a?.mix).toEqual({ get: 1 });
    expect(b?.mix).toEqual({ set: 1 });
    expect(c?.mix['get']).toBeCloseTo(0.75);
    expect(c?.mix['set']).toBeCloseTo(0.25);
  });
});
