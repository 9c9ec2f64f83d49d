import { describe, expect, it } from 'vitest';
import { allGiven, hasStopped, isLimited } from './held.ts';

describe('what a fault still holds of a container', () => {
  it('is less of processors, or memory without swap, and not what nodes are given', () => {
    expect(isLimited({ Memory: 64, MemorySwap: 128, CpuQuota: 0, NanoCpus: 0 })).toBe(false);
    expect(isLimited({ Memory: 64, MemorySwap: 64 })).toBe(true);
    expect(isLimited({ CpuQuota: 5_000 })).toBe(true);
    expect(isLimited({ NanoCpus: 1 })).toBe(true);
    expect(isLimited(allGiven(64))).toBe(false);
  });

  it('is a process that is stopped, and not one that sleeps or that a debugger holds', () => {
    const top = (...states: string[]) => ({ Titles: ['PID', 'STAT'], Processes: states.map((state, pid) => [String(pid), state]) });
    expect(hasStopped(top('Ss', 'Tl'))).toBe(true);
    expect(hasStopped(top('Ss', 'tl', 'R+'))).toBe(false);
    expect(hasStopped({ Titles: ['PID'], Processes: null })).toBe(false);
  });
});
