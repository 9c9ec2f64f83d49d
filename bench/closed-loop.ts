/**
 * One GET in flight on each of 50 connections: what a generator costs per request, and how much it gets out of one core.
 */
import { InvalidRunError } from '../harness/core/errors.ts';
import { type Bench, lastLine, type Measurement, startDriver } from './lib/bench.ts';
import { type Load, mcCrusher, memcaslap, memcslap, memtier, mutilate } from './lib/commands.ts';
import { GENERATOR_CORE, SERVER_CORE } from './lib/machine.ts';
import { Memcached } from './lib/memcached.ts';
import { output, Program } from './lib/processes.ts';
import { type Contestant, contestantsOf, type Figures, interleave, ratio, type Sample, spread } from './lib/samples.ts';
import { spreadOf } from './lib/statistics.ts';
import { spreadText, table } from './lib/table.ts';
import type { Target } from './lib/targets.ts';
import { lookAt } from './lib/window.ts';

const SETTING = 'text, 50 connections, 1 in flight, 10,000 keys';
const KEYS = 10_000;
export const CONNECTIONS = 50;
export const OURS = 'aftershock';
export const OURS_PUBLIC = "aftershock, Node's public API";
export const OURS_BARE = 'aftershock, recording off';

/** Longer than anybody is looked at: generators are stopped when the look is over. */
export const LONG_SECONDS = 60;
const PATIENCE_MS = 10_000;

export const closedLoop: Measurement = {
  name: 'closed-loop',
  title: 'One request in flight per connection',
  uses: ['memcached', 'memtier', 'memcaslap', 'memcslap', 'mc-crusher', 'mutilate'],
  async measure(bench) {
    await using server = await Memcached.start({ core: SERVER_CORE, keys: KEYS });
    const load: Load = { port: server.port, connections: CONNECTIONS, depth: 1, keys: KEYS, binary: false, seconds: LONG_SECONDS };
    const contestants: Contestant[] = [
      { setting: SETTING, name: OURS, run: () => lookAtDriver(bench, server, { protocol: 'text', depth: 1, keys: KEYS, recording: 'on' }) },
      {
        setting: SETTING,
        name: OURS_PUBLIC,
        run: () => lookAtDriver(bench, server, { protocol: 'text', depth: 1, keys: KEYS, recording: 'on', wire: 'public' }),
      },
      { setting: SETTING, name: OURS_BARE, run: () => lookAtDriver(bench, server, { protocol: 'text', depth: 1, keys: KEYS, recording: 'off' }) },
      ...(await memcachedPeers(bench, server, SETTING, load)),
    ];
    return await interleave(contestants, bench.rounds, bench.onSample);
  },
  tell(samples) {
    const target = (figure: string, name: string, peer: string, bound: number): Target => ({
      what: `one GET in flight, text, ${CONNECTIONS} connections: ${name}`,
      reach: `${bound} x ${peer}`,
      bound,
      side: 'at least',
      measured: ratio(samples, SETTING, OURS, peer, figure),
      why: `${peer} not found`,
    });
    return {
      targets: [
        target('opsPerCpuSecond', 'requests per CPU second of the generator', 'memtier', 1.4),
        target('opsPerCpuSecond', 'requests per CPU second of the generator', 'memcaslap', 1.25),
        target('opsPerCpuSecond', 'requests per CPU second of the generator', 'mc-crusher', 1),
        target('opsPerSecond', 'throughput', 'memtier', 1.4),
        target('opsPerSecond', 'throughput', 'memcaslap', 0.95),
      ],
      text: throughputTable(samples, SETTING, [
        [OURS, 'ours / this: requests per CPU s', 'opsPerCpuSecond'],
        [OURS, 'ours / this: requests/s', 'opsPerSecond'],
      ]),
    };
  },
};

/** The peers that speak memcached, as contestants on one server. */
export async function memcachedPeers({ peers, seconds, programs }: Bench, server: Memcached, setting: string, load: Load): Promise<Contestant[]> {
  const look = async (words: string[]): Promise<Figures> => lookAndStop(await Program.start(words, { core: GENERATOR_CORE }), server, seconds);
  const contestants: Contestant[] = [];
  const enter = (name: string, words: (path: string) => string[]): void => {
    const peer = peers.get(name);
    if (peer) contestants.push({ setting, name, run: () => look(words(peer.path)) });
  };
  enter('memtier', (path) => memtier(path, load));
  if (load.depth === 1 && !load.binary) {
    enter('memcaslap', (path) => memcaslap(path, load, programs.scratch));
    enter('memcslap', (path) => memcslap(path, { ...load, seconds: 6 + 2 * Math.ceil(seconds) }));
  }
  enter('mc-crusher', (path) => mcCrusher(path, load, programs.scratch));
  const mutilatePath = peers.get('mutilate')?.path;
  if (mutilatePath) {
    await output(mutilate(mutilatePath, load, true));
    enter('mutilate', (path) => mutilate(path, load, false));
  }
  return contestants;
}

interface DriverLoad {
  readonly protocol: 'text' | 'meta' | 'binary';
  readonly depth: number;
  readonly keys: number;
  readonly recording: 'on' | 'off';
  /** Left out: what a load takes by itself, Node's internal handle where it can be had. */
  readonly wire?: 'public';
}

/** Ours, looked at in the same way as everybody else; its own count is held against the server's. */
export async function lookAtDriver({ seconds, say }: Bench, server: Memcached, { wire, ...load }: DriverLoad): Promise<Figures> {
  const before = await server.stats();
  const driver = await startDriver('closed', { port: server.port, connections: CONNECTIONS, seconds: LONG_SECONDS, wire: wire ?? 'best', ...load });
  const figures = await lookAndStop(driver, server, seconds);
  const { ops, errors } = await lastLine<{ ops: number; errors: number }>(driver, PATIENCE_MS);
  const counted = ((await server.stats())['cmd_get'] ?? 0) - (before['cmd_get'] ?? 0);
  if (errors > 0) say(`${OURS}: ${errors} requests failed`);
  if (ops + errors !== counted) throw new InvalidRunError(`the generator counted ${ops + errors} requests and the server ${counted}`);
  return figures;
}

async function lookAndStop(generator: Program, server: Memcached, seconds: number): Promise<Figures> {
  try {
    return await lookAt(generator, server, seconds * 1_000);
  } finally {
    await generator.stop();
  }
}

/** Everybody's throughput and cost, and ours in relation: of each [contestant, label, figure], what it has of that figure / what this one has. */
export function throughputTable(samples: readonly Sample[], setting: string, relations: readonly (readonly [string, string, string])[]): string {
  const figures = ['opsPerSecond', 'cpuUsPerOp', 'generatorCores', 'serverCores'];
  const rows = contestantsOf(samples, setting).map((name) => [
    name,
    ...figures.map((figure) => spreadText(spread(samples, setting, name, figure))),
    ...relations.map(([ours, , figure]) => (ours === name ? '' : spreadText(ratio(samples, setting, ours, name, figure)))),
  ]);
  const heads = [setting, 'requests/s', 'CPU us per request', 'cores: generator', 'cores: server', ...relations.map(([, label]) => label)];
  const others = spreadOf(samples.flatMap(({ setting: its, figures: { otherCores } }) => (its === setting && otherCores !== undefined ? [otherCores] : [])));
  return `${table(heads, rows)}\n\nCores that everything else on the machine used meanwhile: ${spreadText(others)}.`;
}
