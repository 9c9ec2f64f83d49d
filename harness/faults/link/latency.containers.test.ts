import { expect, it } from 'vitest';
import { bareCache } from '../../../containers/cache.ts';
import { cacheClients } from '../../../containers/client/index.ts';
import { performed } from '../../../containers/run.fixture.ts';
import { drill, percentile } from '../../index.ts';
import { times, useBareCluster } from '../bare.fixture.ts';
import { latency, latencyKind } from './latency.ts';

const bare = useBareCluster();

it('adds at least the delay and at most 50 ms more, on kept and on new connections, and nothing once healed', async () => {
  await bare.throughLink.ask('kept', 1_000);
  const prepared = await latencyKind.prepare(latency('client-1 -> mc-1', '300ms'), bare.cluster);
  const before = await times(bare.throughLink, 'kept');
  expect(before[2]).toBeLessThan(20);

  const injected = await prepared.inject();
  const proof = await injected.prove();
  expect(proof).toMatchObject({ holds: true, asked: 'each answer 300 ms later' });
  for (const connection of ['kept', 'new'] as const) {
    const during = await times(bare.throughLink, connection);
    expect(during[0]).toBeGreaterThanOrEqual(299);
    expect(during[2]).toBeLessThanOrEqual(350);
  }

  await injected.heal();
  expect((await injected.proveHealed()).holds).toBe(true);
  for (const connection of ['kept', 'new'] as const) expect((await times(bare.throughLink, connection))[2]).toBeLessThan(20);
  await prepared.close();
});

it('leaves the node itself as fast as it was', async () => {
  const prepared = await latencyKind.prepare(latency('client-1 -> mc-1', '300ms'), bare.cluster);
  const injected = await prepared.inject();
  expect((await times(bare.straight, 'new'))[2]).toBeLessThan(20);
  await injected.heal();
  await prepared.close();
});

it('does not hold its proof when it does not bite', async () => {
  const link = bare.cluster.link('client-1 -> mc-1');
  const toothless = { ...bare.cluster, links: [{ ...link, poison: async () => ({ undo: async () => undefined, missing: async () => undefined }) }] };
  const prepared = await latencyKind.prepare(latency('client-1 -> mc-1', '300ms'), toothless);
  const injected = await prepared.inject();
  expect((await injected.prove(1_500)).holds).toBe(false);
  await prepared.close();
});

it('is healed at once where clients have given up and gone with answers still held for them', async () => {
  // 100/s on each connection, given up after 250 ms: each leaves some 25 answers behind, in as many pieces, until the second is over.
  const { timeline } = await performed(
    drill({
      id: 'given-up',
      story: 'clients give up on a slow cache and come back',
      duration: '6s',
      load: [
        cacheClients({
          rate: '400/s',
          connections: 4,
          pipeline: 100,
          mix: { get: '100%' },
          deadline: '1s',
          timeout: '250ms',
          onTimeout: 'reconnect',
          entry: 'mc-1',
          backends: 1,
        }),
      ],
      steps: [{ at: '1s', for: '3s', fault: latency('client-1 -> mc-1', '1s') }],
      slos: { steady: percentile(99, { under: '100ms', when: 'before' }) },
      variants: { bare: { title: 'bare', cluster: bareCache() } },
    }),
  );
  expect(timeline.findings).toEqual([]);
  const [healing, healed] = ['healing', 'healed'].map((event) => timeline.marks.find((mark) => mark.event === event));
  // Toxiproxy by itself takes 5 s for each piece that it cannot hand on.
  expect((healed?.at ?? Number.NaN) - (healing?.at ?? Number.NaN)).toBeLessThan(1_000);
});
