/**
 * What a client with an application's library is told in its first line, written by `library.ts`, and the load that it comes down to. Runs inside the
 * client container.
 */
import { monotonicMs } from '../../harness/core/clock.ts';
import { EnvironmentError } from '../../harness/core/errors.ts';
import type { Outcomes } from '../../harness/load/carrier.ts';
import type { Arrivals } from '../../harness/load/demand/arrivals.ts';
import type { KeyChoice } from '../../harness/load/demand/keys.ts';
import { sizesOf, type Values } from '../../harness/load/demand/values.ts';
import type { Load, Prepared } from '../../harness/load/program.ts';
import type { Workload } from '../../harness/load/protocol.ts';
import { requestLoad } from '../../harness/load/request-load.ts';
import { warmUpLimitMs } from '../../harness/load/warm-up.ts';
import { LibraryCarrier } from './library-carrier.ts';
import { openNpmMemcached } from './library-memcached.ts';
import { isMemjsRequest, openMemjs } from './library-memjs.ts';
import { watchSockets } from './library-sockets.ts';
import { addressOf, randomOf } from './settings.ts';
import { cacheWorkload, type Keyspace, keyspaceOf } from './workload.ts';

export interface LibrarySettings {
  readonly library: 'memcached' | 'memjs';
  /** ip:port. */
  readonly entry: string;
  /** The run's seed, added when the load is started: it decides what is asked. Without one, 0. */
  readonly seed?: number;
  /** Keys begin with it, so that loads beside each other do not share keys. */
  readonly name: string;
  readonly tenant: string;
  readonly arrivals: Arrivals;
  readonly connections: number;
  /** The rest is set. */
  readonly getShare: number;
  readonly keys: number;
  readonly keyChoice: KeyChoice;
  readonly values: Values;
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  /** The names that the proxy knows its servers by, in its order; or the one memcached. */
  readonly shards: readonly string[];
  /** Of npm memcached: how long it refuses requests after an issue. */
  readonly restMs: number;
  /** Of memjs: tries in all. */
  readonly tries: number;
  readonly auth?: { readonly user: string; readonly password: string };
}

/** A library's load is one process. */
const ALONE = { index: 0, of: 1 };
const OPERATIONS = ['get', 'set'] as const;

/** How often requests that failed are offered again and expired ones swept. */
const TURN_MS = 5;

/** Different lines that a library would write on the console and that are told at the end. */
const MOST_COMPLAINTS = 5;

/** Settings to a load. They come from our own builder: only what is filled in on the way is checked again. Throws InputError. */
export function libraryLoad(settings: unknown): Load {
  const client = settings as LibrarySettings;
  const { name, tenant, keys, keyChoice, getShare, shards } = client;
  const random = randomOf(client.seed, name);
  const tenants = [{ name: tenant, share: 1, mix: { get: getShare, set: 1 - getShare }, keys, keyChoice }];
  const keyspace = keyspaceOf(name, tenants);
  const sizes = sizesOf(client.values, keys, random.fork('values'));
  const workload = cacheWorkload({ tenants, keyspace, operations: OPERATIONS, shards, part: ALONE, random: random.fork('requests') });
  const complaints = new Map<string, number>();
  const log = (line: string) => {
    const kept = complaints.has(line) || complaints.size < MOST_COMPLAINTS ? line : 'other things';
    complaints.set(kept, (complaints.get(kept) ?? 0) + 1);
  };
  const carrierFor = carrierOf(client, keyspace, sizes, log);
  const load = requestLoad({
    asking: { kind: 'schedule', arrivals: client.arrivals, part: ALONE },
    workload,
    deadlineMs: client.deadlineMs,
    random,
    warmUp: () => warmUp(carrierFor, workload, client),
  });
  return { prepare: async () => telling(await load.prepare(), complaints, client.library) };
}

function carrierOf(client: LibrarySettings, keyspace: Keyspace, sizes: Uint32Array, log: (line: string) => void): (outcomes: Outcomes) => LibraryCarrier {
  const { library, connections, timeoutMs, restMs, tries, auth } = client;
  const address = addressOf(client.entry, 'settings.entry');
  const common = { ...address, timeoutMs, mostBytes: sizes.reduce((most, bytes) => Math.max(most, bytes), 0) };
  const options = {
    keyName: keyspace.nameOf,
    sizes: (key: number) => sizes[key] as number,
    getOperation: OPERATIONS.indexOf('get'),
    timeoutMs,
  };
  return (outcomes) =>
    new LibraryCarrier(
      {
        ...options,
        open: (events) =>
          library === 'memjs'
            ? {
                sockets: watchSockets(events, isMemjsRequest),
                library: openMemjs({ ...common, clients: connections, tries, log, ...(auth ? { auth } : {}) }),
              }
            : { sockets: watchSockets(events), library: openNpmMemcached({ ...common, poolSize: connections, restMs }) },
      },
      monotonicMs,
      outcomes,
    );
}

/**
 * A carrier that has stored every key: as many at a time as it may have connections, so that it opens them all. What fails is tried again, since a
 * cluster that has just started may refuse for a moment. Throws EnvironmentError when that takes too long.
 */
async function warmUp(open: (outcomes: Outcomes) => LibraryCarrier, { fill }: Workload, client: LibrarySettings): Promise<LibraryCarrier> {
  const again: number[] = [];
  let nextKey = 0;
  let stored = 0;
  let trouble = '';
  const store = (key: number) => carrier.offer(monotonicMs(), fill.operation, key);
  const storeNext = () => {
    while (carrier.underWay < client.connections && nextKey < fill.keys) store(nextKey++);
  };
  const carrier: LibraryCarrier = open({
    answered: () => {
      stored++;
      storeNext();
    },
    failed: (_dueMs, _operation, key, _endedMs, kind) => {
      again.push(key);
      trouble = ` (last trouble: ${kind})`;
    },
    sent: () => undefined,
    connected: () => undefined,
    shortOf: (code) => {
      trouble = ` (last trouble: ${code})`;
    },
  });
  const limitMs = warmUpLimitMs(fill.keys);
  const endMs = monotonicMs() + limitMs;
  while (stored < fill.keys) {
    if (monotonicMs() >= endMs) {
      carrier.close();
      throw new EnvironmentError(
        `the load could not warm up: after ${limitMs / 1_000} s, ${stored} of ${fill.keys} keys were stored at ${client.entry}${trouble}`,
      );
    }
    carrier.sweep();
    // Once a turn, since a library that refuses on the spot would be asked without end.
    again.splice(0, client.connections).forEach(store);
    storeNext();
    await new Promise((resolve) => setTimeout(resolve, TURN_MS));
  }
  return carrier;
}

/** Tells at the end what the library would have written on the console. */
function telling(prepared: Prepared, complaints: ReadonlyMap<string, number>, library: string): Prepared {
  return {
    ...prepared,
    start: (zeroMs, forMs, tell) =>
      prepared.start(zeroMs, forMs, {
        ...tell,
        done: () => {
          for (const [line, times] of complaints) tell.finding('note', `${library} said ${times} times: ${line}`);
          tell.done();
        },
      }),
  };
}
