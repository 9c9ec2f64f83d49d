/**
 * Lets one set-up at a time change this machine.
 *
 * The lock is a file that names its holder. A holder that died, or whose process id means somebody else by now, is told by its heartbeat: it touches the
 * file every two seconds.
 *
 * Plain JavaScript: it is needed before anything is installed.
 */
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const HEARTBEAT_MS = 2_000;
/** Ten missed heartbeats: a machine that is merely busy does not lose the lock. */
const DEAD_AFTER_MS = 10 * HEARTBEAT_MS;
const POLL_MS = 250;

/** One per user: the engine and the packages are the machine's, whichever checkout asks for them. */
export const LOCK_PATH = join(tmpdir(), `aftershock-setup-${process.getuid?.() ?? 'user'}.lock`);

/**
 * Waits until nobody else holds the lock, takes it, and returns how to release it.
 *
 * @param {(holder: number) => void} waiting called once per holder that is waited for, with its process id
 * @param {string} [path]
 * @returns {Promise<() => void>}
 */
export async function takeLock(waiting, path = LOCK_PATH) {
  let told = 0;
  for (;;) {
    if (created(path)) break;
    const holder = holderOf(path);
    if (holder === undefined) continue;
    if (holder.alive) {
      if (holder.pid !== told) waiting(holder.pid);
      told = holder.pid;
      await sleep(POLL_MS);
    } else {
      removeDead(path, holder.pid);
    }
  }
  const heartbeat = setInterval(() => utimesSync(path, new Date(), new Date()), HEARTBEAT_MS);
  heartbeat.unref();
  return () => {
    clearInterval(heartbeat);
    rmSync(path, { force: true });
  };
}

/** @param {string} path */
function created(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST') return false;
    throw thrown;
  }
}

/**
 * Undefined when the lock has just been released.
 *
 * @param {string} path
 */
function holderOf(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return { pid, alive: Date.now() - statSync(path).mtimeMs < DEAD_AFTER_MS && (pid === 0 || processExists(pid)) };
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

/**
 * Takes a dead holder's lock away. Two waiters may come to this at once, and the slower one would remove what the faster one has just created: so the
 * file is moved aside first, and put back when it turns out to be somebody else's.
 *
 * @param {string} path
 * @param {number} pid
 */
function removeDead(path, pid) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return;
    throw thrown;
  }
  if (Number(readFileSync(aside, 'utf8')) === pid) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

/** @param {number} pid */
function processExists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return codeOf(thrown) === 'EPERM';
  }
}

/** @param {unknown} thrown */
function codeOf(thrown) {
  return /** @type {NodeJS.ErrnoException} */ (thrown).code;
}
