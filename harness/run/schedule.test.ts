import { describe, expect, it } from 'vitest';
import type { ClusterSpec } from '../cluster/spec.ts';
import { down, type Fault, latency, pause, silence } from '../faults/index.ts';
import { connectionsReach, p99Above } from './conditions.ts';
import { schedule, watchedBy } from './schedule.ts';
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
} as ClusterSpec;

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

describe('steps that stand for several', () => {
  const cut = down('client-1 -> mc-*');

  it('are repeated, each so much later than the one before', () => {
    const steps = planned([{ at: '2s', for: '1s', fault: pause('mc-1'), repeat: { times: 3, every: '5s' } }]);
    expect(steps.map(({ atMs, untilMs }) => [atMs, untilMs])).toEqual([
      [2_000, 3_000],
      [7_000, 8_000],
      [12_000, 13_000],
    ]);
  });

  it('are staggered: one target after the other, in the order of the cluster, in every round', () => {
    const steps = planned([{ at: '2s', for: '1s', fault: cut, stagger: '2s', repeat: { times: 2, every: '10s' } }]);
    expect(steps.map(({ atMs, targets, title }) => [atMs, targets, title])).toEqual([
      [2_000, ['client-1 -> mc-1'], 'down on client-1 -> mc-1'],
      [4_000, ['client-1 -> mc-2'], 'down on client-1 -> mc-2'],
      [12_000, ['client-1 -> mc-1'], 'down on client-1 -> mc-1'],
      [14_000, ['client-1 -> mc-2'], 'down on client-1 -> mc-2'],
    ]);
  });

  it('have each a jitter of their own', () => {
    const steps = planned([{ at: '5s', for: '1s', fault: pause('mc-1'), jitter: '1s', repeat: { times: 3, every: '6s' } }], 7);
    const shifts = steps.map(({ atMs }, index) => atMs - 5_000 - index * 6_000);
    expect(new Set(shifts).size).toBe(3);
    for (const shift of shifts) expect(Math.abs(shift)).toBeLessThanOrEqual(1_000);
  });

  it.each<[string, Partial<Step>, RegExp]>([
    ['no number of times', { repeat: { times: 0, every: '5s' } }, /steps\[0\]\.repeat\.times: 0 is not allowed; write a whole number from 1 to 100/],
    ['rounds that overlap', { repeat: { times: 2, every: '500ms' } }, /overlap on/],
    ['rounds that go on behind the end', { repeat: { times: 9, every: '5s' } }, /steps\[0\]: ends at .* after the load's end/],
    ['a row of one', { stagger: '1s', fault: pause('mc-1') }, /steps\[0\]\.stagger: 'mc-1' names one target; a row needs two or more/],
  ])('are refused with %s', (_, more, line) => {
    expect(() => planned([{ at: '2s', for: '1s', fault: cut, ...more }])).toThrow(line);
  });
});

describe('a step that waits for something', () => {
  const waiting: Step = { when: p99Above('200ms'), by: '10s', for: '3s', fault: pause('mc-1') };

  it('lasts its time from when it is seen, and must be over in the run when that is as late as can be', () => {
    expect(planned([waiting])).toMatchObject([{ atMs: 1_000, untilMs: 13_000, trigger: { byMs: 10_000, forMs: 3_000, title: 'p99 above 200ms for 500ms' } }]);
    expect(() => planned([{ ...waiting, by: '28s' }])).toThrow(/steps\[0\]: ends at 31 s, after the load's end at 30 s/);
  });

  it('is taken to be in force all the time in which it can be', () => {
    expect(() => planned([waiting, step(pause('mc-1'), '11s')])).toThrow(/overlap on mc-1/);
  });

  it.each<[string, Step, RegExp]>([
    ['neither a moment nor a condition', { for: '3s', fault: pause('mc-1') }, /steps\[0\]: there is neither at nor when; write one of them/],
    ['both', { ...waiting, at: '5s' }, /steps\[0\]: at and when exclude each other/],
    ['a condition for ever', { when: p99Above('200ms'), for: '3s', fault: pause('mc-1') }, /steps\[0\]\.by: missing; write until when/],
    ['an end of waiting and no condition', { at: '5s', by: '8s', for: '3s', fault: pause('mc-1') }, /steps\[0\]\.by: goes with when only/],
    ['a jitter', { ...waiting, jitter: '1s' }, /steps\[0\]\.jitter: goes with at only/],
    ['no time to wait', { ...waiting, by: '1s' }, /steps\[0\]\.by: '1s' leaves no time to see it/],
    [
      'connections that nobody counts',
      { ...waiting, when: connectionsReach('mc-1', 5) },
      /steps\[0\]\.when\.at: no node that serves a port fits 'mc-1'; known: none/,
    ],
  ])('is refused with %s', (_, wrong, line) => {
    expect(() => planned([wrong])).toThrow(line);
  });
});

it('waiting for connections has them counted where it waits for them', () => {
  const serving = { ...cluster, nodes: cluster.nodes.map((one) => ({ ...one, ...(one.role === 'cache' && { port: 1 }) })) };
  const steps = schedule([{ when: connectionsReach('mc-2', 5), by: '9s', for: '2s', fault: pause('mc-1') }], serving, 30_000, 1);
  expect(watchedBy(steps, serving).nodes.flatMap(({ name, watchSockets }) => (watchSockets ? [name] : []))).toEqual(['mc-2']);
  expect(watchedBy([], serving)).toBe(serving);
});

describe('a ramp', () => {
  const ramp = (to: Fault, steps: number): Step => ({ at: '2s', for: '12s', fault: latency('client-1 -> mc-1', '100ms'), ramp: { to, steps } });

  it('goes from one magnitude to the other in equal steps', () => {
    const [first] = planned([ramp(latency('client-1 -> mc-1', '500ms'), 5)]);
    expect(first).toMatchObject({ atMs: 2_000, untilMs: 14_000, fault: { delay: '100ms' } });
    expect(first?.stages?.map(({ atMs, title }) => [atMs, title])).toEqual([
      [4_400, 'latency 200ms on client-1 -> mc-1'],
      [6_800, 'latency 300ms on client-1 -> mc-1'],
      [9_200, 'latency 400ms on client-1 -> mc-1'],
      [11_600, 'latency 500ms on client-1 -> mc-1'],
    ]);
  });

  it.each<[string, Step, RegExp]>([
    ['another fault', ramp(pause('mc-1'), 3), /steps\[0\]\.ramp\.to: 'pause' is another fault than 'latency'/],
    ['another target', ramp(latency('client-1 -> mc-2', '500ms'), 3), /steps\[0\]\.ramp\.to\.link: .* have nothing in between/],
    ['another unit', ramp(latency('client-1 -> mc-1', '1s'), 3), /steps\[0\]\.ramp\.to\.delay: '100ms' and '1s' have nothing in between/],
    ['one step', ramp(latency('client-1 -> mc-1', '500ms'), 1), /steps\[0\]\.ramp\.steps: 1 is not allowed/],
    [
      'steps too short to be proven',
      ramp(latency('client-1 -> mc-1', '500ms'), 20),
      /steps\[0\]\.ramp\.steps: 20 in 12 s leave 600 ms each, and a proof takes 1 s/,
    ],
    [
      'a fault without a magnitude',
      { at: '2s', for: '12s', fault: pause('mc-1'), ramp: { to: pause('mc-1'), steps: 3 } },
      /steps\[0\]\.ramp: pause has no magnitude/,
    ],
  ])('is refused with %s', (_, wrong, line) => {
    expect(() => planned([wrong])).toThrow(line);
  });
});
