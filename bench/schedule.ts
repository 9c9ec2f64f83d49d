/**
 * How far from their time requests arrive, seen by the server: at 20,000/s among generators that speak memcached, at 5,000/s with those that
 * speak HTTP, too. A C program that does nothing but look at the clock shows what this machine allows.
 */
import { join } from 'node:path';
import { ROOT } from '../scripts/plain/progress.mjs';
import { CONNECTIONS } from './closed-loop.ts';
import { type Bench, type Measurement, startDriver } from './lib/bench.ts';
import { k6, k6Environment, memtier, oha, vegeta, wrk2 } from './lib/commands.ts';
import { GENERATOR_CORE } from './lib/machine.ts';
import { Program } from './lib/processes.ts';
import { type Contestant, contestantsOf, interleave, ratio, type Sample, settingsOf, spread } from './lib/samples.ts';
import { scheduleOf } from './lib/sink.ts';
import { spreadText, table } from './lib/table.ts';
import type { Target } from './lib/targets.ts';

const KEYS = 10_000;
const HIGH_RATE = 20_000;
const LOW_RATE = 5_000;

export const OURS = 'aftershock';
/** Half of what one request at a time on each connection comes to at its most: from there on, what is due together travels together. */
const PIPELINED_FROM = 50_000;
const ECONOMICAL = 'aftershock, economical pacing';
export const PACER = 'C spinner (reference)';
const at = (ratePerSecond: number): string => `${ratePerSecond.toLocaleString('en-US')}/s over ${CONNECTIONS} connections`;

export const schedule: Measurement = {
  name: 'schedule',
  title: 'Schedule error seen by the server',
  uses: ['cc', 'memtier', 'k6', 'vegeta', 'wrk2', 'oha'],
  async measure(bench) {
    const contestants = [...memcachedContestants(bench, HIGH_RATE, true), ...memcachedContestants(bench, LOW_RATE, true), ...httpContestants(bench, LOW_RATE)];
    return interleave(contestants, bench.rounds, bench.onSample);
  },
  tell(samples) {
    const target = (rate: number, peer: string, bound: number, reach: string): Target => ({
      what: `schedule error seen by the server at ${rate.toLocaleString('en-US')}/s, p99`,
      reach: `${reach} of ${peer}'s`,
      bound,
      side: 'at most',
      measured: ratio(samples, at(rate), OURS, peer, 'errorP99Us'),
      why: `${peer} not found`,
    });
    return {
      targets: [target(HIGH_RATE, 'memtier', 1 / 50, 'a fiftieth'), target(LOW_RATE, 'k6', 1 / 10, 'a tenth'), target(LOW_RATE, 'vegeta', 1 / 3, 'a third')],
      text: settingsOf(samples)
        .map((setting) => scheduleTable(samples, setting))
        .join('\n\n'),
    };
  },
};

/** Ours with exact pacing (and with the economical one that loads have by default), the reference, and the peer that speaks memcached, at one rate. */
export function memcachedContestants(bench: Bench, ratePerSecond: number, withEconomical = false): Contestant[] {
  const setting = at(ratePerSecond);
  const { peers, programs } = bench;
  const enter = (name: string, start: (port: number, seconds: number) => Promise<Program>): Contestant => ({
    setting,
    name,
    run: () => scheduleOf(bench, ratePerSecond, start),
  });
  const ours =
    (pacing: string) =>
    (port: number, seconds: number): Promise<Program> =>
      startDriver('schedule', {
        port,
        connections: CONNECTIONS,
        rate: ratePerSecond,
        seconds,
        pacing,
        keys: KEYS,
        depth: ratePerSecond >= PIPELINED_FROM ? 16 : 1,
      });
  const contestants = [
    enter(OURS, ours('exact')),
    ...(withEconomical ? [enter(ECONOMICAL, ours('economical'))] : []),
    enter(PACER, (port, seconds) => Program.start([programs.pacer, port, ratePerSecond, seconds, CONNECTIONS].map(String), { core: GENERATOR_CORE })),
  ];
  const path = peers.get('memtier')?.path;
  if (path) {
    // Its rate is for each connection.
    const limit = ['--rate-limiting', String(ratePerSecond / CONNECTIONS)];
    const load = (port: number, seconds: number) => ({ port, connections: CONNECTIONS, depth: 1, keys: KEYS, binary: false, seconds });
    contestants.push(
      enter('memtier', (port, seconds) => Program.start([...memtier(path, load(port, Math.ceil(seconds))), ...limit], { core: GENERATOR_CORE })),
    );
  }
  return contestants;
}

function httpContestants(bench: Bench, ratePerSecond: number): Contestant[] {
  const { peers, programs } = bench;
  const contestants: Contestant[] = [];
  const enter = (
    name: string,
    words: (path: string, load: { port: number; connections: number; ratePerSecond: number; seconds: number }) => string[],
    users = 0,
  ): void => {
    const path = peers.get(name)?.path;
    if (path === undefined) return;
    const start = (port: number, seconds: number): Promise<Program> => {
      const load = { port, connections: CONNECTIONS, ratePerSecond, seconds: Math.ceil(seconds) };
      return Program.start(words(path, load), { core: GENERATOR_CORE, ...(users > 0 ? { env: k6Environment(load, users) } : {}) });
    };
    contestants.push({ setting: at(ratePerSecond), name, run: () => scheduleOf(bench, ratePerSecond, start) });
  };
  enter('k6', (path) => k6(path, K6_SCRIPT), CONNECTIONS);
  enter('vegeta', (path, load) => vegeta(path, load, join(programs.scratch, 'vegeta.bin')));
  enter('wrk2', wrk2);
  enter('oha', oha);
  return contestants;
}

export const K6_SCRIPT = join(ROOT, 'bench/constant-rate.k6.js');

export function scheduleTable(samples: readonly Sample[], setting: string): string {
  const text = (name: string, figure: string, scale = 1): string => spreadText(spread(samples, setting, name, figure), scale);
  return table(
    [setting, 'arrived/s', 'error p50, us', 'error p99, us', 'error max, us', 'most in 1 ms', 'cores: generator', `${OURS} / this: error p99`],
    contestantsOf(samples, setting).map((name) => [
      name,
      text(name, 'perSecond'),
      text(name, 'errorP50Us'),
      text(name, 'errorP99Us'),
      text(name, 'errorMaxUs'),
      text(name, 'mostInOneMs'),
      text(name, 'generatorCores'),
      name === OURS ? '' : spreadText(ratio(samples, setting, OURS, name, 'errorP99Us')),
    ]),
  );
}
