/**
 * Traffic by the libraries of real applications, as typed values: the same kind of load as `cacheClients`, carried by code that somebody else wrote, so that
 * what our own clients see can be held against what an application would.
 *
 * ```ts
 * libraryClients({ library: 'memcached', rate: '500/s', connections: 10, mix: { get: '90%', set: '10%' }, deadline: '1s', timeout: '250ms' })
 * ```
 * Their node needs the packages beside it: `withLibrary(cache({ ... }), { node: 'app-1', entry: 'edge' })` adds one to a cluster.
 */
import { z } from 'zod';
import type { ClusterSpec, NodeSpec } from '../../harness/cluster/spec.ts';
import { InputError, unknownName } from '../../harness/core/errors.ts';
import { linkName } from '../../harness/core/names.ts';
import { type Duration, formatShare, milliseconds, type Share } from '../../harness/core/units.ts';
import { describe, mostPerMinute, peakPerSecond } from '../../harness/load/demand/arrivals.ts';
import { mostBytes } from '../../harness/load/demand/values.ts';
import { warmUpLimitMs } from '../../harness/load/warm-up.ts';
import { oneLine } from '../../harness/run/oneline.ts';
import type { LoadSpec } from '../../harness/run/types.ts';
import { type DemandOptions, demandFields, demandOf, refuseMisfits } from './demand.ts';
import { exactly, nodeName, oneOf, positiveDuration, wholeNumber } from './fields.ts';
import { namesMiB } from './footprint.ts';
import { getSetMix } from './get-set.ts';
import type { LibrarySettings } from './library-load.ts';
import { CLIENT_SOURCES, client } from './node.ts';
import { packageFolders } from './packages.ts';

export interface LibraryClientsOptions extends DemandOptions {
  /**
   * - `memcached`: npm memcached 2.2, the text protocol, so that it can talk to proxies. All it sends goes over one connection, whatever the size of its pool, and
   *   it never gives up a request by itself.
   * - `memjs`: npm memjs 1.3, the binary protocol, so that it talks straight to a memcached, with SASL where it has `auth`. One connection for each client,
   *   so `connections` is the number of clients, which are asked in turn.
   */
  readonly library: 'memcached' | 'memjs';
  /** The size of the pool (memcached), or the number of clients (memjs): 1 to 1000. */
  readonly connections: number;
  /** What is asked, in shares that add up to 100%; what is left out is 0%. */
  readonly mix: { readonly get?: Share; readonly set?: Share };
  /** Answers within this time, counted from due, are good. */
  readonly deadline: Duration;
  /** The application waits no longer than this for the library, counted from asking it. It is also the library's own bound for connecting and, in memjs, for each try. */
  readonly timeout: Duration;
  /** memcached: it refuses all requests for this long after a connection failed or an answer was SERVER_ERROR. Its own default is 30 s. Default '1s'. */
  readonly rest?: Duration;
  /** memjs: tries in all, 200 ms apart, 1 to 10. Default 2, which is its own. */
  readonly tries?: number;
  /** memjs: logs in with SASL PLAIN. */
  readonly auth?: { readonly user: string; readonly password: string };
  /** Who asks, for objectives that tell tenants apart. Default 'everyone'. */
  readonly tenant?: string;
  /** The client node that it runs in; it has to have the libraries (`withLibrary`). Default 'app-1'. */
  readonly node?: string;
  /** Name of this load, unlike that of any other beside it; its keys begin with it. Default: the node's name. */
  readonly name?: string;
  /** The node that it talks to. Default 'edge' for memcached and 'mc-1' for memjs. */
  readonly entry?: string;
  /** memcached: the nodes behind the entry, mc-1 to mc-N. Default 4. */
  readonly backends?: number;
  /** memcached: their names, in the proxies' order, where they are called otherwise. */
  readonly shards?: readonly string[];
}

/** What the client nodes have installed beside their programs: `library-load.ts` imports them all. */
const PACKAGES = ['memcached', 'memjs'];

const word = z.string({ error: 'missing; write some text' }).min(1, { error: "'' is not allowed; write some text" });

