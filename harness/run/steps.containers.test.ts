/** Steps that are more than a moment and a length: those that wait for something, that come in rows, that grow, and that are put in force again. */
import { expect, it } from 'vitest';
import { bareCache } from '../../containers/cache.ts';
import { cacheClients } from '../../containers/client/index.ts';
import { performed } from '../../containers/run.fixture.ts';
import { connectionsReach, drill, failuresAbove, latency, p99Above, percentile, silence } from '../index.ts';
import type { Step } from './types.ts';

const clients = (node: 'client-1' | 'client-2') =>
  cacheClients({
    name: node,
    node,
    rate: '100/s',
    connections: 4,
    mix: { get: '100%' },
    deadline: '1s',
    timeout: '500ms',
    onTimeout: 'reconnect',
    entry: 'mc-1',
    backends: 1,
  });

const run = (steps: Step[]) =>
  performed(
    drill({
      id: 'steps',
      story: 'steps of every form',
      duration: '9s',
      load: [clients('client-1'), clients('client-2')],
      steps,
      slos: { steady: percentile(90, { under: '100ms', when: 'before' }) },
      variants: { two: { title: 'two clients', cluster: bareCache({ clients: 2 }) } },
    }),
  );

it('waits for slow answers, and comes as soon as they are seen', async () => {
  const { timeline, report } = await run([
    { at: '2s', for: '5s', fault: latency('client-1 -> mc-1', '300ms') },
    { when: p99Above('200ms'), by: '6s', for: '2s', fault: silence('client-2 -> mc-1') },
  ]);
  expect(report.reasons).toEqual([]);
  const at = (fault: RegExp, event: string) => timeline.marks.find((mark) => fault.test(mark.fault) && mark.event === event)?.at ?? Number.NaN;
  // Half a second of slow answers at the least, and they come 300 ms after the latency; a busy machine adds to it.
  const triggeredMs = at(/silence/, 'injecting') - at(/latency/, 'injected');
  expect(triggeredMs).toBeGreaterThan(500);
  expect(triggeredMs).toBeLessThan(2_000);
  expect(at(/silence/, 'healing') - at(/silence/, 'injecting')).toBeGreaterThan(1_950);
});

it('waits for connections at a node, and those are counted because it does', async () => {
  const { timeline, report } = await run([{ when: connectionsReach('mc-1', 8), by: '4s', for: '2s', fault: latency('client-1 -> mc-1', '100ms') }]);
  expect(report.reasons).toEqual([]);
  expect(timeline.gauges.some(({ node, name, value }) => node === 'mc-1' && name === 'sockets.total' && value >= 8)).toBe(true);
});

it('is invalid when what it waits for never comes, and tells what came nearest', async () => {
  const { report } = await run([{ when: failuresAbove('5%'), by: '3s', for: '2s', fault: latency('client-1 -> mc-1', '100ms') }]);
  expect(report.outcome).toBe('invalid');
  expect(report.reasons).toContain(
    'latency 100ms on client-1 -> mc-1 was never injected: it waited for more than 5% failing for 500ms, and saw 0% failing at most',
  );
});

it('is injected, proven and healed as often as it is repeated, target by target', async () => {
  const { timeline, report } = await run([
    { at: '1s', for: '1s', fault: latency('client-* -> mc-1', '50ms'), stagger: '500ms', repeat: { times: 2, every: '4s' } },
  ]);
  expect(report.reasons).toEqual([]);
  const injected = timeline.marks.filter(({ event, proof }) => event === 'injected' && proof?.holds);
  expect(injected.map(({ target }) => target)).toEqual(['client-1 -> mc-1', 'client-2 -> mc-1', 'client-1 -> mc-1', 'client-2 -> mc-1']);
  expect(timeline.marks.filter(({ event, proof }) => event === 'healed' && proof?.holds)).toHaveLength(4);
});

it('grows in steps, each of them proven', async () => {
  const { timeline, report } = await run([
    { at: '2s', for: '6s', fault: latency('client-1 -> mc-1', '50ms'), ramp: { to: latency('client-1 -> mc-1', '350ms'), steps: 4 } },
  ]);
  expect(report.reasons).toEqual([]);
  const proofs = timeline.marks.filter(({ event }) => event === 'injected' || event === 'changed').map(({ proof }) => proof);
  expect(proofs.map((proof) => [proof?.holds, proof?.asked])).toEqual([50, 150, 250, 350].map((ms) => [true, expect.stringContaining(`${ms} ms`)]));
});
