import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLock } from './lock.mjs';

/** No process has it: Linux gives out ids up to 2^22. */
const NOBODY = 2 ** 22 + 1;

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aftershock-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the set-up lock', () => {
  it('makes a second one wait until the first has released it', async () => {
    const holders: number[] = [];
    const release = await takeLock((holder) => holders.push(holder), path);
    let taken = false;
    const second = (async () => {
      const releaseSecond = await takeLock((holder) => holders.push(holder), path);
      taken = true;
      releaseSecond();
    })();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect({ taken, holders }).toEqual({ taken: false, holders: [process.pid] });
    release();
    await second;
    expect(existsSync(path)).toBe(false);
  });

  it('is taken over from a process that is gone', async () => {
    writeFileSync(path, String(NOBODY));
    const release = await takeLock(() => expect.unreachable('nobody is there to be waited for'), path);
    expect(readFileSync(path, 'utf8')).toBe(String(process.pid));
    release();
  });

  it('is taken over when its heartbeat has stopped, whoever has that process id by now', async () => {
    writeFileSync(path, String(process.pid));
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(path, longAgo, longAgo);
    const release = await takeLock(() => expect.unreachable('nobody is there to be waited for'), path);
    release();
    expect(existsSync(path)).toBe(false);
  });
});
