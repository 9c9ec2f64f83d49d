/**
 * Starts the programs of a measurement, each on a core of its own, and sees to it that none outlives us.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentError } from '../../harness/core/errors.ts';

/** Programs that were asked to end and are still there after this long are killed. */
const PATIENCE_MS = 5_000;

export interface ProgramOptions {
  /** The only core that it may run on. */
  readonly core?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Program {
  readonly name: string;
  readonly pid: number;
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #over = false;

  /** Starts a program. Throws EnvironmentError when it cannot be started. */
  static async start(words: readonly string[], options: ProgramOptions = {}): Promise<Program> {
    // taskset replaces itself with the program, so that the process id is the program's.
    const [file = '', ...args] = options.core === undefined ? words : ['taskset', '--cpu-list', String(options.core), ...words];
    const child = spawn(file, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new EnvironmentError(`${basename(file)} cannot be started: ${error.message}`)));
    });
    return new Program(basename(words[0] ?? ''), child);
  }

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.pid = child.pid as number;
    running.add(child);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#over = true;
        running.delete(child);
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get over(): boolean {
    return this.#over;
  }

  /** What it has printed so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Waits until it has printed a line that begins like this. Throws EnvironmentError when it ends or takes too long. */
  async says(beginning: string, patienceMs = 20_000): Promise<void> {
    const giveUpAt = performance.now() + patienceMs;
    while (!`\n${this.#stdout}`.includes(`\n${beginning}`)) {
      if (this.#over) throw await this.failure(`ended before it said '${beginning}'`);
      if (performance.now() > giveUpAt) throw await this.failure(`did not say '${beginning}' within ${patienceMs / 1_000} s`);
      await sleep(1);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Asks it to end and waits until it has. */
  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    if (!this.#over) {
      this.#child.kill(name);
      // One that stands still gets no other signal than this.
      this.#child.kill('SIGCONT');
    }
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits until it has ended by itself with exit code 0. Throws EnvironmentError otherwise. */
  async finish(patienceMs: number): Promise<Ended> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    try {
      const ended = await this.ended;
      if (ended.code !== 0)
        throw await this.failure(`ended with ${ended.signal === 'SIGKILL' ? `no end within ${patienceMs / 1_000} s` : `exit code ${ended.code}`}`);
      return ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** An error that names it and carries the last of what it said; it is ended. */
  async failure(what: string): Promise<EnvironmentError> {
    await this.stop('SIGKILL');
    const said = `${this.#stdout}\n${this.#stderr}`.trim().split('\n').slice(-3).join(' | ').slice(-400);
    return new EnvironmentError(`${this.name} ${what}${said === '' ? '' : `; it said: ${said}`}`);
  }
}

/** Runs a program to its end and returns what it printed. Throws EnvironmentError when it fails. */
export async function output(words: readonly string[], options: ProgramOptions & { readonly patienceMs?: number } = {}): Promise<string> {
  const program = await Program.start(words, options);
  return (await program.finish(options.patienceMs ?? 60_000)).stdout;
}
