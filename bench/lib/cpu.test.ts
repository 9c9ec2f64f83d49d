import { describe, expect, it } from 'vitest';
import { type CpuReading, cpuSecondsBetween, machineBusySeconds, readCpu, ticksOf } from './cpu.ts';

const reading = (ticks: number, threads: Record<string, number>): CpuReading => ({ ticks, threads: new Map(Object.entries(threads)) });

describe('processor time between two readings', () => {
  it('is the sum over all threads, those included that began in between', () => {
    expect(cpuSecondsBetween(reading(0, { a: 1e9, b: 2e9 }), reading(0, { a: 1.5e9, b: 2e9, c: 0.25e9 }))).toBe(0.75);
  });

  it("is the whole process's where a thread has ended and taken its account with it", () => {
    expect(cpuSecondsBetween(reading(100, { a: 1e9, b: 2e9 }), reading(350, { a: 1.5e9 }))).toBe(2.5);
    expect(cpuSecondsBetween(reading(100, {}), reading(350, {}))).toBe(2.5);
  });
});

describe('/proc/PID/stat', () => {
  it('is read behind the name, whatever that is', () => {
    expect(ticksOf('7 (a) b) 1 (c) R 1 2 3 4 5 6 7 8 9 10 40 2 0 0 20 0 1 0')).toBe(42);
  });
});

describe('/proc/stat', () => {
  it('counts all that is not idle', () => {
    expect(machineBusySeconds('cpu  100 20 30 9999 8888 4 5 6 0 0\ncpu0 1 1 1 1\n')).toBe(1.65);
  });
});

describe.runIf(process.platform === 'linux')('a process', () => {
  it('has used more after it has worked', () => {
    const before = readCpu(process.pid);
    for (const until = performance.now() + 60; performance.now() < until; );
    expect(cpuSecondsBetween(before, readCpu(process.pid))).toBeGreaterThan(0.005);
  });
});
