/**
 * The load program of a client of Redis: runs inside its container, talks to the harness by stdin and stdout, and to Redis in RESP2.
 */
import type { Arrivals } from '../../harness/load/demand/arrivals.ts';
import { sizesOf, type Values } from '../../harness/load/demand/values.ts';
import { type Load, runProgram } from '../../harness/load/program.ts';
import { pooledLoad } from '../../harness/load/request-load.ts';
import { chooseWires } from '../../harness/load/wires/handle.ts';
import { addressOf, randomOf } from '../client/settings.ts';
import { cacheWorkload, keyspaceOf, type TenantSettings } from '../client/workload.ts';
import { redisProtocol } from './resp.ts';

/** What it is told in its first line, written by `clients.ts`. */
export interface RedisSettings {
  /** ip:port. */
  readonly entry: string;
  /** The run's seed, added when the load is started. Without one, 0. */
  readonly seed?: number;
  /** Keys begin with it. */
  readonly name: string;
  readonly tenants: readonly TenantSettings[];
  readonly arrivals: Arrivals;
  readonly values: Values;
  readonly connections: number;
  readonly depth: number;
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly onTimeout: 'fail' | 'reconnect';
  /** The node that owns all keys. */
  readonly shard: string;
}

const ALONE = { index: 0, of: 1 };
const OPERATIONS = ['get', 'set'] as const;

async function loadOf(settings: unknown): Promise<Load> {
  const { entry, seed, name, tenants, arrivals, values, shard, connections, depth, deadlineMs, timeoutMs, onTimeout } = settings as RedisSettings;
  const random = randomOf(seed, name);
  const keyspace = keyspaceOf(name, tenants);
  const sizes = sizesOf(values, keyspace.keys, random.fork('values'));
  const protocol = redisProtocol({ keys: keyspace.keys, keyName: keyspace.nameOf, sizes: (key) => sizes[key] as number, operations: OPERATIONS });
  return pooledLoad({
    asking: { kind: 'schedule', arrivals, part: ALONE },
    workload: cacheWorkload({ tenants, keyspace, operations: OPERATIONS, shards: [shard], part: ALONE, random: random.fork('requests') }),
    random,
    pool: {
      ...addressOf(entry, 'settings.entry'),
      connections,
      depth,
      deadlineMs,
      timeoutMs,
      onTimeout,
      protocol,
      random: random.fork('pool'),
      wires: await chooseWires(),
    },
  });
}

runProgram(loadOf);
