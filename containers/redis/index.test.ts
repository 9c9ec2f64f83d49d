import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../harness/core/errors.ts';
import { type RedisClientsOptions, redisClients } from './clients.ts';
import { bareRedis, redis } from './index.ts';

const TYPICAL: RedisClientsOptions = {
  rate: '2000/s',
  connections: 50,
  mix: { get: '90%', set: '10%' },
  deadline: '1s',
  timeout: '250ms',
  onTimeout: 'reconnect',
};

describe('redis', () => {
  it('is a cache that keeps nothing, as large as it is told', () => {
    const node = redis('redis-7', { maxConnections: 20, itemsMiB: 8 });
    expect(node).toMatchObject({ name: 'redis-7', role: 'cache', port: 6_379, memoryMiB: 72, needs: { mostConnections: 20 } });
    expect(node.command.join(' ')).toBe(
      'redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --save  --appendonly no --maxclients 20 --maxmemory 8mb --maxmemory-policy allkeys-lru',
    );
  });

  it('refuses counts that are none, naming them', () => {
    expect(() => redis('redis-1', { itemsMiB: 0 })).toThrow('itemsMiB: 0 is not allowed; write a whole number from 1 to');
    expect(() => redis('redis-1', { maxConnections: 1.5 })).toThrow('maxConnections: 1.5 is not allowed');
  });

  it('stands behind one link in the smallest cluster, whose client has what its programs import', () => {
    const { nodes, links, ready } = bareRedis();
    expect(nodes.map(({ name }) => name)).toEqual(['redis-1', 'client-1']);
    expect(links).toEqual([{ from: 'client-1', to: 'redis-1', port: 6_379 }]);
    expect(nodes[1]?.sources).toContain('containers/redis');
    expect(ready.settings).toMatchObject({ entry: '${link:client-1 -> redis-1}' });
  });
});

describe('redisClients', () => {
  it('is a load of the client node that talks to redis-1, unless told otherwise', () => {
    expect(redisClients(TYPICAL)).toMatchObject({
      name: 'client-1',
      node: 'client-1',
      title: '2000/s over 50 connections, 90% get',
      program: { node: 'client-1', program: 'containers/redis/main.ts', settings: { entry: '${link:client-1 -> redis-1}', shard: 'redis-1', depth: 1 } },
      ratePerSecond: 2_000,
      longestRequestMs: 1_250,
      shards: ['redis-1'],
    });
    const other = redisClients({ ...TYPICAL, node: 'client-2', name: 'greedy', entry: 'redis-2', pipeline: 8, tenant: 'b' });
    expect(other).toMatchObject({ name: 'greedy', node: 'client-2', pipelined: true, shards: ['redis-2'] });
    expect(other.program.settings).toMatchObject({ entry: '${link:client-2 -> redis-2}', depth: 8, tenants: [{ name: 'b', mix: { get: 0.9, set: 0.1 } }] });
  });

  it('may take the longer to prepare the more keys there are to store', () => {
    expect(redisClients({ ...TYPICAL, keys: 100 }).prepareMs).toBe(10_010);
    expect(redisClients({ ...TYPICAL, keys: 1_000_000 }).prepareMs).toBe(110_000);
  });

  it.each<[string, object, string]>([
    ['another operation', { mix: { get: '90%', incr: '10%' } }, "redisClients: mix: unknown key 'incr'; known: get, set"],
    ['a mix that does not add up', { mix: { get: '90%', set: '20%' } }, 'mix: get 90% and set 20% add up to 110%, not to 100%'],
    ['no connection', { connections: 0 }, 'connections: 0 is not allowed; write a whole number from 1 to 9000'],
    ['another way to act on timeouts', { onTimeout: 'retry' }, "onTimeout: 'retry' is not allowed; write 'fail' or 'reconnect'"],
    ['an option of memcached', { backends: 4 }, "unknown key 'backends'; known: rate"],
  ])('refuses %s in one line that names the key', (_, change, words) => {
    const act = () => redisClients({ ...TYPICAL, ...change } as RedisClientsOptions);
    expect(act).toThrow(InputError);
    expect(act).toThrow(words);
    expect(act).not.toThrow('\n');
  });
});

it('is known under containers/ alone: nothing in harness/ has a word of Redis', () => {
  const harness = join(import.meta.dirname, '../../harness');
  const files = readdirSync(harness, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((name) => /redis|\bresp2?\b/i.test(readFileSync(join(harness, name), 'utf8')))).toEqual([]);
});
