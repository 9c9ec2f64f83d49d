/**
 * What every driver has in common: its options, a client of memcached with keys like everybody else's, and the one line that it prints.
 *
 * A driver runs the load engine in its own process, as a load program inside a client container does, without the harness around it.
 */
import { parseArgs } from 'node:util';
import { memcachedProtocol, type ProtocolName } from '../../containers/memcached/protocol.ts';
import { InputError, messageOf } from '../../harness/core/errors.ts';
import { type Random, seeded } from '../../harness/core/random.ts';
import { keyChooser } from '../../harness/load/demand/keys.ts';
import type { PoolOptions } from '../../harness/load/pool/pool-options.ts';
import type { Protocol, Workload } from '../../harness/load/protocol.ts';
import { wiresAskedFor } from '../../harness/load/wires/asked-for.ts';
import { chooseWires, type Wires } from '../../harness/load/wires/handle.ts';
import type { SavedSeries } from '../../harness/timeline/records.ts';
import { FIRST_KEY, KEY_PREFIX, VALUE_BYTES } from '../lib/memcached.ts';

/** Places in the list of operations. */
export const GET = 0;
const SET = 1;
const OPERATIONS = ['get', 'set'] as const;

/** Requests are told apart by shard in what is recorded: as many as in a small cluster, though there is one server here. */
const SHARDS = 4;

/** Longer than any stall that a measurement makes: nothing is given up, and what waits is waited for. */
const PATIENCE_MS = 30_000;

type Kind = 'number' | 'text';

/** `--port 11211 --protocol text`, as an object; those with a value in `defaults` may be left out. Ends the process with exit code 2 for anything else. */
export function optionsOf<const Shape extends Record<string, Kind>>(
  shape: Shape,
  defaults: Partial<Record<keyof Shape, string>> = {},
): { [Key in keyof Shape]: Shape[Key] extends 'number' ? number : string } {
  try {
    const { values } = parseArgs({ options: Object.fromEntries(Object.keys(shape).map((name) => [name, { type: 'string' as const }])) });
    const read = Object.entries(shape).map(([name, kind]) => {
      const text = (values[name] as string | undefined) ?? defaults[name];
      if (text === undefined) throw new InputError(`--${name} is missing`);
      if (kind === 'text') return [name, text];
      if (text.trim() === '' || !Number.isFinite(Number(text))) throw new InputError(`--${name}: '${text}' is no number`);
      return [name, Number(text)];
    });
    return Object.fromEntries(read);
  } catch (thrown) {
    process.stderr.write(
      `${messageOf(thrown)}; options: ${Object.keys(shape)
        .map((name) => `--${name}`)
        .join(', ')}\n`,
    );
    process.exit(2);
  }
}

export const random: Random = seeded(1);

/** Keys behind all others, for rehearsals: the sink knows them by their names. */
const REHEARSED = 1_000;

/** As many keys as are asked for, and behind them those of rehearsals. */
export function protocolOf(name: string, keys: number): Protocol {
  const nameOf = (prefix: string, number: number) =>
    prefix + String(FIRST_KEY + number).padStart(KEY_PREFIX.length + String(FIRST_KEY).length - prefix.length, '0');
  const keyName = (key: number) => (key < keys ? nameOf(KEY_PREFIX, key) : nameOf('rehearsal:', key - keys));
  return memcachedProtocol(name as ProtocolName, { keys: keys + REHEARSED, keyName, sizes: () => VALUE_BYTES, operations: OPERATIONS });
}

/** Gets of the keys for rehearsals. */
export function rehearsalOf(keys: number): Workload {
  const workload = getsOf(REHEARSED, false);
  const { next } = workload;
  return Object.assign(workload, {
    next() {
      next();
      Object.assign(workload, { key: workload.key + keys });
    },
  });
}

/** Gets of keys that are drawn evenly; each belongs to one of the shards. With `fill` every key is stored before. */
export function getsOf(keys: number, fill: boolean): Workload {
  const draw = keyChooser({ kind: 'uniform' }, keys, random.fork('keys'));
  const series = OPERATIONS.flatMap((operation) => Array.from({ length: SHARDS }, (_, shard): SavedSeries => [operation, `mc-${shard + 1}`, 'everyone']));
  const workload = {
    series,
    operation: GET,
    key: 0,
    fill: { operation: SET, keys: fill ? keys : 0 },
    seriesOf: (operation: number, key: number) => operation * SHARDS + (key % SHARDS),
    next() {
      workload.key = draw();
    },
  };
  return workload;
}

/** 'public', 'internal', or 'best' for what a load takes by itself. */
export function wiresOf(name: string): Promise<Wires> {
  return chooseWires(name === 'best' ? undefined : wiresAskedFor(name));
}

export async function poolOf(options: { port: number; connections: number; depth: number; wire: string }, protocol: Protocol): Promise<PoolOptions> {
  const { port, connections, depth, wire } = options;
  return {
    host: '127.0.0.1',
    port,
    connections,
    depth,
    deadlineMs: PATIENCE_MS,
    timeoutMs: PATIENCE_MS,
    onTimeout: 'reconnect',
    protocol,
    random: random.fork('pool'),
    wires: await wiresOf(wire),
  };
}

/** Prints the result, and ends. */
export function finish(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

export function fail(why: string): void {
  process.stderr.write(`${why}\n`, () => process.exit(1));
}
