import { expect, it } from 'vitest';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import { down, downKind } from './down.ts';

const bare = useBareCluster();

it('closes the connections that are there, refuses new ones, and answers once healed', async () => {
  expect(await kinds(bare.throughLink, 'kept')).toEqual(['answered', 'answered', 'answered']);
  const prepared = await downKind.prepare(down('client-1 -> mc-1'), bare.cluster);
  const injected = await prepared.inject();

  expect((await injected.prove()).holds).toBe(true);
  expect(await kinds(bare.throughLink, 'kept', 1)).toEqual(['closed']);
  expect(await kinds(bare.throughLink, 'new')).toEqual(['refused', 'refused', 'refused']);
  expect(await kinds(bare.straight, 'new')).toEqual(['answered', 'answered', 'answered']);

  await injected.heal();
  expect((await injected.proveHealed()).holds).toBe(true);
  expect(await kinds(bare.throughLink, 'new')).toEqual(['answered', 'answered', 'answered']);
  await prepared.close();
});
