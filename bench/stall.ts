/**
 * The server stands still for a second in a run of ten. Requests that fall due meanwhile wait for up to a second, a tenth of all: by arithmetic the
 * 99th percentile is 900 ms. What does each tool say?
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONNECTIONS } from './closed-loop.ts';
import { type Bench, type Measurement, startDriver } from './lib/bench.ts';
import { type HttpLoad, k6, k6Environment, memcaslap, memtier, mutilate, oha, vegeta, wrk, wrk2 } from './lib/commands.ts';
import { GENERATOR_CORE, SERVER_CORE } from './lib/machine.ts';
import { Memcached } from './lib/memcached.ts';
import { output, Program } from './lib/processes.ts';
import { type Contestant, contestantsOf, type Figures, interleave, type Sample, spread } from './lib/samples.ts';
import { Sink } from './lib/sink.ts';
import { spreadText, table } from './lib/table.ts';
import { type Told, toldByK6, toldByMemcaslap, toldByMemtier, toldByMutilate, toldByOha, toldByVegeta, toldByWrk } from './lib/tellings.ts';
import { begun } from './lib/window.ts';
import { K6_SCRIPT } from './schedule.ts';

const SETTING = 'server stopped for a tenth of the run';
const KEYS = 10_000;
const RATE = 10_000;
const HTTP_RATE = 2_000;
/** The effect is a thousandfold: two rounds of each peer are enough, and leave time for more of ours. */
const PEER_ROUNDS = 2;

const OURS = `aftershock, open loop, ${RATE.toLocaleString('en-US')}/s`;

interface Run {
  readonly bench: Bench;
  readonly seconds: number;
  readonly stallMs: number;
}

export const stall: Measurement = {
  name: 'stall',
  title: 'What a stall of the server looks like',
  uses: ['memcached', 'cc', 'memtier', 'memcaslap', 'mutilate', 'k6', 'vegeta', 'wrk2', 'wrk', 'oha'],
  measure: (bench) => {
    const seconds = bench.quick ? 3 : 10;
    const run = { bench, seconds, stallMs: seconds * 100 };
    return interleave([ours(run), ...memcachedPeers(run), ...httpPeers(run)], bench.rounds, bench.onSample);
  },
  tell: (samples) => ({
    targets: [
      {
        what: 'server stopped for 1 s in a run of 10 s: reported p99, off the true 900 ms by',
        reach: 'within 5%',
        bound: 0.05,
        side: 'at most',
        measured: spread(samples, SETTING, OURS, 'p99Error'),
        text: (value) => `${(value * 100).toFixed(2)}%`,
      },
      {
        what: 'the same: requests dropped or failed',
        reach: 'none',
        bound: 0,
        side: 'at most',
        measured: spread(samples, SETTING, OURS, 'dropped'),
        text: String,
      },
    ],
    text: stallTable(samples),
  }),
};

function ours(run: Run): Contestant {
  const { bench, seconds } = run;
  return memcachedContestant(run, OURS, undefined, async (server) => {
    const driver = await startDriver('schedule', { port: server.port, connections: CONNECTIONS, rate: RATE, seconds, pacing: 'exact', keys: KEYS });
    return {
      program: driver,
      loadHasBegun: () => driver.says('begun'),
      tell: (stdout) => {
        const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as { p99Us: number; maxUs: number; answered: number; failed: number; due: number };
        bench.say(`${OURS}: ${told.answered} of ${told.due} answered`);
        return { p99Ms: told.p99Us / 1_000, maxMs: told.maxUs / 1_000, sent: told.answered, dropped: RATE * seconds - told.answered };
      },
    };
  });
}

function memcachedPeers(run: Run): Contestant[] {
  const { bench, seconds } = run;
  const { peers, programs } = bench;
  const load = (server: Memcached) => ({ port: server.port, connections: CONNECTIONS, depth: 1, keys: KEYS, binary: false, seconds });
  const start = (words: readonly string[]): Promise<Program> => Program.start(words, { core: GENERATOR_CORE });
  const contestants: Contestant[] = [];
  const enter = (name: string, startIt: (server: Memcached) => Promise<Started>): void => {
    contestants.push(memcachedContestant(run, name, PEER_ROUNDS, startIt));
  };
  const [memtierPath, memcaslapPath, mutilatePath] = ['memtier', 'memcaslap', 'mutilate'].map((name) => peers.get(name)?.path);
  if (memtierPath) {
    const json = join(programs.scratch, 'memtier.json');
    const tell = (): Told => toldByMemtier(readFileSync(json, 'utf8'));
    const perConnection = RATE / CONNECTIONS;
    enter('memtier, closed loop', async (server) => ({ program: await start([...memtier(memtierPath, load(server)), '--json-out-file', json]), tell }));
    enter(`memtier, --rate-limiting ${perConnection}`, async (server) => ({
      program: await start([...memtier(memtierPath, load(server)), '--rate-limiting', String(perConnection), '--json-out-file', json]),
      tell,
    }));
  }
  if (memcaslapPath) {
    enter('memcaslap, closed loop', async (server) => ({
      program: await start([...memcaslap(memcaslapPath, load(server), programs.scratch), '--stat_freq', `${seconds}s`]),
      tell: toldByMemcaslap,
    }));
  }
  if (mutilatePath) {
    enter('mutilate, closed loop', async (server) => {
      await output(mutilate(mutilatePath, load(server), true));
      return { program: await start(mutilate(mutilatePath, load(server), false)), tell: toldByMutilate };
    });
  }
  return contestants;
}

