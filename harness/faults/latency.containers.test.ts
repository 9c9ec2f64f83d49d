import { expect, it } from 'vitest';
import { times, useBareCluster } from './bare.fixture.ts';
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
  const toothless = { ...bare.cluster, links: [{ ...link, poison: async () => async () => undefined }] };
  const prepared = await latencyKind.prepare(latency('client-1 -> mc-1', '300ms'), toothless);
  const injected = await prepared.inject();
  expect((await injected.prove()).holds).toBe(false);
  await prepared.close();
});
