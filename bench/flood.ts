/**
 * How fast 16,000 connections are opened, each proved by one request and its answer, and what memory each takes, against a Go program.
 */

import { EnvironmentError } from '../harness/core/errors.ts';
import { type Bench, lastLine, type Measurement, startDriver } from './lib/bench.ts';
import { GENERATOR_CORE, SERVER_CORE } from './lib/machine.ts';
import { FIRST_KEY, KEY_PREFIX, Memcached, VALUE_BYTES } from './lib/memcached.ts';
import { Program } from './lib/processes.ts';
import { type Contestant, contestantsOf, type Figures, interleave, ratio, type Sample, spread } from './lib/samples.ts';
import { spreadText, table } from './lib/table.ts';

export const COUNT = 16_000;
const OPENING_AT_ONCE = 128;
const PATIENCE_MS = 60_000;
const SETTING = `${COUNT.toLocaleString('en-US')} connections, ${OPENING_AT_ONCE} being opened at a time`;

const PUBLIC = "aftershock, Node's public API";
const INTERNAL = 'aftershock, internal handle';
const GO = 'Go';
const GO_READER = 'Go, a reader for each connection';

/** What every opener of connections prints. */
export interface FloodResult {
  readonly opened: number;
  readonly failed: number;
  readonly firstError?: string;
  readonly ms: number;
  readonly connectionsPerSecond: number;
  readonly cpuUsPerConnection: number;
  readonly rssBytesPerConnection: number;
}

export const flood: Measurement = {
  name: 'flood',
  title: 'Opening connections',
  uses: ['memcached', 'go'],
  measure: (bench) => {
    const { goFlood } = bench.programs;
    const options = { count: COUNT, openingAtOnce: OPENING_AT_ONCE, keys: 1 };
    const driver = (wire: string) => (port: number) => startDriver('flood', { port, ...options, wire }, ['--expose-gc']);
    const go = (program: string, reader: boolean) => (port: number) => {
      const words = [
        program,
        '-port',
        port,
        '-count',
        COUNT,
        '-opening-at-once',
        OPENING_AT_ONCE,
        '-key',
        `${KEY_PREFIX}${FIRST_KEY}`,
        '-value-bytes',
        VALUE_BYTES,
      ];
      return Program.start([...words.map(String), ...(reader ? ['-reader'] : [])], { core: GENERATOR_CORE });
    };
    const contestants: Contestant[] = [
      { setting: SETTING, name: PUBLIC, run: () => openAll(bench, driver('public')) },
      { setting: SETTING, name: INTERNAL, run: () => openAll(bench, driver('internal')) },
      ...(goFlood === undefined
        ? []
        : [
            { setting: SETTING, name: GO, run: () => openAll(bench, go(goFlood, false)) },
            { setting: SETTING, name: GO_READER, run: () => openAll(bench, go(goFlood, true)) },
          ]),
    ];
    return interleave(contestants, bench.rounds, bench.onSample);
  },
  tell: (samples) => {
    const why = 'Go not found';
    return {
      targets: [
        {
          what: `${COUNT.toLocaleString('en-US')} echo-verified connections, public API, local ports named: connections per second`,
          reach: '0.9 x a Go program',
          bound: 0.9,
          side: 'at least',
          measured: ratio(samples, SETTING, PUBLIC, GO, 'connectionsPerSecond'),
          why,
        },
        {
          what: 'the same, internal handle, local ports named: connections per second',
          reach: '1.2 x a Go program',
          bound: 1.2,
          side: 'at least',
          measured: ratio(samples, SETTING, INTERNAL, GO, 'connectionsPerSecond'),
          why,
        },
        {
          what: 'the same, internal handle: memory per connection',
          reach: '0.4 x Go with a reader each',
          bound: 0.4,
          side: 'at most',
          measured: ratio(samples, SETTING, INTERNAL, GO_READER, 'rssBytesPerConnection'),
          why,
        },
      ],
      text: floodTable(samples),
    };
  },
};

/** A fresh server for each, so that nobody profits from what it kept of the connections before. */
async function openAll(bench: Bench, start: (port: number) => Promise<Program>): Promise<Figures> {
  await using server = await Memcached.start({ core: SERVER_CORE, connections: COUNT, keys: 1 });
  const program = await start(server.port);
  const { firstError, ...figures } = await lastLine<FloodResult>(program, PATIENCE_MS);
  if (figures.failed > 0) bench.say(`${program.name}: ${figures.failed} connections failed (${firstError ?? 'no reason told'})`);
  if (figures.opened === 0) throw new EnvironmentError(`${program.name} opened no connection (${firstError ?? 'no reason told'})`);
  return figures;
}

function floodTable(samples: readonly Sample[]): string {
  const text = (name: string, figure: string): string => spreadText(spread(samples, SETTING, name, figure));
  const relation = (name: string, to: string, figure: string): string => (name === to ? '' : spreadText(ratio(samples, SETTING, name, to, figure)));
  return table(
    [SETTING, 'connections/s', 'CPU us each', 'memory each, bytes', 'failed', `this / ${GO}: connections/s`, `this / ${GO_READER}: memory`],
    contestantsOf(samples, SETTING).map((name) => [
      name,
      text(name, 'connectionsPerSecond'),
      text(name, 'cpuUsPerConnection'),
      text(name, 'rssBytesPerConnection'),
      text(name, 'failed'),
      relation(name, GO, 'connectionsPerSecond'),
      relation(name, GO_READER, 'rssBytesPerConnection'),
    ]),
  );
}
