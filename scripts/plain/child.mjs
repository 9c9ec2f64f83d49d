/**
 * Runs a program in our place: it has our terminal, it gets our signals, and we end as it ended.
 *
 * Plain JavaScript: `bootstrap.mjs` and `bin/aftershock.mjs` need it under whatever Node starts them (18 or later), before anything is installed.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** One Ctrl-C reaches us from the terminal and once more from npm, within milliseconds; a person's second one comes later than this. */
const ONE_PRESS_MS = 300;

/** @type {NodeJS.Signals[]} */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Resolves to the exit code of the program, 128 + n when signal n ended it. Rejects when it cannot be started.
 *
 * It gets a process group of its own, out of reach of the terminal's Ctrl-C, so that each signal comes to it through us and only once.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, output?: number }} [options] `output`: a file descriptor for its output, in place of ours
 * @returns {Promise<number>}
 */
export function runChild(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const output = options.output ?? 'inherit';
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.output === undefined ? 'inherit' : 'ignore', output, output],
      detached: process.platform !== 'win32',
    });
    let lastSignal = '';
    let lastAt = Number.NEGATIVE_INFINITY;
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      const now = performance.now();
      if (signal === lastSignal && now - lastAt < ONE_PRESS_MS) return;
      lastSignal = signal;
      lastAt = now;
      child.kill(signal);
    };
    for (const signal of FORWARDED) process.on(signal, forward);
    const done = () => {
      for (const signal of FORWARDED) process.off(signal, forward);
    };
    child.on('error', (error) => {
      done();
      reject(error);
    });
    child.on('exit', (code, signal) => {
      done();
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}
