import { expect, it } from 'vitest';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import { pause, pauseKind } from './pause.ts';

const bare = useBareCluster();

it('stops a node from answering while its kernel still takes connections, and the same process answers once healed', async () => {
  const node = bare.cluster.node('mc-1');
  const before = await node.state();
  const prepared = await pauseKind.prepare(pause('mc-1'), bare.cluster);
  const injected = await prepared.inject();

  expect(await injected.prove()).toMatchObject({ holds: true, measured: '1 of 1 frozen; 2 silent' });
  expect(await node.state()).toMatchObject({ paused: true });
  // Silent and not refused: the handshake is the kernel's, and the kernel is not frozen.
  expect(await kinds(bare.straight, 'new', 2, 500)).toEqual(['silent', 'silent']);

  await injected.heal();
  expect((await injected.proveHealed()).holds).toBe(true);
  expect(await node.state()).toEqual(before);
  expect(await kinds(bare.straight, 'new')).toEqual(['answered', 'answered', 'answered']);
  await prepared.close();
});

it('can be healed twice', async () => {
  const prepared = await pauseKind.prepare(pause('mc-1'), bare.cluster);
  const injected = await prepared.inject();
  await injected.heal();
  await injected.heal();
  expect(await bare.cluster.node('mc-1').state()).toMatchObject({ paused: false });
  await prepared.close();
});
