/** What ends a node: kill, stop, restart and crash-loop, on real containers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { connectEngine } from '../../cluster/engine.ts';
import type { RunningCluster } from '../../cluster/start.ts';
import type { Prober } from '../../cluster/types.ts';
import { kinds } from '../bare.fixture.ts';
import { useCluster } from '../cluster.fixture.ts';
import { crashLoop, crashLoopKind } from './crash-loop.ts';
import { kill, killKind } from './kill.ts';
import { meddled, NOTHING } from './meddled.fixture.ts';
import { restart, restartKind } from './restart.ts';
import { stop, stopKind } from './stop.ts';
import { caches as threeCaches } from './supervised.fixture.ts';

const caches = useCluster(threeCaches());
const containerOf = async (cluster: RunningCluster, name: string) =>
  (await connectEngine()).docker.getContainer((cluster.node(name) as unknown as { id: string }).id);

it('ends the process, and another one answers once healed', async () => {
  const { cluster } = caches;
  const node = cluster.node('mc-1');
  const [straight, throughLink] = [await node.prober(), await cluster.link('client-1 -> mc-1').prober()];
  const before = await node.state();
  const prepared = await killKind.prepare(kill('mc-1'), cluster);
  caches.intents.length = 0;
  const injected = await prepared.inject();

  expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/^1 of 1 processes gone \(pid \d+\); exit 137; / as never) });
  expect(await node.state()).toMatchObject({ running: false, pid: 0, exitCode: 137 });
  expect(await injected.missing()).toBeUndefined();
  expect(await kinds(straight, 'new', 2)).not.toContain('answered');
  // Through the link the far end is gone too, though Toxiproxy itself still takes the connection.
  expect(await kinds(throughLink, 'new', 2)).not.toContain('answered');

  await injected.heal();
  await injected.heal();
  expect((await injected.proveHealed()).holds).toBe(true);
  const after = await node.state();
  expect(after.running).toBe(true);
  expect([after.pid, after.startedAt]).not.toEqual([before.pid, before.startedAt]);
  expect(await kinds(throughLink, 'new')).toEqual(['answered', 'answered', 'answered']);
  // A run takes a death for a surprise unless a kill was journalled before it.
  expect(caches.intents).toEqual(['kill mc-1', 'start again mc-1']);
  await prepared.close();
});

it('by a signal that the process ignores is not seen to bite: it is the same process still, and goes on', async () => {
  // A shell, which as the first process is spared what it has no handler for.
  const prepared = await killKind.prepare(kill('mc-3', { signal: 'SIGTERM' }), caches.cluster);
  const injected = await prepared.inject();
  expect(await injected.prove(1_000)).toMatchObject({ holds: false, measured: expect.stringMatching(/^still the same process \(pid \d+\); 2 answered$/) });
  expect(await injected.missing()).toBe('mc-3 still runs, and it is the same process');
  await injected.heal();
  expect(await injected.proveHealed(500)).toMatchObject({ holds: false });
  await prepared.close();
});

it('by a signal that the process ends itself by is a goodbye', async () => {
  const prepared = await killKind.prepare(kill('mc-1', { signal: 'SIGINT' }), caches.cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true });
  expect(await caches.cluster.node('mc-1').state()).toMatchObject({ running: false, exitCode: 0 });
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  await prepared.close();
});

it.each([
  ['does nothing', () => meddled(caches.cluster, 'mc-1', { kill: async () => NOTHING })],
  ['hits another node', () => meddled(caches.cluster, 'mc-1', { kill: () => caches.cluster.node('mc-2').kill() })],
])('is not proven when it %s', async (_, cluster) => {
  const prepared = await killKind.prepare(kill('mc-1'), cluster());
  const injected = await prepared.inject();
  expect(await injected.prove(700)).toMatchObject({ holds: false, measured: expect.stringContaining('still the same process') });
  await injected.heal();
  await prepared.close();
});

it.each([
  ['SIGKILL was asked for and it was SIGTERM', kill('mc-1'), 'SIGTERM', 'exit 0'],
  ['SIGTERM was asked for and it was SIGKILL', kill('mc-1', { signal: 'SIGTERM' }), 'SIGKILL', 'exit 137'],
] as const)('is not proven when %s', async (_, fault, signal, exit) => {
  const cluster = meddled(caches.cluster, 'mc-1', { kill: () => caches.cluster.node('mc-1').kill({ signal }) });
  const prepared = await killKind.prepare(fault, cluster);
  const injected = await prepared.inject();
  expect(await injected.prove(2_500)).toMatchObject({ holds: false, measured: expect.stringMatching(new RegExp(`^1 of 1 processes gone .*; ${exit}; `)) });
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  await prepared.close();
});

it('that somebody has healed already is missed, and said to have been: there is nothing left to heal', async () => {
  const prepared = await killKind.prepare(kill('mc-1'), caches.cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true });
  await (await containerOf(caches.cluster, 'mc-1')).start();
  expect(await injected.missing()).toBe('mc-1 runs again');
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true, measured: expect.stringContaining('nothing was left to heal: mc-1 runs again') });
  // What stands beside it has followed it into its new namespace.
  expect(await kinds(await caches.cluster.link('client-1 -> mc-1').prober(), 'new', 1)).toEqual(['answered']);
  await prepared.close();
});

it('of a node that does not run is refused before anything is done', async () => {
  const died = await caches.cluster.node('mc-2').kill();
  await expect(killKind.prepare(kill('mc-2'), caches.cluster)).rejects.toThrow(/^mc-2 does not run, so nothing can be done to its process$/);
  await died.undo();
});

it('stops a node by its own leave, and starts another', async () => {
  const prepared = await stopKind.prepare(stop('mc-1'), caches.cluster);
  caches.intents.length = 0;
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/^1 of 1 processes gone \(pid \d+\); / as never) });
  expect(await caches.cluster.node('mc-1').state()).toMatchObject({ running: false, exitCode: 0 });
  await injected.heal();
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  expect(caches.intents).toEqual(['kill mc-1', 'start again mc-1']);
  await prepared.close();
});

it('stops a node that takes no notice when its grace is over, and not before', async () => {
  const prepared = await stopKind.prepare(stop('mc-3', { grace: '1s' }), caches.cluster);
  const injected = await prepared.inject();
  const straight = await caches.cluster.node('mc-3').prober();
  expect(await kinds(straight, 'new', 1)).toEqual(['answered']);
  expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/mc-3 by SIGKILL after 1\d\d\d ms/) });
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  await prepared.close();
});

it('is no stop when its grace became three times as long', async () => {
  const { cluster } = caches;
  const patient = meddled(cluster, 'mc-3', { stop: (graceMs) => cluster.node('mc-3').stop(3 * graceMs) });
  const prepared = await stopKind.prepare(stop('mc-3', { grace: '1s' }), patient);
  const injected = await prepared.inject();
  expect(await injected.prove(5_000)).toMatchObject({
    holds: false,
    measured: expect.stringMatching(/gone .*, mc-3 by SIGKILL after [34]\d\d\d ms, mc-3 still ran after [23]\d\d\d ms; /),
  });
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  await prepared.close();
});

it('is no stop when nobody was asked to end, and is not over while nobody starts it again', async () => {
  const { cluster } = caches;
  const node = cluster.node('mc-1');
  const abrupt = await stopKind.prepare(stop('mc-1'), meddled(cluster, 'mc-1', { stop: () => node.kill() }));
  const killed = await abrupt.inject();
  expect(await killed.prove(500)).toMatchObject({ holds: false, measured: expect.stringMatching(/gone .*, mc-1 by SIGKILL after \d+ ms; /) });
  await killed.heal();
  await abrupt.close();

  const forgotten = { stop: async (graceMs: number) => ({ ...(await node.stop(graceMs)), undo: async () => undefined }) };
  const prepared = await stopKind.prepare(stop('mc-1'), meddled(cluster, 'mc-1', forgotten));
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true });
  await injected.heal();
  expect(await injected.proveHealed(400)).toMatchObject({ holds: false, measured: expect.stringMatching(/^0 of 1 running anew; /) });
  await prepared.close();
  await (await containerOf(cluster, 'mc-1')).start();
});

/** What a memcached answers, asked from the client's container. */
async function said(request: string): Promise<string> {
  const { docker } = await connectEngine();
  const client = caches.cluster.node('client-1') as unknown as { id: string };
  const program = `const s = require('net').connect(11211, 'mc-1', () => s.end(${JSON.stringify(request)})); s.pipe(process.stdout);`;
  const exec = await docker.getContainer(client.id).exec({ Cmd: ['node', '-e', program], AttachStdout: true, Tty: true });
  let text = '';
  for await (const bytes of await exec.start({ Tty: true })) text += String(bytes);
  return text.trim();
}

