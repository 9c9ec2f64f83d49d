/**
 * Cache tiers as typed values: `cache(...)` is the whole of it, `bareCache()` one memcached with nothing before it.
 *
 * ```
 * client-1 .. client-N -> edge (HAProxy) -> proxy-1, proxy-2 (twemproxy) -> mc-1 .. mc-4 (memcached)
 * ```
 * Every arrow is a link through Toxiproxy, so every hop can be disturbed. Each client has an address and a link of its own, so that tenants can be told
 * apart and disturbed one by one; but what stands behind a link sees Toxiproxy's address.
 */
import type { ClusterSpec, LinkSpec, NodeSpec } from '../harness/cluster/spec.ts';
import { InputError, unknownName } from '../harness/core/errors.ts';
import { linkEnds, linkName, matchingLinks } from '../harness/core/names.ts';
import { client } from './client/node.ts';
import { wholeNumber } from './counts.ts';
import { EDGE_PORT, haproxy } from './haproxy/index.ts';
import { MEMCACHED_PORT, memcached } from './memcached/index.ts';
import { withSkewable } from './skewable.ts';
import { type SmallDisks, withSmallDisks } from './small-disks.ts';
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
  /** Client nodes, client-1 to client-N, each with a link of its own to the edge. Default 1. */
  readonly clients?: number;
  /** Hops that are dialled by name instead of over a link, as a pattern: 'client-* -> edge', 'proxy-* -> mc-*'. HAProxy asks for names at its start alone, so 'edge -> proxy-*' cannot be. */
  readonly byName?: string;
  /** Nodes whose wall clocks can be put wrong, as a pattern: 'proxy-*', 'client-1'. */
  readonly skewable?: string;
  /** Small filesystems that can be filled, by node pattern and path, in MiB: { 'mc-*': { '/var/log': 8 } }. */
  readonly smallDisks?: SmallDisks;
}

export interface BareCacheOptions {
  /** Client nodes, client-1 to client-N, each with a link of its own to mc-1. Default 1. */
  readonly clients?: number;
  /** Hops that are dialled by name instead of over a link, as a pattern: 'client-* -> mc-1'. */
  readonly byName?: string;
  /** Nodes whose wall clocks can be put wrong, as a pattern: 'client-1'. */
  readonly skewable?: string;
  /** Small filesystems that can be filled, by node pattern and path, in MiB: { 'mc-1': { '/var/log': 8 } }. */
  readonly smallDisks?: SmallDisks;
}

/** Each client is a container of 512 MiB at most: 16 are 8 GiB. */
const MOST_CLIENTS = 16;

/** A cache cluster behind proxies and an edge. Throws InputError naming the option. */
export function cache(options: CacheOptions): ClusterSpec {
  refuseUnknown('cache', options, ['backends', 'proxies', 'proxyTimeout', 'eject', 'connectionsPerServer', 'clients', 'byName', 'skewable', 'smallDisks']);
  const { backends, proxies, proxyTimeout, eject, connectionsPerServer } = options;
  const clients = clientNames(options);
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
    title: `${backends} memcached behind ${proxies} twemproxy behind HAProxy${forClients(clients)}`,
    nodes: given(options, [
      ...servers.map((name) => memcached(name)),
      ...tier.map((name) => twemproxy(name, settings)),
      haproxy('edge', { servers: tier }),
      ...clients.map(client),
    ]),
    ...hopsOf(options.byName, [
      ...clients.map((from) => ({ from, to: 'edge', port: EDGE_PORT })),
      ...tier.map((proxy) => ({ from: 'edge', to: proxy, port: TWEMPROXY_PORT })),
      ...tier.flatMap((proxy) => servers.map((server) => ({ from: proxy, to: server, port: MEMCACHED_PORT }))),
    ]),
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

/** One memcached, mc-1, with nothing between it and each client but a link. Throws InputError naming the option. */
export function bareCache(options: BareCacheOptions = {}): ClusterSpec {
  refuseUnknown('bareCache', options, ['clients', 'byName', 'skewable', 'smallDisks']);
  const clients = clientNames(options);
  return {
    title: `one memcached${forClients(clients)}`,
    nodes: given(options, [memcached('mc-1'), ...clients.map(client)]),
    ...hopsOf(
      options.byName,
      clients.map((from) => ({ from, to: 'mc-1', port: MEMCACHED_PORT })),
    ),
    ready: {
      node: 'client-1',
      program: 'containers/client/ready.ts',
      settings: { entry: '${link:client-1 -> mc-1}', proxies: [], shards: ['mc-1'], patienceMs: 8_000 },
    },
    tools,
  };
}

/** What some nodes have so that faults can be done to them. Throws InputError. */
function given({ skewable, smallDisks }: Pick<CacheOptions, 'skewable' | 'smallDisks'>, nodes: readonly NodeSpec[]): readonly NodeSpec[] {
  return withSmallDisks(smallDisks, withSkewable(skewable, nodes));
}

/** Hops by name, and all others by link. Throws InputError. */
function hopsOf(byName: string | undefined, hops: readonly LinkSpec[]): Pick<ClusterSpec, 'links' | 'byName'> {
  if (byName === undefined) return { links: hops };
  const named = linkEnds(byName) ? matchingLinks(byName, hops) : [];
  const known = hops.map(({ from, to }) => linkName(from, to)).join(', ');
  if (named.length === 0) throw new InputError(`byName: no hop fits '${byName}'; known: ${known}`);
  const fixed = named.find(({ from }) => from === 'edge');
  if (fixed)
    throw new InputError(`byName: '${byName}' names ${linkName(fixed.from, fixed.to)}, but HAProxy asks for names at its start alone; leave it a link`);
  return { links: hops.filter((hop) => !named.includes(hop)), byName: named };
}

/** Nothing checks types at run time: a misspelt remedy must not be left out in silence. */
function refuseUnknown(what: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw unknownName(`option of ${what}`, unknown, known);
}

function clientNames({ clients = 1 }: BareCacheOptions): string[] {
  return numbered('client', wholeNumber('clients', clients, 1, MOST_CLIENTS));
}

/** ', for 3 clients'; one goes without saying. */
function forClients(clients: readonly string[]): string {
  return clients.length > 1 ? `, for ${clients.length} clients` : '';
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}
