import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Channel } from '../cluster/channel.ts';
import type { ProgramSpec } from '../cluster/spec.ts';
import { monotonicMs } from '../core/clock.ts';
import { InvalidRunError } from '../core/errors.ts';
import type { Command, Frame } from '../load/frames.ts';
import { Histogram } from '../timeline/histogram.ts';
import { requestsOf } from '../timeline/phases.ts';
import { readTimeline } from '../timeline/read.ts';
import { Load } from './loads.ts';
import { RunLog } from './log.ts';
import type { Tick } from './observer.ts';
import type { LoadSpec } from './types.ts';

const spec: LoadSpec = {
  name: 'main',
  node: 'client-1',
  title: '20/s',
  program: { node: 'client-1', program: 'x.ts', settings: { rate: 20 } },
  ratePerSecond: 20,
  connections: 2,
  longestRequestMs: 10,
  shards: ['mc-1'],
};

/** A program as the harness sees it: told what to do, and made to say and end as a test wants. */
class Program implements Channel {
  readonly spec: ProgramSpec;
  readonly heard: Command[] = [];
  readonly #listeners: ((message: Record<string, unknown>) => void)[] = [];
  readonly #ended = Promise.withResolvers<{ code: number; stderr: string }>();
  readonly ended = this.#ended.promise;
  closed = false;
  gone = false;

  constructor(program: ProgramSpec) {
    this.spec = program;
  }

  send(message: object): void {
    if (this.gone) throw new Error('it has ended');
    const command = message as Command;
    this.heard.push(command);
    if (command.do === 'ping') this.say({ frame: 'pong', id: command.id, clockMs: monotonicMs() });
  }

  onMessage(listener: (message: Record<string, unknown>) => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.closed = true;
  }

