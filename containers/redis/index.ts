/**
 * Redis as a cache: a node, and the smallest cluster of it. What it speaks is in `resp.ts`; `docs/protocols.md` tells how the parts fit together.
 */
import type { ClusterSpec, ContentsSpec, NodeSpec } from '../../harness/cluster/spec.ts';
import { CLIENT_SOURCES, client } from '../client/node.ts';
import { wholeNumber } from '../counts.ts';
import { tools } from '../tools.ts';
import type { RedisReadySettings } from './ready.ts';

export const REDIS_PORT = 6379;

export interface RedisOptions {
  /** Most connections that it takes at once (`maxclients`). */
  readonly maxConnections?: number;
  /** Memory for items, MiB (`maxmemory`). Beyond it the keys that were used longest ago go, as in memcached. */
  readonly itemsMiB?: number;
}

/** Throws InputError naming the option. */
export function redis(name: string, { maxConnections = 1024, itemsMiB = 64 }: RedisOptions = {}): NodeSpec {
  wholeNumber('maxConnections', maxConnections, 1, 1_000_000);
  wholeNumber('itemsMiB', itemsMiB, 1, 1_000_000);
  return {
    name,
    role: 'cache',
    image: 'aftershock/redis:7.0',
    command: ['redis-server', ...Object.entries(configuration(maxConnections, itemsMiB)).flatMap(([name, value]) => [`--${name}`, value])],
    port: REDIS_PORT,
    probe: { send: 'PING\r\n', expect: '+PONG', bulky: { send: `ECHO ${'.'.repeat(2_000)}end\r\n`, ends: 'end\r\n' } },
    contents: CONTENTS,
    // Items, plus what connections and the process itself take.
    memoryMiB: itemsMiB + 64,
    needs: { mostConnections: maxConnections },
  };
}

const CONTENTS: ContentsSpec = {
  store: { send: 'SET ${key} 1\r\n', find: '^\\+OK' },
  ask: { send: 'EXISTS ${key}\r\n', find: '^:1' },
  // With its length, since a key may hold anything.
  drop: { send: '*2\r\n$3\r\nDEL\r\n$${bytes}\r\n${key}\r\n', find: '^:[01]' },
  flush: { send: 'FLUSHALL\r\n', find: '^\\+OK' },
  list: { send: 'KEYS *\r\n', find: '^\\$\\d+\r\n([^\r\n]*)' },
  items: { send: 'DBSIZE\r\n', find: '^:(\\d+)' },
  flushes: { send: 'INFO commandstats\r\n', find: '^cmdstat_flushall:calls=(\\d+)' },
};

function configuration(maxConnections: number, itemsMiB: number): Readonly<Record<string, string>> {
  return {
    port: String(REDIS_PORT),
    bind: '0.0.0.0',
    // Without a password it would answer its own host alone.
    'protected-mode': 'no',
    // A cache keeps nothing: a snapshot would fork a copy of all of it in the middle of a run.
    save: '',
    appendonly: 'no',
    maxclients: String(maxConnections),
    maxmemory: `${itemsMiB}mb`,
    'maxmemory-policy': 'allkeys-lru',
  };
}

/** One Redis, redis-1, with nothing between it and the client but a link. */
export function bareRedis(): ClusterSpec {
  const settings: RedisReadySettings = { entry: '${link:client-1 -> redis-1}', patienceMs: 8_000 };
  return {
    title: 'one Redis',
    nodes: [redis('redis-1'), { ...client('client-1'), sources: [...CLIENT_SOURCES, 'containers/redis'] }],
    links: [{ from: 'client-1', to: 'redis-1', port: REDIS_PORT }],
    ready: { node: 'client-1', program: 'containers/redis/ready.ts', settings },
    tools,
  };
}
