/**
 * Says what a set-up is doing and for how long, on standard error, and keeps what the programs under it print in a log.
 *
 * Plain JavaScript: it is needed before anything is installed.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** Relative to the project's root, as it is shown. */
export const LOG = 'results/setup.log';

/** @param {string} text */
export function say(text) {
  process.stderr.write(`[setup] ${text}\n`);
}

/**
 * Does one slow thing: says so, shows the seconds (live on a terminal, otherwise when it has ended), and passes on what it returns or throws.
 *
 * @template T
 * @param {string} title 'building aftershock/memcached:1.6'
 * @param {(log: number) => Promise<T>} work gets a file descriptor of the log
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  mkdirSync(join(ROOT, dirname(LOG)), { recursive: true });
  const log = openSync(join(ROOT, LOG), 'a');
  writeSync(log, `\n== ${new Date().toISOString()} ${title}\n`);
  const live = process.stderr.isTTY === true;
  const startedAt = performance.now();
  const line = () => `[setup] ${title} ... ${Math.round((performance.now() - startedAt) / 1_000)} s`;
  process.stderr.write(live ? line() : `[setup] ${title} ...\n`);
  const ticker = live ? setInterval(() => process.stderr.write(`\r${line()}`), 1_000) : undefined;
  let end = ', failed';
  try {
    const result = await work(log);
    end = '';
    return result;
  } finally {
    clearInterval(ticker);
    process.stderr.write(`${live ? '\r' : ''}${line()}${end}\n`);
    closeSync(log);
  }
}