/** What `libraryClients` accepts. */
export const libraryClientsSchema = exactly({
  ...demandFields,
  library: oneOf(['memcached', 'memjs']),
  connections: wholeNumber(1, 1_000),
  mix: getSetMix,
  deadline: positiveDuration,
  timeout: positiveDuration,
  rest: positiveDuration.optional(),
  tries: wholeNumber(1, 10).optional(),
  auth: exactly({ user: word, password: word }).optional(),
  tenant: nodeName.default('everyone'),
  node: nodeName.default('app-1'),
  name: nodeName.optional(),
  entry: nodeName.optional(),
  backends: wholeNumber(1, 150).optional(),
  shards: z.array(nodeName).min(1, { error: 'none are named; name one or more nodes' }).optional(),
})
  .superRefine(refuseMisfits)
  .superRefine((options, context) => {
    const foreign = options.library === 'memjs' ? (['rest', 'backends', 'shards'] as const) : (['tries', 'auth'] as const);
    const other = options.library === 'memjs' ? 'memcached' : 'memjs';
    for (const key of foreign)
      if (options[key] !== undefined)
        context.addIssue({ code: 'custom', path: [key], message: `not allowed with the library ${options.library}; only ${other} has it` });
  });

/** Clients that use an application's library, as a load of a scenario. Throws InputError with one line that names the option. */
export function libraryClients(options: LibraryClientsOptions): LoadSpec {
  const result = libraryClientsSchema.safeParse(options);
  if (!result.success) throw new InputError(`libraryClients: ${oneLine(result.error, 'options')}`);
  const { library, connections, mix, node, backends = 4, auth, rest = '1s', tries = 2, tenant, ...client } = result.data;
  const entry = client.entry ?? (library === 'memjs' ? 'mc-1' : 'edge');
  const name = client.name ?? node;
  const shards = library === 'memjs' ? [entry] : (client.shards ?? Array.from({ length: backends }, (_, index) => `mc-${index + 1}`));
  const demand = demandOf(result.data);
  const settings: LibrarySettings = {
    library,
    entry: `\${link:${linkName(node, entry)}}`,
    name,
    tenant,
    ...demand,
    connections,
    getShare: mix.get,
    deadlineMs: milliseconds(client.deadline),
    timeoutMs: milliseconds(client.timeout),
    shards,
    restMs: milliseconds(rest),
    tries,
    ...(auth ? { auth } : {}),
  };
  return {
    name,
    node,
    title: `${describe(demand.arrivals)} by npm ${library} over ${connections} connection${connections === 1 ? '' : 's'}, ${formatShare(settings.getShare)} get`,
    program: { node, program: 'containers/client/library-main.ts', settings },
    ratePerSecond: peakPerSecond(demand.arrivals),
    requestsPerMinute: mostPerMinute(demand.arrivals),
    connections,
    // A name is the load's, ':' and a number.
    longestItemBytes: mostBytes(demand.values) + `${name}:${settings.keys}`.length,
    memoryMiB: namesMiB(settings.keys, `${name}:${settings.keys}`.length),
    // The library sends what it is asked at once, however much is under way on a connection.
    pipelined: true,
    prepareMs: warmUpLimitMs(settings.keys),
    longestRequestMs: settings.timeoutMs,
    shards,
  };
}

/** A client node that has the libraries beside its programs. */
export function libraryClient(name: string): NodeSpec {
  return { ...client(name), sources: [...CLIENT_SOURCES, ...packageFolders(PACKAGES)] };
}

/** The same cluster with a client node more that has the libraries, and a link from it to the entry. Throws InputError for a node that is there, and for an entry that is not. */
export function withLibrary(cluster: ClusterSpec, { node = 'app-1', entry }: { readonly node?: string; readonly entry: string }): ClusterSpec {
  const names = cluster.nodes.map(({ name }) => name);
  if (names.includes(node)) throw new InputError(`withLibrary: node '${node}' is there already; give it another name`);
  const { port } = cluster.nodes.find(({ name }) => name === entry) ?? {};
  if (port === undefined) throw unknownName('entry', entry, names);
  return { ...cluster, nodes: [...cluster.nodes, libraryClient(node)], links: [...cluster.links, { from: node, to: entry, port }] };
}
