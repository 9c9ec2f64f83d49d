/**
 * The load program's side of the conversation with the harness (see `frames.ts`): settings, warm-up, start, windows, done.
 *
 * The end of stdin ends the process at once, whatever it is doing: no load outlives its harness.
 */
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { monotonicMs } from '../core/clock.ts';
import { InputError, messageOf } from '../core/errors.ts';
import { Engine, type EngineReport } from './engine.ts';
import type { Command, Frame } from './frames.ts';
import { constantRate } from './pacer.ts';
import type { Pool, PoolOptions } from './pool.ts';
import type { Workload } from './protocol.ts';
import { warmUp } from './warm-up.ts';

/** What the settings of a load come down to. */
export interface Load {
  readonly ratePerSecond: number;
  readonly pool: PoolOptions;
  readonly workload: Workload;
}

/** Where a program reads and writes, and how it ends. */
export interface ProgramIo {
  readonly input: Readable;
  readonly output: Writable;
  readonly exit: (code: number) => void;
}

/** Runs a load program on this process's stdin and stdout. `read` turns its settings into a load; what it throws is told as the reason of failing. */
export function runProgram(read: (settings: unknown) => Load): void {
  const io: ProgramIo = {
    input: process.stdin,
    // Written by Node's thread pool: process.stdout blocks on a full pipe, and a slow reader would stop the load.
    output: createWriteStream('', { fd: 1 }),
    exit: (code) => process.exit(code),
  };
  serve(read, io);
}

/** The same on given streams. */
export function serve(read: (settings: unknown) => Load, io: ProgramIo): void {
  let load: Load | undefined;
  let pool: Pool | undefined;
  let engine: Engine | undefined;
  let over = false;

  const send = (frame: Frame) => {
    if (!over) io.output.write(`${JSON.stringify(frame)}\n`);
  };
  const fail = (thrown: unknown) => {
    if (over) return;
    over = true;
    pool?.close();
    io.output.end(`${JSON.stringify({ frame: 'failed', why: messageOf(thrown) } satisfies Frame)}\n`, () => io.exit(1));
  };
  const finish = () => {
    pool?.close();
    send({ frame: 'done' });
  };

  const prepare = async (settings: unknown) => {
    load = read(settings);
    pool = await warmUp(load.pool, load.workload);
    if (over) pool.close();
    send({ frame: 'prepared', connections: pool.open });
  };

  const start = (command: Command & { do: 'start' }) => {
    if (!load || !pool) throw new InputError('start: the load is not prepared yet');
    if (engine) throw new InputError('start: the load was started before');
    engine = new Engine({
      pool,
      workload: load.workload,
      pacer: constantRate(load.ratePerSecond, command.forMs),
      deadlineMs: load.pool.deadlineMs,
      zeroMs: command.atMs,
      onReport: (report) => framesOf(report).forEach(send),
      onDone: finish,
      onShortOf: (code) => fail(new Error(`the client ran out of what a connection needs on its own side (${code}): fewer connections, or higher limits`)),
    });
    engine.start();
  };

  const obey = (command: Command) => {
    switch (command.do) {
      case 'ping':
        return send({ frame: 'pong', id: command.id, clockMs: monotonicMs() });
      case 'start':
        return start(command);
      case 'stop':
        return engine ? engine.stop() : finish();
      default:
        throw new InputError(`unknown command ${JSON.stringify(command)}; known: ping, start, stop`);
    }
  };

  let first = true;
  const lines = createInterface({ input: io.input, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on('line', (line) => {
    if (over) return;
    try {
      const message: unknown = JSON.parse(line);
      if (first) {
        first = false;
        prepare(message).catch(fail);
      } else {
        obey(message as Command);
      }
    } catch (thrown) {
      fail(thrown);
    }
  });
  lines.on('close', () => io.exit(0));
  // A harness that reads no more is gone, too.
  io.output.on('error', () => io.exit(1));
}

function framesOf(report: EngineReport): Frame[] {
  const { atMs, windows, completions, generator, tally, connections } = report;
  const frames: Frame[] = [];
  if (windows.length + completions.length + generator.length > 0) frames.push({ frame: 'windows', windows, completions, generator });
  const p99Ms = tally.latency.count > 0 ? tally.latency.percentile(99) / 1_000 : 0;
  frames.push({ frame: 'progress', atMs, due: tally.due, answered: tally.answered, good: tally.good, failed: tally.failed, p99Ms, connections });
  return frames;
}
