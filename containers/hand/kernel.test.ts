import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostGauges } from './kernel.ts';

describe('how busy the host is', () => {
  let proc: string;
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'aftershock-proc-'));
  });
  afterEach(() => rmSync(proc, { recursive: true }));

  /** user nice system idle iowait irq softirq steal guest guest_nice, as proc(5) has them; a second line for the one processor, as there always is. */
  const stat = (times: readonly number[], running: number) =>
    writeFileSync(join(proc, 'stat'), `cpu  ${times.join(' ')}\ncpu0 ${times.join(' ')}\nintr 5 0 0\nprocs_running ${running}\nprocs_blocked 9\n`);
  const pressure = (totalUs: number) => {
    mkdirSync(join(proc, 'pressure'), { recursive: true });
    writeFileSync(
      join(proc, 'pressure/cpu'),
      `some avg10=27.53 avg60=50.09 avg300=32.61 total=${totalUs}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=99999999\n`,
    );
  };

  it('is told in shares of what went by since the last reading, idle and waiting for a disk together, guests not twice', () => {
    stat([1_000, 0, 0, 5_000, 0, 0, 0, 0, 900, 0], 3);
    const read = hostGauges(proc);
    // 100 ticks: 40 user, 10 system, 25 idle, 5 iowait, 20 stolen.
    stat([1_040, 0, 10, 5_025, 5, 0, 0, 20, 940, 0], 6);
    expect(read()).toEqual({ 'host.idle': 0.3, 'host.steal': 0.2, 'host.runQueue': 5 });
    stat([1_040, 0, 10, 5_125, 5, 0, 0, 20, 940, 0], 1);
    expect(read()).toEqual({ 'host.idle': 1, 'host.steal': 0, 'host.runQueue': 0 });
  });

  it('says nothing of shares when no time went by', () => {
    stat([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 2);
    expect(hostGauges(proc)()).toEqual({ 'host.runQueue': 1 });
  });

  it('tells how much of the time some task waited, where the kernel counts it, and never more than all of it', async () => {
    stat([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1);
    pressure(1_000_000);
    const read = hostGauges(proc);
    await sleep(50);
    pressure(1_010_000);
    // 10 ms of at least 50.
    const share = read()['host.cpuPressure'];
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(0.25);
    pressure(1_010_000);
    expect(read()['host.cpuPressure']).toBe(0);
    pressure(9_999_999);
    expect(read()['host.cpuPressure']).toBe(1);
  });
});
