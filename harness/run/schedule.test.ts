import { describe, expect, it } from 'vitest';
import type { ClusterSpec } from '../cluster/spec.ts';
import { down, latency, pause, silence } from '../faults/index.ts';
import { schedule } from './schedule.ts';
import type { Step } from './types.ts';

const probe = { send: 'version', expect: 'VERSION' };
const node = (name: string) => ({ name, role: 'cache', image: 'x', command: [], memoryMiB: 1, probe });
const cluster = {
  title: 'two caches',
  nodes: [node('mc-1'), node('mc-2'), { ...node('client-1'), role: 'client' }],
  links: [
    { from: 'client-1', to: 'mc-1', port: 1 },
    { from: 'client-1', to: 'mc-2', port: 1 },
  ],
  ready: { node: 'client-1', program: 'x', settings: {} },
  tools: { toxiproxyImage: 'x', hand: { image: 'x', program: 'x', sources: [] }, reaper: { image: 'x', program: 'x', sources: [] } },
} satisfies ClusterSpec;

const step = (fault: Step['fault'], at: `${number}s`, lasts: `${number}s` = '2s', jitter?: `${number}s`): Step => ({
  at,
  for: lasts,
  fault,
  ...(jitter && { jitter }),
});
const planned = (steps: Step[], seed = 1) => schedule(steps, cluster, 30_000, seed);

describe('a schedule', () => {
  it('is the same for the same seed, byte for byte, and another for another', () => {
    const steps = [step(latency('client-1 -> mc-1', '100ms'), '10s', '2s', '3s'), step(pause('mc-2'), '10s', '2s', '3s')];
    const moments = Array.from({ length: 20 }, (_, seed) => JSON.stringify(planned(steps, seed)));
    expect(moments).toEqual(Array.from({ length: 20 }, (_, seed) => JSON.stringify(planned(steps, seed))));
    expect(new Set(moments).size).toBeGreaterThan(15);
  });

  it('keeps jitter within its bounds, on both sides', () => {
    const at = Array.from({ length: 200 }, (_, seed) => planned([step(pause('mc-1'), '10s', '2s', '3s')], seed)[0]?.atMs ?? 0);
    expect(Math.min(...at)).toBeGreaterThanOrEqual(7_000);
    expect(Math.max(...at)).toBeLessThanOrEqual(13_000);
    expect(Math.min(...at)).toBeLessThan(8_000);
    expect(Math.max(...at)).toBeGreaterThan(12_000);
  });

  it('lets a pattern name several targets', () => {
    expect(planned([step(down('client-1 -> mc-*'), '5s')])[0]).toMatchObject({ targets: ['client-1 -> mc-1', 'client-1 -> mc-2'], affects: ['mc-1', 'mc-2'] });
  });

  it('refuses a fault on a link to a node that is frozen at the same time', () => {
    expect(() => planned([step(pause('mc-1'), '5s', '4s'), step(latency('client-1 -> mc-1', '100ms'), '6s')])).toThrow(/overlap on mc-1/);
    expect(() => planned([step(pause('mc-2'), '5s', '4s'), step(latency('client-1 -> mc-1', '100ms'), '6s')])).not.toThrow();
  });

  it('refuses what follows too soon on one target to be told from what was before', () => {
    expect(() => planned([step(silence('client-1 -> mc-1'), '5s'), step(latency('client-1 -> mc-1', '100ms'), '7s')])).toThrow(
      /leave 2 s to see what is normal/,
    );
    expect(() => planned([step(silence('client-1 -> mc-1'), '5s'), step(latency('client-1 -> mc-1', '100ms'), '9s')])).not.toThrow();
  });

  it('refuses a fault that is over before it can be proven', () => {
    expect(() => planned([step(latency('client-1 -> mc-1', '5s'), '5s', '1s')])).toThrow(
      /steps\[0\]\.for: '1s' is too short for latency 5s on client-1 -> mc-1 to be proven; write 5.5 s or more/,
    );
  });
});
