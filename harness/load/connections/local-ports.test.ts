import { describe, expect, it } from 'vitest';
import { LocalPorts } from './local-ports.ts';

describe('local ports', () => {
  it('are of the half that the kernel takes last, one after the other and round again, for every second connection', () => {
    const ports = new LocalPorts(32_768, 32_773, 0);
    expect(Array.from({ length: 8 }, () => ports.forNext())).toEqual([undefined, 32_771, undefined, 32_773, undefined, 32_769, undefined, 32_771]);
  });

  it('begin where they are told to, and are all within the range', () => {
    const ports = new LocalPorts(1_025, 2_000, 0.999);
    const all = Array.from({ length: 488 }, () => ports.next() as number);
    expect(new Set(all).size).toBe(488);
    expect([Math.min(...all), Math.max(...all)]).toEqual([1_026, 2_000]);
  });

  it('are none where the range holds but one', () => {
    expect(new LocalPorts(5_000, 5_000, 0).next()).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')('know the range of this kernel', () => {
    const port = LocalPorts.ofThisKernel(0.5)?.next() ?? 0;
    expect(port).toBeGreaterThan(1_023);
    expect(port).toBeLessThan(65_536);
  });
});
