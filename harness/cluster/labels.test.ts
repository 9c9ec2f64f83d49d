import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ownerAlive, type Processes, thisOwner } from './labels.ts';

const me = thisOwner();
const BOOT = '/proc/sys/kernel/random/boot_id';
/** A machine on which a process is seen as this, and exists or not. */
const machine = (stat: string | undefined, exists: boolean): Processes => ({ read: (path) => (path === BOOT ? `${me.boot}\n` : stat), exists: () => exists });
const statLine = (state: string, start: string) => `7 (a) b) ${state} ${'0 '.repeat(18)}${start} 0 0`;

describe('the owner of a run', () => {
  const label = JSON.stringify({ ...me, start: '4242' });

  it('is alive as long as the very process is', () => {
    expect(ownerAlive(JSON.stringify(me))).toBe(true);
    expect(ownerAlive(label, machine(statLine('S', '4242'), true))).toBe(true);
    expect(ownerAlive(label, machine(statLine('S', '4243'), true))).toBe(false);
    expect(ownerAlive(label, machine(undefined, false))).toBe(false);
  });

  it('is dead once it has ended, whoever has yet to ask what became of it', () => {
    expect(ownerAlive(label, machine(statLine('Z', '4242'), true))).toBe(false);
    expect(ownerAlive(label, machine(statLine('X', '4242'), true))).toBe(false);
  });

  it('is alive when the system hides it from us, and says that there is somebody', () => {
    expect(ownerAlive(label, machine(undefined, true))).toBe(true);
  });

  it.runIf(process.platform === 'linux')('is dead as a real process that nobody waited for', async () => {
    // The shell becomes a program that never asks after the child that the shell had.
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 20'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
      const fields = () => {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      };
      const owner = JSON.stringify({ ...me, pid, start: fields()[19] });
      expect(ownerAlive(owner)).toBe(true);
      await expect.poll(() => fields()[0], { timeout: 10_000 }).toBe('Z');
      expect(ownerAlive(owner)).toBe(false);
    } finally {
      parent.kill('SIGKILL');
    }
  });
});