function httpPeers(run: Run): Contestant[] {
  const { bench, seconds } = run;
  const { peers, programs } = bench;
  const contestants: Contestant[] = [];
  const enter = (peer: string, name: string, start: (path: string, load: HttpLoad) => Promise<Started>): void => {
    const path = peers.get(peer)?.path;
    if (path) contestants.push(httpContestant(run, name, (port) => start(path, { port, connections: CONNECTIONS, ratePerSecond: HTTP_RATE, seconds })));
  };
  const pinned = (words: readonly string[], env: Record<string, string> = {}): Promise<Program> => Program.start(words, { core: GENERATOR_CORE, env });
  for (const users of [CONNECTIONS, 2_500]) {
    enter('k6', `k6, ${users.toLocaleString('en-US')} users`, async (path, load) => ({
      program: await pinned(k6(path, K6_SCRIPT), k6Environment(load, users)),
      tell: toldByK6,
    }));
  }
  for (const more of [[], ['-max-workers=50']]) {
    const results = join(programs.scratch, 'vegeta.bin');
    enter('vegeta', ['vegeta', ...more].join(', '), async (path, load) => ({
      program: await pinned(vegeta(path, load, results, more)),
      tell: async () => toldByVegeta(await output([path, 'report', '-type=json', results])),
    }));
  }
  enter('wrk2', 'wrk2', async (path, load) => ({ program: await pinned(wrk2(path, load)), tell: toldByWrk }));
  enter('wrk', 'wrk, closed loop', async (path, load) => ({ program: await pinned(wrk(path, load)), tell: toldByWrk }));
  for (const more of [[], ['--latency-correction']]) {
    enter('oha', ['oha', ...more].join(', '), async (path, load) => ({ program: await pinned(oha(path, load, more)), tell: toldByOha }));
  }
  return contestants;
}

interface Started {
  readonly program: Program;
  /** For one that asks for something before its load; of all others the server is asked. */
  readonly loadHasBegun?: () => Promise<void>;
  /** What it says of its latencies, from what it printed. */
  readonly tell: (stdout: string) => Told | Promise<Told>;
}

function memcachedContestant(run: Run, name: string, rounds: number | undefined, start: (server: Memcached) => Promise<Started>): Contestant {
  const measure = async (): Promise<Figures> => {
    await using server = await Memcached.start({ core: SERVER_CORE, keys: KEYS });
    const started = await start(server);
    return await stalled(run, started, server.program, started.loadHasBegun ?? (() => begun(started.program, server)));
  };
  return { setting: SETTING, name, run: measure, ...(rounds === undefined ? {} : { rounds }) };
}

function httpContestant(run: Run, name: string, start: (port: number) => Promise<Started>): Contestant {
  const measure = async (): Promise<Figures> => {
    await using sink = await Sink.start(run.bench, HTTP_RATE);
    return await stalled(run, await start(sink.port), sink.program, () => sink.program.says('first'));
  };
  return { setting: SETTING, name, run: measure, rounds: PEER_ROUNDS };
}

/** Stops the server in the middle of the run, and compares what the generator says with what is true. */
async function stalled({ bench, seconds, stallMs }: Run, { program, tell }: Started, server: Program, loadHasBegun: () => Promise<void>): Promise<Figures> {
  try {
    await loadHasBegun();
    await sleep((seconds / 2) * 1_000);
    server.signal('SIGSTOP');
    const stoppedAt = performance.now();
    await sleep(stallMs);
    server.signal('SIGCONT');
    const stoodMs = performance.now() - stoppedAt;
    const { stdout } = await program.finish(seconds * 1_000 + 30_000);
    const told = await tell(stdout);
    // Of a steady stream, the last hundredth to wait is what fell due in the first hundredth of the run's length after the stop.
    const trueP99Ms = stoodMs - (seconds * 1_000) / 100;
    bench.say(`the server stood still for ${stoodMs.toFixed(1)} ms`);
    return {
      ...(told as Figures),
      stoodMs,
      ...(told.p99Ms === undefined ? {} : { p99Error: Math.abs(told.p99Ms / trueP99Ms - 1), p99OfTruth: told.p99Ms / trueP99Ms }),
    };
  } finally {
    server.signal('SIGCONT');
    await program.stop('SIGKILL');
  }
}

function stallTable(samples: readonly Sample[]): string {
  const text = (name: string, figure: string, scale = 1): string => spreadText(spread(samples, SETTING, name, figure), scale);
  return table(
    ['', 'reported p99, ms (true: 900)', 'reported max, ms (true: 1,000)', 'reported p99 / truth', 'sent', 'dropped by its own count'],
    contestantsOf(samples, SETTING).map((name) => [
      name,
      text(name, 'p99Ms'),
      text(name, 'maxMs'),
      text(name, 'p99OfTruth'),
      text(name, 'sent'),
      text(name, 'dropped'),
    ]),
  );
}
