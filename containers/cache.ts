/**
 * Cache tiers as typed values: `cache(...)` is the whole of it, `bareCache()` one memcached with nothing before it.
 *
 * ```
 * client-1 -> edge (HAProxy) -> proxy-1, proxy-2 (twemproxy) -> mc-1 .. mc-4 (memcached)
 * ```
 * Every arrow is a link through Toxiproxy, so every hop can be disturbed.
 */
import type { ClusterSpec } from '../harness/cluster/spec.ts';
import { InputError, unknownName } from '../harness/core/errors.ts';
import { client } from './client/node.ts';
import { EDGE_PORT, haproxy } from './haproxy/index.ts';
import { MEMCACHED_PORT, memcached } from './memcached/index.ts';
import { tools } from './tools.ts';
import { TWEMPROXY_PORT, TWEMPROXY_STATS_PORT, type TwemproxyOptions, twemproxy } from './twemproxy/index.ts';

export interface CacheOptions {
  /** memcached nodes, mc-1 to mc-N. */
  readonly backends: number;
  /** twemproxy nodes, proxy-1 to proxy-N. */
  readonly proxies: number;
  /** How long a proxy waits for a backend; 'never', twemproxy's default, waits for ever. */
  readonly proxyTimeout?: TwemproxyOptions['timeout'];
  /** After how many failures in a row a proxy takes a backend out of its ring, and when it tries it again. */
  readonly eject?: TwemproxyOptions['eject'];
  /** Connections from each proxy to each backend. */
  readonly connectionsPerServer?: number;
}

/** A cache cluster behind proxies and an edge. Throws InputError naming the option. */
export function cache(options: CacheOptions): ClusterSpec {
  refuseUnknown('cache', options, ['backends', 'proxies', 'proxyTimeout', 'eject', 'connectionsPerServer']);
  const { backends, proxies, proxyTimeout, eject, connectionsPerServer } = options;
  if (typeof eject === 'object') refuseUnknown('eject', eject, ['after', 'retryIn']);
  const servers = numbered('mc', wholeNumber('backends', backends, 1, 150));
  const tier = numbered('proxy', wholeNumber('proxies', proxies, 1, 16));
  const settings: TwemproxyOptions = {
    servers,
    ...(proxyTimeout === undefined ? {} : { timeout: proxyTimeout }),
    ...(eject === undefined ? {} : { eject }),
    ...(connectionsPerServer === undefined ? {} : { connectionsPerServer: wholeNumber('connectionsPerServer', connectionsPerServer, 1, 64) }),
  };
  return {
    title: `${backends} memcached behind ${proxies} twemproxy behind HAProxy`,
    nodes: [
      ...servers.map((name) => memcached(name)),
      ...tier.map((name) => twemproxy(name, settings)),
      haproxy('edge', { servers: tier }),
      client('client-1'),
    ],
    links: [
      { from: 'client-1', to: 'edge', port: EDGE_PORT },
      ...tier.map((proxy) => ({ from: 'edge', to: proxy, port: TWEMPROXY_PORT })),
      ...tier.flatMap((proxy) => servers.map((server) => ({ from: proxy, to: server, port: MEMCACHED_PORT }))),
    ],
    ready: {
      node: 'client-1',
      program: 'containers/client/ready.ts',
      settings: {
        entry: '${link:client-1 -> edge}',
        proxies: tier.map((name) => ({ name, stats: `\${host:${name}}:${TWEMPROXY_STATS_PORT}` })),
        shards: servers,
        patienceMs: 8_000,
      },
    },
    tools,
  };
}

/** One memcached, mc-1, with nothing between it and the client but a link. */
export function bareCache(): ClusterSpec {
  return {
    title: 'one memcached',
    nodes: [memcached('mc-1'), client('client-1')],
    links: [{ from: 'client-1', to: 'mc-1', port: MEMCACHED_PORT }],
    ready: {
      node: 'client-1',
      program: 'containers/client/ready.ts',
      settings: { entry: '${link:client-1 -> mc-1}', proxies: [], shards: ['mc-1'], patienceMs: 8_000 },
    },
    tools,
  };
}

/** Nothing checks types at run time: a misspelt remedy must not be left out in silence. */
function refuseUnknown(what: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw unknownName(`option of ${what}`, unknown, known);
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}

function wholeNumber(key: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InputError(`${key}: ${value} is not allowed; write a whole number from ${least} to ${most}`);
  return value;
}
