/** Processes under the first one: reached by a sidecar among them, and started again by their supervisor. */
import { expect, it } from 'vitest';
import { kinds } from '../bare.fixture.ts';
import { useCluster } from '../cluster.fixture.ts';
import { crashLoop, crashLoopKind } from './crash-loop.ts';
import { kill, killKind } from './kill.ts';
import { meddled } from './meddled.fixture.ts';
import { pause, pauseKind } from './pause.ts';
import { caches as threeCaches } from './supervised.fixture.ts';

const caches = useCluster(threeCaches());
const child = kill('mc-3', { process: 'memcached' });

it('are told by name or command line, the first and the sidecar not among them', async () => {
  const node = caches.cluster.node('mc-3');
  const [first] = await node.processes();
  expect(first).toMatchObject({ pid: 1, name: 'sh' });
  const [memcached, ...others] = await node.processes('memcached');
  expect(others).toEqual([]);
  expect(memcached).toMatchObject({ parent: 1, name: 'memcached', state: expect.stringMatching(/^[RS]$/) });
  expect(await node.processes('* -p 11211 *')).toEqual([memcached]);
  for (const stranger of ['sh', 'node', 'sleep infinity']) expect(await node.processes(stranger)).toEqual([]);
});

it('are killed, and their supervisor starts others: nothing is left to heal', async () => {
  const { cluster } = caches;
  const straight = await cluster.node('mc-3').prober();
  const before = await cluster.node('mc-3').state();
  expect(await kinds(straight, 'kept', 1)).toEqual(['answered']);
  await killKind.ready?.(child, cluster);
  const prepared = await killKind.prepare(child, cluster);
  caches.intents.length = 0;
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/^1 of 1 processes gone \(pid \d+\)/) });
  expect(await kinds(straight, 'kept', 1)).toEqual(['closed']);
  // That another one is there already is what supervisors are for, and no loss of the fault.
  expect(await injected.missing()).toBeUndefined();
  await injected.heal();
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true, measured: expect.stringMatching(/^1 of 1 running anew \(pid \d+\); 2 answered$/) });
  expect(await injected.missing()).toBeUndefined();
  // The node itself never died, so no such death was announced.
  expect(await cluster.node('mc-3').state()).toEqual(before);
  expect(caches.intents).toEqual(['SIGKILL to memcached mc-3']);
  await prepared.close();
});

it('are not killed by a signal that is lost on the way, nor by one to another node', async () => {
  const { cluster } = caches;
  const acts = [{ kill: async () => ({ undo: async () => undefined, missing: async () => undefined }) }, { kill: () => cluster.node('mc-2').kill() }];
  for (const act of acts) {
    const prepared = await killKind.prepare(child, meddled(cluster, 'mc-3', act));
    const injected = await prepared.inject();
    expect(await injected.prove(300)).toMatchObject({ holds: false, measured: expect.stringMatching(/^still the same process/) });
    await injected.heal();
    expect(await injected.proveHealed(300)).toMatchObject({ holds: false });
    await prepared.close();
  }
});

it('that are not there are refused in one line, and a first process is not taken for its own child', async () => {
  const { cluster } = caches;
  await expect(killKind.prepare(kill('mc-3', { process: 'nginx' }), cluster)).rejects.toThrow(
    /^no process 'nginx' under the first process of mc-3; there is memcached$/,
  );
  await expect(killKind.prepare(kill('mc-1', { process: 'memcached' }), cluster)).rejects.toThrow(
    /^'memcached' is the first process of mc-1 and no child of it; leave out process$/,
  );
});

it('are stopped by a signal while their parent goes on', async () => {
  const fault = pause('mc-3', { by: 'signal', process: 'memcached' });
  const prepared = await pauseKind.prepare(fault, caches.cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/^1 of 1 stopped; /) });
  const straight = await caches.cluster.node('mc-3').prober();
  expect(await kinds(straight, 'new', 1)).toEqual(['silent']);
  expect((await caches.cluster.node('mc-3').processes())[0]?.state).toBe('S');
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true, measured: '1 of 1 running; 2 answered' });
  await prepared.close();
});

it('die again and again under a supervisor that starts them each time', async () => {
  const fault = crashLoop('mc-3', { every: '1s', process: 'memcached' });
  const before = await caches.cluster.node('mc-3').state();
  const prepared = await crashLoopKind.prepare(fault, caches.cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/new processes seen, the last 3 \d+ and \d+ ms apart/) });
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true, measured: expect.stringMatching(/^[3-5] deaths/) });
  expect(await caches.cluster.node('mc-3').state()).toEqual(before);
  await prepared.close();
});
