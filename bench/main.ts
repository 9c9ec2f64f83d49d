/**
 * `npm run bench`: measures our load generator against others, side by side, and writes `bench/RESULTS.md`. See docs/benchmarks.md.
 *
 * Exit codes: 0 when every target that could be measured was reached, 1 when one was not, 2 for words that mean nothing, 3 when a measurement could not be
 * made here.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AftershockError, EnvironmentError, EXIT, type ExitCode, messageOf } from '../harness/core/errors.ts';
import { ROOT } from '../scripts/plain/progress.mjs';
import { closedLoop } from './closed-loop.ts';
import { flood } from './flood.ts';
import { held } from './held.ts';
import type { Bench, Measurement } from './lib/bench.ts';
import { cleanUp } from './lib/clean-up.ts';
import { adviceFor, installPeers } from './lib/install.ts';
import { describeMachine, type Machine, QUIET_CORES, requireMachine } from './lib/machine.ts';
import { type Options, readOptions, USAGE } from './lib/options.ts';
import { type FoundPeer, findPeers, PEERS } from './lib/peers.ts';
import { compilePrograms } from './lib/programs.ts';
import { report, summaryOf, type Told } from './lib/report.ts';
import type { Sample } from './lib/samples.ts';
import { load, type Stored, save } from './lib/store.ts';
import { short } from './lib/table.ts';
import { type Target, targetTable, verdictOf } from './lib/targets.ts';
import { pipelined } from './pipelined.ts';
import { ratesHeld } from './rates-held.ts';
import { recording } from './recording-speed.ts';
import { schedule } from './schedule.ts';
import { soak } from './soak.ts';
import { stall } from './stall.ts';

/** In the order in which they run and are told. */
const MEASUREMENTS: readonly Measurement[] = [closedLoop, pipelined, schedule, ratesHeld, stall, flood, held, recording, soak];
const RESULTS = 'bench/RESULTS.md';

const interrupt = new AbortController();
for (const [signal, code] of [
  ['SIGINT', EXIT.interrupted],
  ['SIGTERM', EXIT.terminated],
  ['SIGHUP', EXIT.terminated],
] as const) {
  process.on(signal, () => {
    if (interrupt.signal.aborted) return;
    say('interrupted; ending what is under way');
    interrupt.abort(new Error('interrupted'));
    // Programs under way are ended with us (see lib/processes.ts).
    void cleanUp(say).then(() => process.exit(code));
  });
}

async function main(args: readonly string[]): Promise<ExitCode> {
  const names = MEASUREMENTS.map(({ name }) => name);
  const options = readOptions(
    args,
    names,
    PEERS.map(({ name }) => name),
  );
  if (options.help) {
    process.stdout.write(`${USAGE}\nMeasurements: ${names.join(', ')}. Without a name, all but soak run.\n`);
    return EXIT.asExpected;
  }
  requireMachine();
  const chosen = MEASUREMENTS.filter(({ name, onlyByName }) => (options.names.length > 0 ? options.names.includes(name) : !onlyByName));
  const wanted = PEERS.filter(({ name }) => !options.without.includes(name) && chosen.some(({ uses }) => uses.includes(name)));
  await installPeers(wanted, options.install, interrupt.signal);
  const peers = await findPeers(wanted);
  const programs = await compilePrograms(peers.get('cc')?.path, peers.get('go')?.path);
  const machine = await describeMachine();
  if (machine.busyCores > QUIET_CORES)
    say(`this machine is not quiet: ${short(machine.busyCores)} cores are busy with other things, and the figures will show it`);

  const { rounds, seconds, minutes, quick } = options;
  const bench: Bench = { rounds, seconds, minutes, quick, peers, programs, onSample: tellSample, say };
  const failed: string[] = [];
  const targets: Target[] = [];
  for (const measurement of chosen) {
    say(`${measurement.name}: ${measurement.title}`);
    try {
      requirePeers(measurement, peers);
      const samples = await measurement.measure(bench);
      targets.push(...measurement.tell(samples).targets);
      if (quick) process.stdout.write(`${measurement.tell(samples).text}\n\n`);
      else keep(storedOf(measurement, samples, options, machine, peers));
    } catch (thrown) {
      // What fails because it was interrupted says nothing.
      if (interrupt.signal.aborted) return new Promise<never>(() => undefined);
      if (!(thrown instanceof AftershockError)) throw thrown;
      failed.push(measurement.name);
      say(`${measurement.name} could not be measured: ${thrown.message}`);
    }
  }
  process.stdout.write(`${targetTable(targets)}\n${summaryOf(targets)}\n`);
  if (!quick && failed.length < chosen.length) say(`written: ${RESULTS}`);
  if (failed.length > 0) return EXIT.environment;
  return targets.some((target) => verdictOf(target) === 'not reached') ? EXIT.notAsExpected : EXIT.asExpected;
}

/** Keeps the rounds and tells everything that was ever kept: a run of one measurement leaves the others' results where they are. */
function keep(measured: Stored): void {
  save(measured);
  const told = MEASUREMENTS.flatMap((measurement): Told[] => {
    const stored = load(measurement.name);
    return stored ? [{ measurement, stored }] : [];
  });
  const unmeasured = MEASUREMENTS.map(({ name }) => name).filter((name) => !told.some(({ measurement }) => measurement.name === name));
  writeFileSync(join(ROOT, RESULTS), report(told, PEERS, unmeasured));
}

function storedOf(
  { name, uses }: Measurement,
  samples: readonly Sample[],
  { rounds, seconds }: Options,
  machine: Machine,
  peers: ReadonlyMap<string, FoundPeer>,
): Stored {
  const versions = Object.fromEntries([...peers].flatMap(([peer, { version }]) => (uses.includes(peer) ? [[peer, version]] : [])));
  return { head: { measurement: name, at: new Date().toISOString(), rounds, seconds, node: process.versions.node, machine, peers: versions }, samples };
}

/** Throws EnvironmentError when something is missing that the measurement cannot do without. */
function requirePeers({ uses }: Measurement, found: ReadonlyMap<string, FoundPeer>): void {
  const lacking = PEERS.filter(({ name, indispensable }) => indispensable && uses.includes(name) && !found.has(name));
  if (lacking.length > 0) throw new EnvironmentError(lacking.map((peer) => `${peer.name} is missing; ${adviceFor(peer)}`).join('; '));
}

function tellSample({ setting, contestant, round, figures }: Sample): void {
  const first = Object.entries(figures).slice(0, 4);
  say(`  round ${round}, ${setting}: ${contestant}: ${first.map(([name, value]) => `${name} ${short(value)}`).join(', ')}`);
}

function say(line: string): void {
  process.stderr.write(`[bench] ${line}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  say(messageOf(thrown));
  process.exitCode = thrown instanceof AftershockError ? thrown.exitCode : EXIT.internal;
  if (process.exitCode === EXIT.internal && thrown instanceof Error) process.stderr.write(`${thrown.stack}\n`);
}
