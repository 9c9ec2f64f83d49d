/** A load under way: one program in its client node, or several that share it, started together and read until they have told everything. */
import type { RunningCluster } from '../cluster/start.ts';
import { WIRES_VARIABLE, wiresAskedFor } from '../load/wires/asked-for.ts';
import type { RunLog } from './log.ts';
import type { Observer, Tick } from './observer.ts';
import { Part } from './part.ts';
import { partNames } from './parts.ts';
import type { LoadSpec } from './types.ts';

export class Load {
  readonly spec: LoadSpec;
  readonly #parts: readonly Part[];

  /**
   * Starts the programs of a load. The seed decides their own choices: which keys, which operations, which backoffs. Beside it each is told its part, as
   * `part: { index, of }`: the first has the index 0. `forMs`, how long the load will last, is for programs that have to plan it before it starts.
   */
  static async open(
    spec: LoadSpec,
    seed: number,
    cluster: Pick<RunningCluster, 'openProgram'>,
    log: RunLog,
    observer: Pick<Observer, 'tick'>,
    forMs?: number,
  ): Promise<Load> {
    const names = partNames(spec);
    const round = new Round((tick) => observer.tick({ ...tick, load: spec.name }));
    const parts: Part[] = [];
    try {
      for (const [index, name] of names.entries()) {
        const settings = { ...(spec.program.settings as object), seed, part: { index, of: names.length }, ...(forMs === undefined ? {} : { forMs }) };
        const channel = await cluster.openProgram({ ...spec.program, settings, environment: environmentOfLoads() });
        parts.push(new Part(spec, name, index === 0, channel, { log, tick: (tick) => round.add(index, names.length, tick) }));
      }
    } catch (thrown) {
      for (const part of parts) part.close();
      throw thrown;
    }
    return new Load(spec, parts);
  }

  private constructor(spec: LoadSpec, parts: readonly Part[]) {
    this.spec = spec;
    this.#parts = parts;
  }

  /** Waits until every program has its connections and its keys, and aligns the clocks. */
  async prepare(log: RunLog): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.prepare(log)));
  }

  /** Time zero is on this process's monotonic clock. */
  start(zeroMs: number, forMs: number): void {
    for (const part of this.#parts) part.start(zeroMs, forMs);
  }

  /** Offers no further requests; what is under way ends. Throws when a program is gone, after the others were told. */
  stop(): void {
    const failures = this.#parts.flatMap((part) => {
      try {
        part.stop();
        return [];
      } catch (thrown) {
        return [thrown];
      }
    });
    if (failures.length > 0) throw failures[0];
  }

  /**
   * Waits until every program has told everything, at most until what falls due by `endMs` (after time zero) could have ended. The first failure is
   * told to `failed`, as soon as it is known and only that one: without one of its programs the whole load cannot be judged.
   */
  async finish(endMs: number, failed: (thrown: unknown) => Promise<void>): Promise<void> {
    let told: Promise<void> | undefined;
    await Promise.all(
      this.#parts.map((part) =>
        part.finish(endMs).catch((thrown: unknown) => {
          told ??= failed(thrown);
          return told;
        }),
      ),
    );
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }
}

/** The environment of load programs: which sockets they are to open, where whoever runs us has said so. Throws InputError for another word than it knows. */
export function environmentOfLoads(): Record<string, string> {
  const wanted = wiresAskedFor();
  return wanted ? { [WIRES_VARIABLE]: wanted } : {};
}

/** Adds up what the programs of one load tell of themselves at about the same time, so that one load remains one to whoever looks on. */
class Round {
  readonly #tell: (tick: Tick) => void;
  readonly #ticks = new Map<number, Tick>();

  constructor(tell: (tick: Tick) => void) {
    this.#tell = tell;
  }

  add(index: number, of: number, tick: Tick): void {
    // A program that has ended tells no more: the others' rounds go on without it.
    if (this.#ticks.has(index)) this.#end();
    this.#ticks.set(index, tick);
    if (this.#ticks.size === of) this.#end();
  }

  #end(): void {
    const ticks = [...this.#ticks.values()];
    this.#ticks.clear();
    const sum = (key: 'due' | 'answered' | 'good' | 'failed' | 'connections') => ticks.reduce((total, tick) => total + tick[key], 0);
    const p99s = ticks.flatMap((tick) => tick.p99Ms ?? []);
    this.#tell({
      atMs: Math.max(...ticks.map((tick) => tick.atMs)),
      due: sum('due'),
      answered: sum('answered'),
      good: sum('good'),
      failed: sum('failed'),
      ...(p99s.length > 0 && { p99Ms: Math.max(...p99s) }),
      connections: sum('connections'),
    });
  }
}
