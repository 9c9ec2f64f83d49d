/**
 * What a measurement is, and what it is given.
 */
import { join } from 'node:path';
import { ROOT } from '../../scripts/plain/progress.mjs';
import { GENERATOR_CORE } from './machine.ts';
import type { FoundPeer } from './peers.ts';
import { Program } from './processes.ts';
import type { Programs } from './programs.ts';
import type { Sample } from './samples.ts';
import type { Target } from './targets.ts';

export interface Bench {
  readonly rounds: number;
  /** How long each contestant is looked at per round, seconds. */
  readonly seconds: number;
  /** How long the soak goes on. */
  readonly minutes: number;
  /** Only to see that everything runs: everything shorter, and nothing is written down. */
  readonly quick: boolean;
  readonly peers: ReadonlyMap<string, FoundPeer>;
  readonly programs: Programs;
  /** Is told each result as it comes. */
  readonly onSample: (sample: Sample) => void;
  /** A line about what is going on or is left out. */
  readonly say: (line: string) => void;
}

export interface Section {
  readonly targets: readonly Target[];
  /** Tables and what must be known to read them, in Markdown. */
  readonly text: string;
}

export interface Measurement {
  /** As it is called on the command line. */
  readonly name: string;
  readonly title: string;
  /** What it uses of `PEERS`, by name; those that are indispensable must be there. */
  readonly uses: readonly string[];
  /** Takes so long that it runs only when it is named. */
  readonly onlyByName?: true;
  readonly measure: (bench: Bench) => Promise<readonly Sample[]>;
  /** What the samples say; a pure function, so that results can be told again from their rounds. */
  readonly tell: (samples: readonly Sample[]) => Section;
}

/** One of our own drivers under `bench/drivers`, on the generator's core, with options as `--name value`. */
export function startDriver(name: string, options: Readonly<Record<string, string | number>>, nodeOptions: readonly string[] = []): Promise<Program> {
  const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]);
  return Program.start([process.execPath, '--disable-warning=ExperimentalWarning', ...nodeOptions, join(ROOT, 'bench/drivers', `${name}.ts`), ...args], {
    core: GENERATOR_CORE,
  });
}

/** The one line of JSON at the end of what a program printed. Throws its failure when there is none. */
export async function lastLine<T>(program: Program, patienceMs: number): Promise<T> {
  const { stdout } = await program.finish(patienceMs);
  const line = stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw await program.failure('printed no result');
  return JSON.parse(line) as T;
}
