/**
 * k6 as a child process: its samples, its complaints, the processor time that it uses, and its end.
 *
 * Samples come over its stdout. When nobody reads that any more, because the program beside k6 is gone, however it went, k6 is ended by the next thing
 * that it writes (SIGPIPE), a tenth of a second later: it cannot go on without us.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface K6Options {
  /** The program and what stands before its own arguments: ['k6']. */
  readonly command: readonly string[];
  /** Where the wrapper and the scripts are. */
  readonly folder: string;
  readonly wrapper: string;
  /** What the script sees in __ENV. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How k6 ended. */
export interface K6End {
  /** 'exit code 107', 'SIGKILL'; undefined when it ended well. */
  readonly how?: string;
  /** The first error that it told, in one line; undefined when it told none. */
  readonly error?: string;
}

/** A tick of the kernel's accounting, ms: 100 a second on every Linux that Node runs on. */
const TICK_MS = 10;
/** k6 ends within tenths of a second of a SIGINT. */
const STOP_WITHIN_MS = 2_000;

export class K6Child {
  readonly ended: Promise<K6End>;
  readonly #child: ChildProcess;
  readonly #folder: string;
  #error: string | undefined;
  readonly #onExit = () => this.kill();

  /** `onOutput` gets its stdout; `onThrown` is told, in one line each, what the script threw. */
  constructor({ command, folder, wrapper, environment }: K6Options, onOutput: (text: string) => void, onThrown: (why: string) => void) {
    const [program = 'k6', ...before] = command;
    const variables = Object.entries(environment).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    this.#folder = folder;
    this.#child = spawn(program, [...before, 'run', ...FLAGS, ...variables, wrapper], {
      cwd: folder,
      // Nothing of ours: K6_ variables would change its options, and a proxy would stand between it and the service.
      env: { PATH: process.env['PATH'], HOME: folder, ...OUTPUT },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    process.once('exit', this.#onExit);
    const { stdout, stderr } = this.#child;
    stdout?.setEncoding('utf8').on('data', onOutput);
    if (stderr) createInterface({ input: stderr }).on('line', (line) => this.#complained(line, onThrown));
    this.ended = new Promise((resolve) => {
      let cannotStart: string | undefined;
      this.#child.on('error', (error: NodeJS.ErrnoException) => {
        cannotStart = error.code === 'ENOENT' ? `there is no ${program} in this node; give it the image of k6Client(...)` : error.message;
      });
      this.#child.on('close', (code, signal) => {
        process.off('exit', this.#onExit);
        if (cannotStart !== undefined) resolve({ how: 'did not start', error: cannotStart });
        else resolve({ ...(code === 0 ? {} : { how: signal ?? `exit code ${code}` }), ...(this.#error === undefined ? {} : { error: this.#error }) });
      });
    });
  }

  /** Processor time that it has used so far, ms, to the nearest 10; 0 when it is gone. */
  cpuMs(): number {
    const { pid } = this.#child;
    if (pid === undefined || this.#isOver()) return 0;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // Fields 14 and 15 of proc(5) stat, counted behind the name, which may hold spaces.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ESRCH') return 0;
      throw thrown;
    }
  }

  /** Asks it to end; it is killed when it does not. */
  stop(): void {
    this.#child.kill('SIGINT');
    setTimeout(() => this.kill(), STOP_WITHIN_MS).unref();
  }

  kill(): void {
    if (!this.#isOver()) this.#child.kill('SIGKILL');
  }

  #isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #complained(line: string, onThrown: (why: string) => void): void {
    const { level, msg, source } = complaintOf(line);
    if (level !== 'error' && level !== 'fatal' && level !== 'panic') return;
    // What a script prints by console.error is its own affair.
    if (source === 'console') return;
    const why = oneLineOf(msg, this.#folder);
    this.#error ??= why;
    if (source === 'stacktrace') onThrown(why);
  }
}

const FLAGS = [
  '--quiet',
  '--summary-mode=disabled',
  '--no-thresholds',
  '--no-usage-report',
  '--address=',
  '--include-system-env-vars=false',
  '--log-output=stderr',
  '--log-format=json',
  '--out=csv=-',
] as const;

/** Microseconds of 2026 are 16 digits, which a number holds exactly; a script cannot make k6 fetch another k6 with extensions. */
const OUTPUT = { K6_CSV_TIME_FORMAT: 'unix_micro', K6_CSV_SAVE_INTERVAL: '100ms', K6_AUTO_EXTENSION_RESOLUTION: 'false' } as const;

/** A line of its log; what is none is taken for an error, such as a crash of Go. */
function complaintOf(line: string): { level: string; msg: string; source?: string } {
  if (!line.startsWith('{')) return { level: 'error', msg: line };
  try {
    return JSON.parse(line) as { level: string; msg: string; source?: string };
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return { level: 'error', msg: line };
    throw thrown;
  }
}

/** 'TypeError: x is undefined at default (get.ts:7:48)': where it happened, without our folder and k6's advice. */
function oneLineOf(message: string, folder: string): string {
  const text = message
    .replaceAll(`file://${folder}/`, '')
    .replace(/^could not initialize '[^']*': could not load JS test '[^']*': /, '')
    .replace(/ Make sure that you've specified the right path.*$/s, '')
    .replace(/^Uncaught \(in promise\) /, '')
    .replace(/:(\d+):(\d+)\(\d+\)/g, ':$1:$2')
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  return text.length > 300 ? `${text.slice(0, 300)} ...` : text;
}
