/**
 * Runs a generator against the sink and tells how well it kept its schedule, as the far end saw it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import { cpuSecondsBetween, readCpu } from './cpu.ts';
import { SERVER_CORE } from './machine.ts';
import { freePort } from './memcached.ts';
import { Program } from './processes.ts';
import type { Figures } from './samples.ts';

export interface SinkResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly errorUs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly mostInOneMs: number;
}

/** Of what the load lasts, the part over which processor time is counted: the first tenth may still be start-up. */
const CPU_FROM = 0.2;
const CPU_UNTIL = 0.8;

/** Beyond its own time, a generator may take this long to start and to end, ms. */
const SLACK_MS = 20_000;

export class Sink implements AsyncDisposable {
  readonly port: number;
  readonly program: Program;

  private constructor(port: number, program: Program) {
    this.port = port;
    this.program = program;
  }

  static async start(bench: Bench, ratePerSecond: number): Promise<Sink> {
    const port = await freePort();
    const program = await Program.start([bench.programs.sink, String(port), String(ratePerSecond)], { core: SERVER_CORE });
    await program.says('ready');
    return new Sink(port, program);
  }

  /** Ends it and returns what it saw. Throws when that was too little to say anything. */
  async result(): Promise<SinkResult> {
    const { stdout } = await this.program.stop();
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Partial<SinkResult>;
    if (result.errorUs === undefined) throw await this.program.failure(`saw too few requests (${result.requests ?? 0})`);
    return result as SinkResult;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.stop('SIGKILL');
  }
}

/** One run of a generator that sends at a rate for so many seconds and then ends by itself. */
export async function scheduleOf(bench: Bench, ratePerSecond: number, start: (port: number, seconds: number) => Promise<Program>): Promise<Figures> {
  const { seconds } = bench;
  await using sink = await Sink.start(bench, ratePerSecond);
  const generator = await start(sink.port, seconds);
  try {
    await Promise.race([sink.program.says('first'), endsWithoutLoad(generator)]);
    await sleep(CPU_FROM * seconds * 1_000);
    const [before, fromMs] = [readCpu(generator.pid), performance.now()];
    await sleep((CPU_UNTIL - CPU_FROM) * seconds * 1_000);
    const cores = generator.over ? Number.NaN : cpuSecondsBetween(before, readCpu(generator.pid)) / ((performance.now() - fromMs) / 1_000);
    await generator.finish(seconds * 1_000 + SLACK_MS);
    const { perSecond, errorUs, mostInOneMs, requests } = await sink.result();
    return {
      requests,
      perSecond,
      rateError: Math.abs(perSecond / ratePerSecond - 1),
      missingShare: Math.max(0, 1 - requests / (ratePerSecond * seconds)),
      errorP50Us: errorUs.p50,
      errorP99Us: errorUs.p99,
      errorMaxUs: errorUs.max,
      mostInOneMs,
      ...(Number.isNaN(cores) ? {} : { generatorCores: cores }),
    };
  } finally {
    await generator.stop('SIGKILL');
  }
}

async function endsWithoutLoad(generator: Program): Promise<never> {
  await generator.ended;
  throw await generator.failure('ended before it sent a request');
}
