/**
 * Traffic as a typed value: clients of a cache.
 *
 * `cacheClients` asks by a schedule, whether or not earlier requests were answered, over a pool of connections, as the users of an
 * application do. `cacheWorkers` is a fixed crowd of workers with a connection each, who wait for their answers.
 *
 * ```ts
 * cacheClients({ rate: '2000/s', connections: 50, mix: { get: '90%', set: '10%' }, deadline: '1s', timeout: '250ms', onTimeout: 'reconnect' })
 * cacheWorkers({ workers: 1500, thinks: '1s', mix: { get: '100%' }, deadline: '1s', timeout: '250ms', onTimeout: 'reconnect' })
 * ```
 */
import { InputError } from '../../harness/core/errors.ts';
import { type Duration, formatMs, formatShare, milliseconds } from '../../harness/core/units.ts';
import { describe, endOf, mostPerMinute, peakPerSecond } from '../../harness/load/demand/arrivals.ts';
import { mostBytes } from '../../harness/load/demand/values.ts';
import { prepareLimitMs } from '../../harness/load/warm-up.ts';
import { oneLine } from '../../harness/run/oneline.ts';
import type { LoadSpec } from '../../harness/run/types.ts';
import { type DemandOptions, demandOf } from './demand.ts';
import { footprintOf, nameBytesOf, storedMiB } from './footprint.ts';
import { type ClientFields, type ClientOptions, cacheClientsSchema, cacheWorkersSchema, settingsOf } from './options.ts';
import { type ClientSettings, NUMBER_BYTES } from './settings.ts';

export { CLIENT_SOURCES } from './node.ts';
export type { ClientOptions, RetryOption, TenantOption, UseOption } from './options.ts';

export interface CacheClientsOptions extends DemandOptions, ClientOptions {
  /**
   * Connections in the pool: 1 to 9000. All are open when the load starts; one that was lost is opened again by the next request
   * that finds no other free (see `reconnect`), so a pool under little load stays smaller after a fault.
   */
  readonly connections: number;
  /** How many requests one connection carries at a time, 1 to 1000; answers come in order. Default 1, as most clients do. */
  readonly pipeline?: number;
  /** Processes that share the load, 1 to 16: one drives some 100,000 requests a second. Default 1. */
  readonly processes?: number;
  /**
   * How exactly requests go out when they are due: with timers, some tenths of a millisecond late (`economical`), or to some tens of microseconds, for
   * which a core of the machine should be free (`exact`). Default 'economical'.
   */
  readonly pacing?: 'economical' | 'exact';
}

export interface CacheWorkersOptions extends ClientOptions, Omit<DemandOptions, 'rate' | 'arrivals'> {
  /** Each has one connection of its own, for which no other asks: 1 to 9000. */
  readonly workers: number;
  /** From the end of a worker's requests to its next, '0ms' for at once. */
  readonly thinks: Duration;
  /** Each think drawn from an exponential distribution with that mean, instead of all the same. Default false. */
  readonly jitter?: boolean;
  /** Requests that a worker sends together; it goes on when all have ended. 1 to 1000, default 1. */
  readonly batch?: number;
  /** As of `cacheClients`; the workers are divided among them. */
  readonly processes?: number;
}

/** Clients as a load of a scenario. Throws InputError with one line that names the option. */
export function cacheClients(options: CacheClientsOptions): LoadSpec {
  const result = cacheClientsSchema.safeParse(options);
  if (!result.success) throw new InputError(`cacheClients: ${oneLine(result.error, 'options')}`);
  const { connections, pipeline, processes, pacing, ...client } = result.data;
  const { arrivals } = demandOf(client);
  const settings: ClientSettings = {
    ...settingsOf(client, connections),
    asking: { kind: 'schedule', arrivals },
    depth: pipeline,
    ...(pacing === undefined ? {} : { pacing }),
  };
  return loadSpec(client, settings, {
    title: `${describe(arrivals)} over ${counted(connections, 'connection')}`,
    ratePerSecond: peakPerSecond(arrivals),
    mostPerMinute: mostPerMinute(arrivals),
    processes,
    exactPacing: pacing === 'exact',
    endsMs: endOf(arrivals),
    pipelined: pipeline > 1,
  });
}

