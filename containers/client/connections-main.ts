/**
 * The load program of connections: runs inside its client container, talks to the harness by stdin and stdout, and to the cluster's entry in one of
 * memcached's protocols. What it is told in its first line is written by `connections.ts`.
 */
import type { Random } from '../../harness/core/random.ts';
import type { Behaviour, Opening } from '../../harness/load/connections/behaviour.ts';
import { churn } from '../../harness/load/connections/churn.ts';
import { flood } from '../../harness/load/connections/flood.ts';
import { halfClosed } from '../../harness/load/connections/half-closed.ts';
import { herd } from '../../harness/load/connections/herd.ts';
import { leak } from '../../harness/load/connections/leak.ts';
import { connectionLoad } from '../../harness/load/connections/load.ts';
import { neverReading } from '../../harness/load/connections/never-reading.ts';
import { slowSender } from '../../harness/load/connections/slow-sender.ts';
import { type Load, runProgram } from '../../harness/load/program.ts';
import { type Credentials, memcachedProtocol, type ProtocolName } from '../memcached/protocol.ts';
import { addressOf, randomOf } from './settings.ts';

/** A behaviour as plain data; `everyMs` of a herd that comes back only when it was lost is left out. */
export type BehaviourSettings =
  | ({ readonly kind: 'flood' | 'half-closed' } & Omit<Opening, 'atMs'>)
  | ({ readonly kind: 'never-reading'; readonly asks: number } & Omit<Opening, 'atMs'>)
  | ({ readonly kind: 'slow-senders'; readonly bytes: number; readonly everyMs: number } & Omit<Opening, 'atMs'>)
  | { readonly kind: 'churn'; readonly ratePerSecond: number }
  | { readonly kind: 'leak'; readonly ratePerSecond: number; readonly most: number }
  | {
      readonly kind: 'herd';
      readonly members: number;
      readonly everyMs?: number;
      readonly spreadMs: number;
      readonly jitter: 'even' | 'full';
      readonly restMs: number;
    };

export interface ConnectionSettings {
  /** ip:port. */
  readonly entry: string;
  /** The run's seed, added when the load is started. Without one, 0. */
  readonly seed?: number;
  /** Keys begin with it. */
  readonly name: string;
  readonly tenant: string;
  readonly behaviour: BehaviourSettings;
  /** When it begins, ms since the start of the load. */
  readonly atMs: number;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  readonly holdMs?: number;
  readonly closeBy: 'fin' | 'reset';
  readonly ask: 'get' | 'set' | 'version';
  readonly keys: number;
  /** Of what is stored. */
  readonly valueBytes: number;
  readonly protocol: ProtocolName;
  readonly auth?: Credentials;
}

/** Settings to a load. They come from our own builder: only what is added on the way is checked again. Throws InputError. */
function loadOf(settings: unknown): Load {
  const told = settings as ConnectionSettings;
  const { name, tenant, behaviour, timeoutMs, deadlineMs, holdMs, closeBy, ask, keys, auth } = told;
  const random = randomOf(told.seed, name);
  // Large values that nobody reads have to be there.
  const fills = behaviour.kind === 'never-reading';
  const operations = fills ? (['get', 'set'] as const) : ([ask] as const);
  const protocol = memcachedProtocol(told.protocol, {
    keys,
    keyName: (key) => `${name}:${key}`,
    sizes: () => told.valueBytes,
    operations,
    ...(auth ? { auth } : {}),
  });
  const draws = random.fork('keys');
  return connectionLoad({
    address: addressOf(told.entry, 'settings.entry'),
    protocol,
    operation: 0,
    drawKey: () => draws.below(keys),
    behaviour: behaviourOf(behaviour, told.atMs, random.fork('behaviour')),
    tenant,
    timeoutMs,
    deadlineMs,
    ...(holdMs === undefined ? {} : { holdMs }),
    closeBy,
    random: random.fork('ports'),
    ...(fills ? { fill: { operation: 1, keys } } : {}),
  });
}

function behaviourOf(told: BehaviourSettings, atMs: number, random: Random): Behaviour {
  switch (told.kind) {
    case 'flood':
      return flood({ ...told, atMs });
    case 'churn':
      return churn({ ...told, atMs });
    case 'herd':
      return herd({ everyMs: Number.POSITIVE_INFINITY, ...told, atMs }, random);
    case 'half-closed':
      return halfClosed({ ...told, atMs });
    case 'never-reading':
      return neverReading({ ...told, atMs });
    case 'slow-senders':
      return slowSender({ ...told, atMs });
    case 'leak':
      return leak({ ...told, atMs });
  }
}

runProgram(loadOf);
