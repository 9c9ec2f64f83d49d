/**
 * Traffic to Redis as a typed value: `cacheClients` of another protocol.
 *
 * ```ts
 * redisClients({ rate: '2000/s', connections: 50, mix: { get: '90%', set: '10%' }, deadline: '1s', timeout: '250ms', onTimeout: 'reconnect' })
 * ```
 */
import { InputError } from '../../harness/core/errors.ts';
import { linkName } from '../../harness/core/names.ts';
import { type Duration, formatShare, milliseconds, type Share } from '../../harness/core/units.ts';
import { describe, mostPerMinute, peakPerSecond } from '../../harness/load/demand/arrivals.ts';
import { warmUpLimitMs } from '../../harness/load/warm-up.ts';
import { oneLine } from '../../harness/run/oneline.ts';
import type { LoadSpec } from '../../harness/run/types.ts';
import { type DemandOptions, demandFields, demandOf, refuseMisfits } from '../client/demand.ts';
import { exactly, nodeName, oneOf, positiveDuration, wholeNumber } from '../client/fields.ts';
import { footprintOf } from '../client/footprint.ts';
import { getSetMix } from '../client/get-set.ts';
import type { RedisSettings } from './main.ts';

export interface RedisClientsOptions extends DemandOptions {
  /** Connections in the pool: 1 to 9000. */
  readonly connections: number;
  /** How many requests one connection carries at a time, 1 to 1000; answers come in order. Default 1. */
  readonly pipeline?: number;
  /** What is asked, in shares that add up to 100%; what is left out is 0%. */
  readonly mix: { readonly get?: Share; readonly set?: Share };
  /** Answers within this time, counted from due, are good; a request that has no connection by then is abandoned. */
  readonly deadline: Duration;
  /** The client gives up a request this long after it sent it, or began to connect for it. */
  readonly timeout: Duration;
  /** Then the connection is kept until the late answer comes (`fail`), or closed (`reconnect`). */
  readonly onTimeout: 'fail' | 'reconnect';
  /** Who asks, for objectives that tell tenants apart. Default 'everyone'. */
  readonly tenant?: string;
  /** The client node that it runs in. Default 'client-1'. */
  readonly node?: string;
  /** Name of this load, unlike that of any other beside it; its keys begin with it. Default: the node's name. */
  readonly name?: string;
  /** The Redis that it talks to. Default 'redis-1'. */
  readonly entry?: string;
}

/** What `redisClients` accepts. */
export const redisClientsSchema = exactly({
  ...demandFields,
  connections: wholeNumber(1, 9_000),
  pipeline: wholeNumber(1, 1_000).default(1),
  mix: getSetMix,
  deadline: positiveDuration,
  timeout: positiveDuration,
  onTimeout: oneOf(['fail', 'reconnect']),
  tenant: nodeName.default('everyone'),
  node: nodeName.default('client-1'),
  name: nodeName.optional(),
  entry: nodeName.default('redis-1'),
}).superRefine(refuseMisfits);

/** Clients of Redis as a load of a scenario. Throws InputError with one line that names the option. */
export function redisClients(options: RedisClientsOptions): LoadSpec {
  const result = redisClientsSchema.safeParse(options);
  if (!result.success) throw new InputError(`redisClients: ${oneLine(result.error, 'options')}`);
  const { connections, pipeline, mix, node, entry, tenant, name = node, deadline, timeout, onTimeout } = result.data;
  const { arrivals, keys, keyChoice, values } = demandOf(result.data);
  const deadlineMs = milliseconds(deadline);
  const timeoutMs = milliseconds(timeout);
  const settings: RedisSettings = {
    entry: `\${link:${linkName(node, entry)}}`,
    name,
    tenants: [{ name: tenant, share: 1, mix, keys, keyChoice }],
    arrivals,
    values,
    connections,
    depth: pipeline,
    deadlineMs,
    timeoutMs,
    onTimeout,
    shard: entry,
  };
  return {
    name,
    node,
    title: `${describe(arrivals)} over ${connections} connection${connections === 1 ? '' : 's'}, ${formatShare(mix.get)} get`,
    program: { node, program: 'containers/redis/main.ts', settings },
    ratePerSecond: peakPerSecond(arrivals),
    connections,
    requestsPerMinute: mostPerMinute(arrivals),
    ...(pipeline > 1 ? { pipelined: true } : {}),
    ...footprintOf({ name, tenants: settings.tenants, shards: [entry] }),
    prepareMs: warmUpLimitMs(keys),
    longestRequestMs: deadlineMs + timeoutMs,
    shards: [entry],
  };
}
