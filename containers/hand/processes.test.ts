import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { processesIn, sendSignal } from './processes.ts';

it('reads a process even when its name holds what separates fields', () => {
  const proc = mkdtempSync(join(tmpdir(), 'aftershock-proc-'));
  try {
    mkdirSync(join(proc, '17'));
    // Fields 3 to 22 of proc(5): the state, the parent, and 18 more, the last of them the start.
    writeFileSync(join(proc, '17', 'stat'), '17 (a) b (c) T 3 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 4242 23 24\n');
    writeFileSync(join(proc, '17', 'cmdline'), 'a\0-p\0\0x y\0');
    mkdirSync(join(proc, 'sys'));
    // It ended between the listing and the reading.
    mkdirSync(join(proc, '18'));
    expect(processesIn(proc)).toEqual([{ pid: 17, parent: 3, startTicks: 4242, state: 'T', name: 'a) b (c', command: ['a', '-p', '', 'x y'] }]);
  } finally {
    rmSync(proc, { recursive: true });
  }
});

// Without /proc (macOS, Windows) there is nothing to be read; a hand always runs on Linux.
it.runIf(process.platform === 'linux')('signals that very process, and never another that has its id', async () => {
  const child = spawn('sleep', ['30']);
  try {
    await once(child, 'spawn');
    const seen = processesIn().find(({ pid }) => pid === child.pid);
    if (!seen) throw new Error('the child is not to be seen');
    expect(seen.parent).toBe(process.pid);
    const former = { ...seen, startTicks: seen.startTicks - 1 };
    expect(sendSignal({ signal: 'SIGKILL', to: [former] })).toEqual({ code: 1, out: '', err: `process ${seen.pid} is gone` });
    expect(sendSignal({ signal: 'SIGTERM', to: [former, seen] }).code).toBe(1);
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  } finally {
    child.kill('SIGKILL');
  }
});
