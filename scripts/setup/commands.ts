/**
 * Runs the programs that a set-up needs. Their output goes to the log; what fails is told in one line that names it.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, writeSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { EnvironmentError } from '../../harness/core/errors.ts';
import { LOG } from '../plain/progress.mjs';

export interface CommandOptions {
  /** File descriptor of the log. */
  readonly log: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the program when it fires. Left out for what must not be cut short, such as the installation of a package. */
  readonly signal?: AbortSignal;
}

/** Resolves when the program has ended with exit code 0. Throws EnvironmentError otherwise, and the signal's reason when that fired. */
export async function command(program: string, args: readonly string[], options: CommandOptions): Promise<void> {
  options.signal?.throwIfAborted();
  writeSync(options.log, `-- ${[program, ...args].join(' ')}\n`);
  const child = spawn(program, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', options.log, options.log],
  });
  // Only the program itself is told to end, not its helpers: mmdebstrap waits for those, some seconds long, and then takes its own things away.
  const stop = (): void => {
    child.kill('SIGTERM');
  };
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    const ended = await new Promise<string | undefined>((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('exit', (code, signal) => resolve(code === 0 ? undefined : `exit code ${code ?? signal}`));
    });
    options.signal?.throwIfAborted();
    if (ended !== undefined) throw new EnvironmentError(`${basename(program)} failed (${ended}); ${LOG} has what it said`);
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

/** The full path of a program on the PATH, or in one of the further folders; undefined when it is in none. */
export function which(program: string, furtherFolders: readonly string[] = []): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...furtherFolders];
  return folders.map((folder) => join(folder, program)).find(executable);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
