/** The measured faults of links on the inner hop of a whole path: seen from the client's entry, and proven at the hop. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cache } from '../../../containers/cache.ts';
import { connectEngine } from '../../cluster/engine.ts';
import { type RunningCluster, startCluster } from '../../cluster/start.ts';
import type { LinkProber } from '../../cluster/types.ts';
import { bandwidth, type Fault, faultKind, latency, limitData, slicer, slowClose } from '../index.ts';

const HOP = 'edge -> proxy-1';
let cluster: RunningCluster;
let entry: LinkProber;

beforeAll(async () => {
  const quiet = () => undefined;
  cluster = await startCluster(cache({ backends: 2, proxies: 1 }), {
    engine: await connectEngine(),
    runId: `test-${randomBytes(4).toString('hex')}`,
    signal: new AbortController().signal,
    journal: { intent: quiet, done: quiet },
  });
  entry = await cluster.link('client-1 -> edge').prober();
});
afterAll(() => cluster?.stop());

it.each<[Fault, () => Promise<boolean>]>([
  [latency(HOP, '80ms', { stream: 'upstream' }), async () => (await entry.ask('new', 2_000)).ms >= 80],
  [
    latency(HOP, '50ms', { share: '50%' }),
    async () => (await entry.askRow('new', { count: 40, lanes: 4, patienceMs: 2_000 })).filter(({ ms }) => ms >= 50).length >= 8,
  ],
  [bandwidth(HOP, '10KB/s'), async () => (await entry.draw('new', { count: 300, patienceMs: 5_000 })).ms >= 400],
  [slowClose(HOP, '300ms'), async () => (await entry.part('new', 2_000)).ms >= 299],
  [slicer(HOP, { averageBytes: 100, delay: '10ms' }), async () => (await entry.draw('new', { count: 125, patienceMs: 2_000 })).ms >= 150],
  [limitData(HOP, '1KB'), async () => (await entry.draw('new', { count: 100, window: 16, patienceMs: 2_000 })).bytes === 1_000],
])('$kind on an inner hop is felt at the entry, and not any more once healed', async (fault, isFelt) => {
  expect(await isFelt()).toBe(false);
  const prepared = await faultKind(fault).prepare(fault, cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true });
  expect(await isFelt()).toBe(true);
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  expect(await isFelt()).toBe(false);
  await prepared.close();
});
