/** Deaths that a scenario asks for, through a whole proxy path: the run tells them from those that nobody asked for, and its load feels them. */
import { expect, it } from 'vitest';
import { cache } from '../../../containers/cache.ts';
import { cacheClients } from '../../../containers/client/index.ts';
import { performed, sumsOf } from '../../../containers/run.fixture.ts';
import { crashLoop, drill, kill, pause, percentile, restart, stop } from '../../index.ts';
import { supervised } from './supervised.fixture.ts';

const tier = cache({ backends: 2, proxies: 1 });

const scenario = drill({
  id: 'deaths',
  story: 'caches restart, die again and again, and stop; a proxy dies under its supervisor',
  duration: '11500ms',
  load: [
    cacheClients({
      rate: '200/s',
      connections: 10,
      mix: { get: '90%', set: '10%' },
      backends: 2,
      deadline: '1s',
      timeout: '500ms',
      onTimeout: 'reconnect',
    }),
  ],
  steps: [
    { at: '1500ms', for: '4s', fault: restart('mc-1', { grace: '1s' }) },
    { at: '1500ms', for: '5s', fault: crashLoop('mc-2', { every: '1s' }) },
    { at: '8500ms', for: '2s', fault: kill('proxy-1', { process: 'nutcracker' }) },
    { at: '8500ms', for: '2700ms', fault: stop('mc-1') },
    // Its sidecar shares the processes of a node that dies while it stands, and dies with it.
    { at: '9s', for: '1s', fault: pause('mc-2', { by: 'signal' }) },
  ],
  slos: { steady: percentile(90, { under: '500ms', when: 'before' }) },
  variants: {
    supervised: {
      title: 'its proxy under a supervisor',
      cluster: { ...tier, nodes: tier.nodes.map((node) => (node.name === 'proxy-1' ? supervised(node) : node)) },
    },
  },
});

it('are no surprise to the run, are all proven, and are felt at the entry by those whose shard they hit', async () => {
  const { report, timeline } = await performed(scenario);
  // A busy machine may starve the load; no death may be a reason.
  expect(report.reasons.filter((reason) => !reason.includes('starved'))).toEqual([]);
  const proven = timeline.marks.filter(({ event }) => event === 'injected' || event === 'healed');
  expect(proven.map(({ fault, event, proof }) => `${fault} ${event} ${proof?.holds}`).toSorted()).toEqual(
    ['restart mc-1', 'crash loop every 1s of mc-2', 'kill nutcracker in proxy-1', 'stop mc-1', 'SIGSTOP to mc-2']
      .flatMap((fault) => [`${fault} healed true`, `${fault} injected true`])
      .toSorted(),
  );
  const failed = (shard: string, fromMs: number, toMs: number) =>
    Object.values(sumsOf(timeline.windows, ({ at, series }) => series.shard === shard && at >= fromMs && at < toMs).failed).reduce(
      (sum, count) => sum + count,
      0,
    );
  expect(failed('mc-1', 0, 1_400)).toBe(0);
  expect(failed('mc-1', 1_500, 5_500)).toBeGreaterThan(0);
  expect(failed('mc-2', 1_500, 6_500)).toBeGreaterThan(0);
  expect(failed('mc-1', 8_500, 11_200)).toBeGreaterThan(0);
});
