/**
 * A load that k6 carries: k6 is started and made ready, let in at time zero, and what it did is told in windows like those of our own engine.
 *
 * k6 never judges: its thresholds do not exist here, and its metrics are read as samples only. A run in which k6 did not do what was planned is invalid.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../../harness/core/clock.ts';
import { InputError } from '../../../harness/core/errors.ts';
import type { Load, Prepared, Tell } from '../../../harness/load/program.ts';
import { Recorder } from '../../../harness/load/recording/recorder.ts';
import type { SavedSeries } from '../../../harness/timeline/records.ts';
import { WINDOW_MS } from '../../../harness/timeline/types.ts';
import { K6Child, type K6End } from './child.ts';
import { type Gate, openGate } from './gate.ts';
import { type Iteration, Iterations } from './iterations.ts';
import { Ledger } from './ledger.ts';
import { LiveTally } from './live-tally.ts';
import { SampleReader } from './samples.ts';
import { LEAD_IN_MS, Schedule, SLACK_MS, type Stages, stagesOf } from './schedule.ts';
import { OTHER, settingsOf } from './settings.ts';
import { WallClock } from './wall-clock.ts';
import { GATE_VARIABLE, SCENARIO, wrapperOf } from './wrapper.ts';

/** The harness waits 15 s for a client that prepares; who knows why should say so before. */
const PREPARE_WITHIN_MS = 14_000;
/** Beyond a whole window the load does not lie where the plan says. */
const MOST_OFFSET_MS = WINDOW_MS;
/** k6 ends by itself when its last iteration has; then it is killed. */
const END_WITHIN_MS = 2_000;
const LOOK_AT_CLOCK_MS = 1_000;

type Settings = ReturnType<typeof settingsOf>;

/** Settings to a load. `command` is how k6 is started. Throws InputError. */
export function k6LoadOf(value: unknown, command: readonly string[] = ['k6']): Load {
  const settings = settingsOf(value);
  const stages = stagesOf(settings.segments, settings.forMs);
  if (new Schedule(stages).planned < 1) throw new InputError(`rate: k6 would start no iteration in the ${settings.forMs} ms of the load`);
  return { prepare: () => prepare(settings, stages, command) };
}

/** Starts k6 and waits until it asks to be let in. Throws what k6 says against it, in one line. */
async function prepare(settings: Settings, stages: Stages, command: readonly string[]): Promise<Prepared> {
  const gate = await openGate();
  const folder = mkdtempSync(join(tmpdir(), 'aftershock-k6-'));
  const load = new K6Load(settings, stages, command, folder, gate);
  const end = await Promise.race([gate.asked, load.ended, load.failed, sleep(PREPARE_WITHIN_MS, 'late' as const, { ref: false })]);
  if (end === undefined) return load;
  load.close();
  if (end === 'late')
    throw new InputError(
      `k6 was not ready within ${PREPARE_WITHIN_MS / 1_000} s; let it make fewer VUs before the load (preAllocatedVUs), or do less in setup`,
    );
  throw new InputError(end.error ?? `k6 ended before the load began (${end.how ?? 'without an error'})`);
}

class K6Load implements Prepared {
  /** k6 opens its connections with the first requests. */
  readonly connections = 0;
  readonly ended: Promise<K6End>;
  /** Resolves with what went wrong before the load was started. */
  readonly failed: Promise<K6End>;
  readonly #failEarly: (end: K6End) => void;
  readonly #settings: Settings;
  readonly #folder: string;
  readonly #gate: Gate;
  readonly #child: K6Child;
  readonly #clock = new WallClock();
  readonly #schedule: Schedule;
  readonly #recorder: Recorder;
  readonly #ledger: Ledger;
  readonly #iterations: Iterations;
  readonly #operations: readonly string[];
  readonly #tally: LiveTally;
  #timers: NodeJS.Timeout[] = [];
  #tell: Tell | undefined;
  #zeroMs = 0;
  #isOffsetTold = false;
  #stoppedAtMs: number | undefined;
  #isOver = false;