it('restarts a cache cold: another process answers, kept connections are closed, and what it held is gone', async () => {
  const { cluster } = caches;
  expect(await said('set k 0 0 5\r\nvalue\r\n')).toBe('STORED');
  expect(await said('get k\r\n')).toContain('value');
  const throughLink = await cluster.link('client-1 -> mc-1').prober();
  expect(await kinds(throughLink, 'kept', 1)).toEqual(['answered']);
  const prepared = await restartKind.prepare(restart('mc-1'), cluster);
  caches.intents.length = 0;
  const beganAt = performance.now();
  const injected = await prepared.inject();
  // memcached's own leave takes a second.
  expect(performance.now() - beganAt).toBeLessThan(5_000);

  expect(await injected.prove()).toMatchObject({
    holds: true,
    measured: expect.stringMatching(/^1 of 1 running anew \(pid \d+\); 1 kept connections closed; new ones: 1 answered$/),
  });
  expect(await said('get k\r\n')).toBe('END');
  expect(await kinds(throughLink, 'kept', 1)).toEqual(['closed']);
  expect(await kinds(throughLink, 'kept', 1)).toEqual(['answered']);
  expect(await injected.missing()).toBeUndefined();
  const { pid } = await cluster.node('mc-1').state();

  await injected.heal();
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  // There is nothing to heal: it is the same process still.
  expect((await cluster.node('mc-1').state()).pid).toBe(pid);
  expect(caches.intents).toEqual(['kill mc-1', 'start again mc-1']);
  await prepared.close();
});