/** Workers as a load of a scenario. Throws InputError with one line that names the option. */
export function cacheWorkers(options: CacheWorkersOptions): LoadSpec {
  const result = cacheWorkersSchema.safeParse(options);
  if (!result.success) throw new InputError(`cacheWorkers: ${oneLine(result.error, 'options')}`);
  const { workers, thinks, jitter, batch, processes, ...client } = result.data;
  const thinkMs = milliseconds(thinks);
  // What they come to when answers take no time: the most that they can ask for.
  const ratePerSecond = Math.min(MOST_PER_PROCESS * processes, thinkMs > 0 ? (workers * batch * 1_000) / thinkMs : MOST_PER_PROCESS * processes);
  const settings: ClientSettings = {
    ...settingsOf(client, workers),
    asking: { kind: 'workers', batch, thinkMs, jitter },
    depth: batch,
  };
  return loadSpec(client, settings, {
    title: `${counted(workers, 'worker')} thinking ${formatMs(thinkMs)}${batch > 1 ? `, ${batch} requests at once` : ''}`,
    ratePerSecond,
    mostPerMinute: ratePerSecond * 60,
    processes,
    pipelined: batch > 1,
    closedLoop: true,
  });
}

/** What one process can ask of a cache beside it on loopback with one request at a time on each connection: requests a second. */
const MOST_PER_PROCESS = 130_000;

interface Outline {
  readonly title: string;
  /** Requests at the peak, and in the fullest minute. */
  readonly ratePerSecond: number;
  readonly mostPerMinute: number;
  readonly processes: number;
  readonly pipelined: boolean;
  readonly exactPacing?: boolean;
  readonly endsMs?: number | undefined;
  readonly closedLoop?: boolean;
}

function loadSpec(client: ClientFields, settings: ClientSettings, outline: Outline): LoadSpec {
  const { title, ratePerSecond, mostPerMinute, processes, pipelined, exactPacing = false, endsMs, closedLoop = false } = outline;
  const { name, deadlineMs, timeoutMs, connections, shards } = settings;
  if (processes > connections) throw new InputError(`processes: ${processes} cannot share ${counted(connections, 'connection')}; let there be fewer`);
  return {
    name,
    node: client.node,
    title: `${title}, ${mixInWords(settings.tenants)}`,
    program: { node: client.node, program: 'containers/client/main.ts', settings },
    ratePerSecond,
    requestsPerMinute: mostPerMinute,
    connections,
    ...(processes > 1 ? { processes } : {}),
    ...(pipelined ? { pipelined } : {}),
    ...(endsMs === undefined ? {} : { endsMs }),
    ...(exactPacing ? { exactPacing } : {}),
    ...(closedLoop ? { closedLoop } : {}),
    ...(settings.retry && settings.retry.budgetShare === undefined ? { mostRetries: settings.retry.tries - 1 } : {}),
    ...connects(settings, outline),
    ...footprintOf(settings),
    storesMiB: storedMiB(settings, settings.values),
    longestItemBytes: Math.max(NUMBER_BYTES, mostBytes(settings.values)) + nameBytesOf(settings),
    prepareMs: prepareLimitMs(
      settings.tenants.reduce((sum, { keys }) => sum + keys, 0),
      deadlineMs + timeoutMs,
    ),
    longestRequestMs: deadlineMs + timeoutMs,
    shards,
  };
}

/** Connections that it opens anew: for each request, for each that is old, or for each that was forgotten. */
function connects(
  { use, connections }: ClientSettings,
  { ratePerSecond, mostPerMinute }: Outline,
): Pick<LoadSpec, 'connectsPerSecond' | 'connectsPerMinute' | 'leaks'> {
  if (use === 'per-request') return { connectsPerSecond: ratePerSecond, connectsPerMinute: mostPerMinute };
  if (typeof use !== 'object') return {};
  if ('forMs' in use) return { connectsPerSecond: (connections * 1_000) / use.forMs };
  return { connectsPerSecond: ratePerSecond * use.leakShare, connectsPerMinute: mostPerMinute * use.leakShare, leaks: true };
}

function mixInWords(tenants: ClientSettings['tenants']): string {
  if (tenants.length > 1) return `${tenants.length} tenants`;
  const mix = Object.entries(tenants[0]?.mix ?? {}).filter(([, share]) => share > 0);
  const [first] = mix;
  // One share says it all of two.
  if (mix.length <= 2 && first)
    return `${formatShare(mix.find(([name]) => name === 'get')?.[1] ?? first[1])} ${mix.some(([name]) => name === 'get') ? 'get' : first[0]}`;
  return mix.map(([name, share]) => `${formatShare(share)} ${name}`).join(', ');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
