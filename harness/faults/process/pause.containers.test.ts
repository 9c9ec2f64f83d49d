import { expect, it } from 'vitest';
import { connectEngine } from '../../cluster/engine.ts';
import { kinds } from '../bare.fixture.ts';
import { useCluster } from '../cluster.fixture.ts';
import { meddled, NOTHING } from './meddled.fixture.ts';
import { pause, pauseKind } from './pause.ts';
import { caches as threeCaches } from './supervised.fixture.ts';

const caches = useCluster(threeCaches());
const containerOf = async (name: string) => (await connectEngine()).docker.getContainer((caches.cluster.node(name) as unknown as { id: string }).id);
const bySignal = pause('mc-1', { by: 'signal' });

it('stops a node from answering while its kernel still takes connections, and the same process answers once healed', async () => {
  const node = caches.cluster.node('mc-1');
  const straight = await node.prober();
  const before = await node.state();
  const prepared = await pauseKind.prepare(pause('mc-1'), caches.cluster);
  const injected = await prepared.inject();

  expect(await injected.prove()).toMatchObject({ holds: true, measured: '1 of 1 frozen; 2 silent' });
  expect(await node.state()).toMatchObject({ paused: true });
  // Silent and not refused: the handshake is the kernel's, and the kernel is not frozen.
  expect(await kinds(straight, 'new', 2, 500)).toEqual(['silent', 'silent']);
  await expect(pauseKind.prepare(pause('mc-1'), caches.cluster)).rejects.toThrow(/^mc-1 is paused, so nothing can be seen of its process$/);

  await injected.heal();
  await injected.heal();
  expect((await injected.proveHealed()).holds).toBe(true);
  expect(await node.state()).toEqual(before);
  expect(await kinds(straight, 'new')).toEqual(['answered', 'answered', 'answered']);
  await prepared.close();
});

it('that somebody has ended already is missed, and said to have been: there is nothing left to heal', async () => {
  const prepared = await pauseKind.prepare(pause('mc-1'), caches.cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true });
  await (await containerOf('mc-1')).unpause();
  expect(await injected.missing()).toBe('mc-1 is not frozen any more');
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({
    holds: true,
    measured: expect.stringContaining('nothing was left to heal: mc-1 is not frozen any more'),
  });
  await prepared.close();
});

it('by a signal stops the first process while the engine goes on to say that it runs', async () => {
  const node = caches.cluster.node('mc-1');
  const straight = await node.prober();
  const before = await node.state();
  await pauseKind.ready?.(bySignal, caches.cluster);
  const prepared = await pauseKind.prepare(bySignal, caches.cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true, measured: '1 of 1 stopped; 2 silent' });
  expect(await node.state()).toEqual(before);
  expect(await kinds(straight, 'new', 1, 500)).toEqual(['silent']);
  expect(await injected.missing()).toBeUndefined();
  await injected.heal();
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true, measured: '1 of 1 running; 2 answered' });
  expect(await node.state()).toEqual(before);
  await prepared.close();
});

it('by a signal that somebody has taken back is missed, and is healed all the same', async () => {
  const prepared = await pauseKind.prepare(bySignal, caches.cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true });
  await (await containerOf('mc-1')).kill({ signal: 'SIGCONT' });
  expect(await injected.missing()).toBe('the first process of mc-1 is not stopped any more');
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true, measured: expect.stringContaining('nothing was left to heal: the first process of mc-1') });
  await prepared.close();
});

it.each([
  ['does nothing', pause('mc-1'), { pause: async () => NOTHING }],
  ['hits another node', pause('mc-1'), { pause: () => caches.cluster.node('mc-2').pause() }],
  ['does nothing by a signal', bySignal, { suspend: async () => NOTHING }],
  ['stops another node by a signal', bySignal, { suspend: () => caches.cluster.node('mc-2').suspend() }],
] as const)('is not proven when it %s', async (_, fault, acts) => {
  const prepared = await pauseKind.prepare(fault, meddled(caches.cluster, 'mc-1', acts));
  const injected = await prepared.inject();
  expect(await injected.prove(400)).toMatchObject({ holds: false, measured: expect.stringMatching(/^0 of 1 (frozen|stopped); 2 answered$/) });
  await injected.heal();
  await prepared.close();
});

it.each([
  ['frozen', pause('mc-1'), 'pause'],
  ['stopped', bySignal, 'suspend'],
] as const)('is not over while the node stays %s', async (_, fault, act) => {
  let release: () => Promise<void> = async () => undefined;
  const held = async () => {
    const real = await caches.cluster.node('mc-1')[act]();
    release = () => real.undo();
    return { ...real, undo: async () => undefined };
  };
  const prepared = await pauseKind.prepare(fault, meddled(caches.cluster, 'mc-1', { [act]: held }));
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true });
  await injected.heal();
  expect(await injected.proveHealed(400)).toMatchObject({ holds: false, measured: '0 of 1 running; 2 silent' });
  await release();
  await prepared.close();
});