it('is missed when its node is killed afterwards, and is healed by starting it', async () => {
  const node = caches.cluster.node('mc-1');
  const prepared = await restartKind.prepare(restart('mc-1', { grace: '0ms' }), caches.cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true });
  await node.kill();
  expect(await injected.missing()).toBe('mc-1 does not run any more');
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  await prepared.close();
});

/** Asks over a new connection each time, and so never finds one closed. */
async function nothingKept(): Promise<Prober> {
  const prober = await caches.cluster.node('mc-1').prober();
  return { ...prober, ask: (_, patienceMs) => prober.ask('new', patienceMs) };
}

it.each([
  ['does nothing', () => meddled(caches.cluster, 'mc-1', { restart: async () => NOTHING }), /0 kept connections closed/],
  ['hits another node', () => meddled(caches.cluster, 'mc-1', { restart: (graceMs) => caches.cluster.node('mc-2').restart(graceMs) }), /0 of 1 running anew/],
  [
    'closes no connection',
    () => meddled(caches.cluster, 'mc-1', { prober: nothingKept }),
    /^1 of 1 running anew .*; 0 kept connections closed; new ones: 1 answered$/,
  ],
])('is no restart when it %s', async (_, cluster, measured) => {
  const prepared = await restartKind.prepare(restart('mc-1', { grace: '0ms' }), cluster());
  const injected = await prepared.inject();
  expect(await injected.prove(700)).toMatchObject({ holds: false, measured: expect.stringMatching(measured) });
  await injected.heal();
  await prepared.close();
});

it('lets a node die every so often until healed, each death followed by another process', async () => {
  const prepared = await crashLoopKind.prepare(crashLoop('mc-1', { every: '1s' }), caches.cluster);
  caches.intents.length = 0;
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({
    holds: true,
    measured: expect.stringMatching(/^mc-1: \d new processes seen, the last 3 \d+ and \d+ ms apart; /),
  });
  expect(await injected.missing()).toBeUndefined();
  await injected.heal();
  await injected.heal();
  const healed = await injected.proveHealed();
  expect(healed).toMatchObject({ holds: true, measured: expect.stringMatching(/^[3-9] deaths, each with another process after it; 1 of 1 running anew/) });
  // It was each time a kill that had been asked for, and the last word was a start.
  const deaths = Number.parseInt(healed.measured, 10);
  expect(caches.intents).toEqual(Array.from({ length: deaths }, () => ['kill mc-1', 'start again mc-1']).flat());
  const { pid } = await caches.cluster.node('mc-1').state();
  await sleep(1_200);
  expect((await caches.cluster.node('mc-1').state()).pid).toBe(pid);
  await prepared.close();
});

it.each([
  ['nothing dies', 1_500, /^mc-1: 0 new processes seen/, () => async () => NOTHING],
  [
    'it dies half as often',
    3_500,
    /^mc-1: 2 new processes seen, the last 2 (1[5-9]|2\d)\d\d ms apart/,
    () => {
      const beganAt = performance.now();
      let turn = 0;
      return () => sleep(Math.max(0, beganAt + 2_000 * turn++ - performance.now())).then(() => caches.cluster.node('mc-1').kill());
    },
  ],
] as const)('is no crash loop when %s', async (_, limitMs, measured, meddling) => {
  const prepared = await crashLoopKind.prepare(crashLoop('mc-1', { every: '1s' }), meddled(caches.cluster, 'mc-1', { kill: meddling() }));
  const injected = await prepared.inject();
  expect(await injected.prove(limitMs)).toMatchObject({ holds: false, measured: expect.stringMatching(measured) });
  await injected.heal();
  await prepared.close();
});
