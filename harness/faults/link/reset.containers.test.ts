import { expect, it } from 'vitest';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import { reset, resetKind } from './reset.ts';

const bare = useBareCluster();

it('resets new connections and closes kept ones, and lets both be once healed', async () => {
  expect((await bare.throughLink.ask('kept', 1_000)).kind).toBe('answered');
  const prepared = await resetKind.prepare(reset('client-1 -> mc-1'), bare.cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true, measured: 'kept connections: 1 closed; new ones: 1 closed, 1 of them by a reset' });
  expect((await bare.throughLink.ask('kept', 300)).kind).toBe('closed');
  expect(await bare.throughLink.ask('new', 300)).toMatchObject({ kind: 'closed', reset: true });
  expect(await kinds(bare.straight, 'new')).toEqual(['answered', 'answered', 'answered']);
  await injected.heal();
  expect((await injected.proveHealed()).holds).toBe(true);
  expect(await kinds(bare.throughLink, 'new')).toEqual(['answered', 'answered', 'answered']);
  await prepared.close();
});

it.each<[string, 'timeout' | 'latency' | undefined]>([
  ['does nothing', undefined],
  ['only swallows', 'timeout'],
  ['only delays', 'latency'],
])('does not hold its proof when it %s', async (_, type) => {
  const link = bare.cluster.link('client-1 -> mc-1');
  const other = {
    timeout: { type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } },
    latency: { type: 'latency', stream: 'downstream', attributes: { latency: 50, jitter: 0 } },
  } as const;
  const poison = async () => (type ? await link.poison(other[type]) : { undo: async () => undefined, missing: async () => undefined });
  const prepared = await resetKind.prepare(reset('client-1 -> mc-1'), { ...bare.cluster, links: [{ ...link, poison }] });
  const injected = await prepared.inject();
  expect((await injected.prove(1_500)).holds).toBe(false);
  await injected.heal();
  await prepared.close();
});