  constructor(settings: Settings, stages: Stages, command: readonly string[], folder: string, gate: Gate) {
    const { files, script, entry, timeoutMs, longestMs, deadlineMs, forMs, seed, operations, shard, tenant } = settings;
    const failed = Promise.withResolvers<K6End>();
    this.failed = failed.promise;
    this.#failEarly = failed.resolve;
    this.#settings = settings;
    this.#folder = folder;
    this.#gate = gate;
    this.#operations = [OTHER, ...operations];
    this.#schedule = new Schedule(stages);
    this.#tally = new LiveTally(deadlineMs);
    this.#recorder = new Recorder({
      series: this.#operations.map((operation): SavedSeries => [operation, shard, tenant]),
      deadlineMs,
      cpuMs: () => this.#child.cpuMs(),
    });
    this.#ledger = new Ledger({ schedule: this.#schedule, recorder: this.#recorder, forMs, longestMs });
    this.#iterations = new Iterations(
      { operations, other: OTHER, timeoutMs },
      {
        ended: (iteration) => this.#ended(iteration),
        dropped: (wallMs) => {
          const atMs = this.#atMs(wallMs);
          this.#tally.dropped();
          this.#ledger.add({ atMs, endMs: atMs, series: 0, failed: 'dropped' });
        },
        sent: (wallMs) => this.#recorder.schedule.sent(this.#withinLoad(wallMs)),
        connected: (wallMs) => this.#recorder.schedule.connected(this.#withinLoad(wallMs)),
        trouble: (why) => this.#fail(why),
      },
    );
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const wrapper = join(folder, 'aftershock.js');
    writeFileSync(wrapper, wrapperOf({ ...settings, script, stages, seed }));
    const environment = { ...settings.environment, ENTRY: entry, TIMEOUT: `${timeoutMs}ms`, SEED: String(seed), [GATE_VARIABLE]: gate.url };
    const reader = new SampleReader(SCENARIO, (sample) => this.#iterations.take(sample));
    this.#child = new K6Child(
      { command, folder, wrapper, environment },
      (text) => {
        try {
          if (!this.#isOver) reader.read(text);
        } catch (thrown) {
          this.#fail(thrown instanceof Error ? thrown.message : String(thrown));
        }
      },
      (why) => this.#fail(`the script threw: ${why}`),
    );
    this.ended = this.#child.ended;
  }

  start(zeroMs: number, forMs: number, tell: Tell): void {
    const { forMs: plannedForMs, longestMs } = this.#settings;
    if (forMs !== plannedForMs) throw new InputError(`start: the load was planned for ${plannedForMs} ms, not for ${forMs} ms`);
    this.#tell = tell;
    // What went wrong between being prepared and now had nobody to be told to.
    void this.failed.then(({ error = '' }) => tell.fail(error));
    this.#zeroMs = zeroMs;
    this.#clock.look();
    this.#gate.open(this.#clock.toWall(zeroMs) - LEAD_IN_MS);
    void this.ended.then((end) => this.#finish(end));
    this.#timers = [
      setInterval(() => this.#report(), WINDOW_MS),
      setInterval(() => this.#lookAtClock(), LOOK_AT_CLOCK_MS),
      setTimeout(
        () => this.#fail(`k6 did not end by itself ${longestMs + END_WITHIN_MS} ms after the end of the load, and was killed`),
        zeroMs - monotonicMs() + forMs + SLACK_MS + longestMs + END_WITHIN_MS,
      ),
    ];
  }

  stop(): void {
    this.#stoppedAtMs = this.#nowMs();
    this.#child.stop();
  }

  close(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#child.kill();
    this.#gate.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A moment of k6's clock, ms since time zero. */
  #atMs(wallMs: number): number {
    return this.#clock.toMonotonic(wallMs) - this.#zeroMs;
  }

  /** The same, told as the last moment of the load where k6 came later: no window of the generator lies behind that. */
  #withinLoad(wallMs: number): number {
    return Math.min(this.#atMs(wallMs), this.#settings.forMs - 0.001);
  }

  #nowMs(): number {
    return monotonicMs() - this.#zeroMs;
  }

  #ended({ startMs, endMs, operation, failed }: Iteration): void {
    const series = Math.max(0, this.#operations.indexOf(operation));
    this.#tally.ended(endMs - startMs, failed !== undefined);
    this.#ledger.add({ atMs: this.#atMs(startMs), endMs: this.#atMs(endMs), series, ...(failed === undefined ? {} : { failed }) });
  }

  #report(): void {
    if (this.#isOver) return;
    const atMs = this.#nowMs();
    const { connections } = this.#iterations;
    // k6 has no event loop that could stand; this only lets the processor time be read.
    this.#recorder.schedule.woke(atMs, atMs);
    const taken = this.#ledger.take(atMs, connections);
    this.#recorder.takeTally();
    this.#tell?.report({ atMs, ...taken, tally: this.#tally.take(), connections });
    this.#tellOffset();
  }

  /** How far beside time zero k6 began, for whoever wants to know: its iterations are told as due by its own zero. */
  #tellOffset(): void {
    const { offsetMs } = this.#ledger;
    if (this.#isOffsetTold || offsetMs === undefined) return;
    this.#isOffsetTold = true;
    this.#tell?.gauges(this.#nowMs(), { 'k6.offsetMs': Math.round(offsetMs * 1_000) / 1_000 });
  }

  #lookAtClock(): void {
    const setMs = this.#clock.look();
    if (setMs !== 0) this.#fail(`the wall clock was set by ${Math.round(setMs)} ms during the load, and k6 tells times by it`);
  }

  /** k6 has ended, and everything that it wrote was read. */
  #finish({ how, error }: K6End): void {
    if (this.#isOver || !this.#tell) return;
    const tell = this.#tell;
    const atMs = this.#nowMs();
    const cutMs = this.#stoppedAtMs ?? (how === undefined ? undefined : atMs);
    const taken = this.#ledger.takeAll(this.#iterations.connections, cutMs);
    tell.report({ atMs, ...taken, tally: this.#tally.take(), connections: this.#iterations.connections });
    this.#tellOffset();
    if (how !== undefined && this.#stoppedAtMs === undefined) {
      this.#fail(`k6 ended ${Math.round(atMs)} ms after time zero (${how})${error === undefined ? '' : `: ${error}`}; ${this.#account()}`);
      return;
    }
    if (this.#stoppedAtMs === undefined) for (const text of this.#objections()) tell.finding('invalid', text);
    this.#isOver = true;
    tell.done();
  }

  /** What speaks against a load that went to its end, a line each. */
  #objections(): string[] {
    const { started, dropped, surplus, outOfTurnMs, offsetMs = 0 } = this.#ledger;
    const { longestMs } = this.#settings;
    const texts: string[] = [];
    if (started + dropped !== this.#schedule.planned || surplus > 0) texts.push(this.#account());
    if (outOfTurnMs > 0)
      texts.push(`an iteration took ${Math.round(outOfTurnMs)} ms, and the longest allowed is ${longestMs} ms; write a longer one (longest: '...')`);
    if (Math.abs(offsetMs) > MOST_OFFSET_MS) texts.push(`k6 began ${offsetMs.toFixed(1)} ms beside time zero; ${MOST_OFFSET_MS} ms at most would do`);
    return texts;
  }

  #account(): string {
    const { started, dropped } = this.#ledger;
    const { underWay } = this.#iterations;
    const cut = underWay > 0 ? `; ${underWay} more did not end` : '';
    return `k6 started ${started} and dropped ${dropped} iterations, ${started + dropped} of the ${this.#schedule.planned} that were planned${cut}`;
  }

  #fail(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#tell) this.#tell.fail(why);
    else this.#failEarly({ error: why });
  }
}