  say(frame: Frame): void {
    for (const listener of this.#listeners) listener(frame as unknown as Record<string, unknown>);
  }

  die(stderr = 'out of memory'): void {
    this.gone = true;
    this.#ended.resolve({ code: 137, stderr });
  }
}

const progress = (atMs: number, p99Ms: number): Frame => ({ frame: 'progress', atMs, due: 10, answered: 9, good: 8, failed: 1, p99Ms, connections: 25 });

/** Window 0 of one series: so many requests, each answered in a millisecond. */
function windowsOf(due: number): Frame {
  const latency = new Histogram();
  for (let i = 0; i < due; i++) latency.record(1_000);
  const s = ['get', 'mc-1', 'everyone'] as const;
  return {
    frame: 'windows',
    windows: [{ type: 'window', at: 0, s, due, answered: due, good: due, misses: 0, failed: {}, latency: latency.encode(), gaveUp: new Histogram().encode() }],
    completions: [{ type: 'completion', at: 0, s, answered: due, failed: 0, firstAnswerAt: 1, lastAnswerAt: 90 }],
    generator: [{ at: 0, due, late: 0, p99LatenessMs: 0.1, maxLatenessMs: 0.2, maxLoopDelayMs: 0.3, connections: 1, connects: 0, sent: due }],
  };
}

describe('a load of several programs', () => {
  let folder: string;
  let log: RunLog;
  let programs: Program[];
  let ticks: (Tick & { load: string })[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'aftershock-loads-'));
    writeFileSync(join(folder, 'plan.json'), '{}');
    log = new RunLog(folder, (thrown) => {
      throw thrown;
    });
    programs = [];
    ticks = [];
  });

  afterEach(() => {
    log.close();
    rmSync(folder, { recursive: true });
  });

  const open = (processes?: number, forMs?: number) =>
    Load.open(
      { ...spec, ...(processes === undefined ? {} : { processes }) },
      7,
      {
        openProgram: async (program) => {
          const made = new Program(program);
          programs.push(made);
          return made;
        },
      },
      log,
      { tick: (tick) => ticks.push(tick) },
      forMs,
    );

  const prepared = async (processes?: number) => {
    const load = await open(processes);
    for (const program of programs) program.say({ frame: 'prepared', connections: 1 });
    await load.prepare(log);
    load.start(log.start(0), 100);
    return load;
  };

  it('tells each its part beside the same seed, and a single one that it has all of it', async () => {
    await open(3);
    expect(programs.map((program) => program.spec.settings)).toEqual([0, 1, 2].map((index) => ({ rate: 20, seed: 7, part: { index, of: 3 } })));
    programs.length = 0;
    await open();
    expect(programs.map((program) => program.spec.settings)).toEqual([{ rate: 20, seed: 7, part: { index: 0, of: 1 } }]);
  });

  it('tells each for how long it will run where that is known, and nothing of it where it is not', async () => {
    await open(2, 90_000);
    expect(programs.map((program) => program.spec.settings)).toEqual([0, 1].map((index) => ({ rate: 20, seed: 7, part: { index, of: 2 }, forMs: 90_000 })));
    programs.length = 0;
    await open(2);
    expect(programs.map((program) => Object.keys(program.spec.settings as object))).toEqual([0, 1].map(() => ['rate', 'seed', 'part']));
  });

  it('keeps their windows as records of their own, which add up, and tells their schedules apart by name', async () => {
    const load = await prepared(2);
    programs[0]?.say(windowsOf(30));
    programs[1]?.say(windowsOf(70));
    for (const program of programs) program.say({ frame: 'done' });
    await load.finish(100, async (thrown) => Promise.reject(thrown));
    log.end(100);
    const timeline = readTimeline(folder);
    expect(timeline.windows.map(({ at, due }) => [at, due])).toEqual([
      [0, 30],
      [0, 70],
    ]);
    expect(timeline.generator.map((window) => [window.load, window.due])).toEqual([
      ['main', 30],
      ['main#2', 70],
    ]);
    expect(requestsOf(timeline, 'before')).toMatchObject({ due: 100, good: 100 });
  });

  it('starts them at one moment, stops them all even when one is gone, and closes them all', async () => {
    const load = await prepared(2);
    const starts = programs.map((program) => program.heard.find((command) => command.do === 'start'));
    // The clocks were aligned one by one, to a fraction of a millisecond.
    expect(Math.abs((starts[0]?.atMs ?? 0) - (starts[1]?.atMs ?? 1e9))).toBeLessThan(20);
    (programs[0] as Program).gone = true;
    expect(() => load.stop()).toThrow('it has ended');
    expect(programs[1]?.heard.at(-1)).toEqual({ do: 'stop' });
    load.close();
    expect(programs.map((program) => program.closed)).toEqual([true, true]);
  });

  it('is finished when the last of them is', async () => {
    const load = await prepared(2);
    let finished = false;
    const finish = load.finish(100, async (thrown) => Promise.reject(thrown)).then(() => (finished = true));
    programs[1]?.say({ frame: 'done' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(finished).toBe(false);
    programs[0]?.say({ frame: 'done' });
    await finish;
  });

  it('fails at once and once, whichever of them fail, by the name of the first', async () => {
    const load = await prepared(3);
    const failures: string[] = [];
    const finish = load.finish(100, async (thrown) => {
      failures.push((thrown as Error).message);
    });
    programs[1]?.die();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(failures).toEqual(["load 'main#2' ended by itself (exit 137): out of memory"]);
    programs[2]?.say({ frame: 'failed', why: 'too' });
    programs[0]?.say({ frame: 'done' });
    await finish;
    expect(failures).toHaveLength(1);
  });

  it.each<[string, string, string]>([
    [
      'an error, its place before it and its stack behind it',
      "/app/harness/load/program.ts:7\n    throw new RangeError('no room: 3');\n    ^\n\nRangeError: no room: 3\n    at serve (/app/harness/load/program.ts:7:11)\n    at main.ts:3:1\n\nNode.js v24.1.0\n",
      'RangeError: no room: 3',
    ],
    [
      'an error with a code',
      'node:internal/modules/esm/resolve:275\n    throw new ERR_MODULE_NOT_FOUND(\n          ^\n\nError [ERR_MODULE_NOT_FOUND]: Cannot find module x\n    at finalizeResolution\n\nNode.js v24.1.0',
      'Error [ERR_MODULE_NOT_FOUND]: Cannot find module x',
    ],
    ['an error that says no more than its name', 'file.ts:3\n  throw new RangeError();\n\nRangeError\n    at file.ts:3:9\n\nNode.js v24.1.0\n', 'RangeError'],
    [
      'no memory left',
      '\n<--- Last few GCs --->\n[11:0x1] 1 ms: Mark-Compact\n\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n----- Native stack trace -----\n\n11: 0x1add8f6 [node]\n',
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    ],
    ['words that name none', 'first\n  the last words  \n\n', 'the last words'],
  ])('tells of what a program said when it crashed the line that matters: of %s', async (_, stderr, word) => {
    const load = await open();
    programs[0]?.die(stderr);
    await expect(load.prepare(log)).rejects.toThrow(new InvalidRunError(`load 'main' ended by itself (exit 137): ${word}`));
  });

  it('adds nothing where a program ended without a word', async () => {
    const load = await open();
    programs[0]?.die('\n');
    await expect(load.prepare(log)).rejects.toThrow(new InvalidRunError("load 'main' ended by itself (exit 137)"));
  });

  it('is not prepared when one of them is not', async () => {
    const load = await open(2);
    programs[0]?.say({ frame: 'prepared', connections: 1 });
    programs[1]?.say({ frame: 'failed', why: 'no connection' });
    await expect(load.prepare(log)).rejects.toThrow("load 'main#2' failed: no connection");
  });

  it('tells those who look on one sum for each round, also when one has ended before the others', async () => {
    await prepared(2);
    programs[0]?.say(progress(100, 2));
    expect(ticks).toEqual([]);
    programs[1]?.say(progress(101, 5));
    expect(ticks).toEqual([{ load: 'main', atMs: 101, due: 20, answered: 18, good: 16, failed: 2, p99Ms: 5, connections: 50 }]);
    programs[0]?.say(progress(200, 2));
    programs[0]?.say(progress(300, 2));
    programs[0]?.say(progress(400, 2));
    expect(ticks.map((tick) => tick.atMs)).toEqual([101, 200, 300]);
  });

  it('reads their common node once', async () => {
    const load = await prepared(2);
    for (const program of programs) program.say({ frame: 'gauges', at: 50, gauges: { 'sockets.total': 4 } });
    for (const program of programs) program.say({ frame: 'done' });
    await load.finish(100, async (thrown) => Promise.reject(thrown));
    log.end(100);
    expect(readTimeline(folder).gauges).toEqual([{ at: 50, node: 'client-1', name: 'sockets.total', value: 4 }]);
  });

  it('leaves none behind when one cannot be started', async () => {
    const opened: Program[] = [];
    const openProgram = async (program: ProgramSpec) => {
      if (opened.length === 1) throw new Error('no more processes');
      opened.push(new Program(program));
      return opened[0] as Program;
    };
    await expect(Load.open({ ...spec, processes: 2 }, 7, { openProgram }, log, { tick: () => undefined })).rejects.toThrow('no more processes');
    expect(opened.map((program) => program.closed)).toEqual([true]);
  });
});
