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
import type { EngineReport } from './engine.ts';
import type { Command, Frame } from './frames.ts';

/** What the settings of a load come down to. */
export interface Load {
  /** Connects and warms up. What it throws is told as the reason of failing. */
  prepare(): Promise<Prepared>;
}

export interface Prepared {
  /** Connections that are open. */
  readonly connections: number;
  /** Begins, once. Time zero on this process's monotonic clock, and how long requests fall due from there, ms. */
  start(zeroMs: number, forMs: number, tell: Tell): void;
  /** Nothing further falls due; `tell.done` follows when what is under way has ended. Before the start it does nothing. */
  stop(): void;
  /** Closes all connections. */
  close(): void;
}

/** To whom a running load tells what happens. */
export interface Tell {
  report(report: EngineReport): void;
  /** Numbers read at this node, ms since time zero. */
  gauges(atMs: number, gauges: Readonly<Record<string, number>>): void;
  finding(severity: 'invalid' | 'note', text: string): void;
  /** Everything was told. */
  done(): void;
  /** It cannot go on: one line. */
  fail(why: string): void;
}

/** Where a program reads and writes, and how it ends. */
export interface ProgramIo {
  readonly input: Readable;
  readonly output: Writable;
  readonly exit: (code: number) => void;
}

/** Runs a load program on this process's stdin and stdout. `read` turns its settings into a load; what it throws is told as the reason of failing. */
export function runProgram(read: (settings: unknown) => Load | Promise<Load>): void {
  const io: ProgramIo = {
    input: process.stdin,
    // Written by Node's thread pool: process.stdout blocks on a full pipe, and a slow reader would stop the load.
    output: createWriteStream('', { fd: 1 }),
    exit: (code) => process.exit(code),
  };
  serve(read, io);
}

/** The same on given streams. */
export function serve(read: (settings: unknown) => Load | Promise<Load>, io: ProgramIo): void {
  let prepared: Prepared | undefined;
  let isStarted = false;
  let isStopped = false;
  let over = false;

  const send = (frame: Frame) => {
    if (!over) io.output.write(`${JSON.stringify(frame)}\n`);
  };
  const fail = (thrown: unknown) => {
    if (over) return;
    over = true;
    prepared?.close();
    io.output.end(`${JSON.stringify({ frame: 'failed', why: messageOf(thrown) } satisfies Frame)}\n`, () => io.exit(1));
  };
  const finish = () => {
    prepared?.close();
    send({ frame: 'done' });
  };
  const tell: Tell = {
    report: (report) => framesOf(report).forEach(send),
    gauges: (at, gauges) => send({ frame: 'gauges', at, gauges }),
    finding: (severity, text) => send({ frame: 'finding', severity, text }),
    done: finish,
    fail: (why) => fail(new Error(why)),
  };

  const prepare = async (settings: unknown) => {
    prepared = await (await read(settings)).prepare();
    // Stopped while it was preparing, it was done before it began.
    if (over || isStopped) prepared.close();
    else send({ frame: 'prepared', connections: prepared.connections });
  };

  const start = (command: Command & { do: 'start' }) => {
    if (!prepared) throw new InputError('start: the load is not prepared yet');
    if (isStarted) throw new InputError('start: the load was started before');
    if (isStopped) throw new InputError('start: the load was stopped before');
    isStarted = true;
    prepared.start(command.atMs, command.forMs, tell);
  };

  const stop = () => {
    if (isStarted) {
      prepared?.stop();
    } else if (!isStopped) {
      isStopped = true;
      finish();
    }
  };

  const obey = (command: Command) => {
    switch (command.do) {
      case 'ping':
        return send({ frame: 'pong', id: command.id, clockMs: monotonicMs() });
      case 'start':
        return start(command);
      case 'stop':
        return stop();
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
  const { due, answered, good, failed, latency } = tally;
  const p99 = latency.count > 0 ? { p99Ms: latency.percentile(99) / 1_000 } : {};
  frames.push({ frame: 'progress', atMs, due, answered, good, failed, ...p99, connections });
  return frames;
}
