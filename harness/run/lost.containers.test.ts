/** A fault that is gone before its time makes a run invalid, and is noticed within a second. */
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { expect, it } from 'vitest';
import { cacheClients } from '../../containers/client/index.ts';
import { performed } from '../../containers/run.fixture.ts';
import { connectEngine } from '../cluster/engine.ts';
import { NODE_LABEL, OWNER_LABEL, type Owner } from '../cluster/labels.ts';
import type { Fault } from '../faults/index.ts';
import { caches } from '../faults/process/supervised.fixture.ts';
import { drill, kill, latency, memoryLimit, partition, percentile, type Step } from '../index.ts';

const scenario = (fault: Fault, step: Partial<Step> = {}) =>
  drill({
    id: 'lost',
    story: 'a fault is gone before its time',
    duration: '8s',
    load: [
      cacheClients({
        rate: '100/s',
        connections: 4,
        mix: { get: '100%' },
        deadline: '1s',
        timeout: '500ms',
        onTimeout: 'reconnect',
        entry: 'mc-1',
        backends: 1,
      }),
    ],
    steps: [{ at: '2s', for: '5s', fault, ...step }],
    slos: { steady: percentile(90, { under: '100ms', when: 'before' }) },
    variants: { three: { title: 'three caches', cluster: caches() } },
  });

/** A container of the run that is going on in this process. */
async function containerOf(node: string): Promise<Dockerode.Container> {
  const { docker } = await connectEngine();
  const all = await docker.listContainers({ filters: { label: [`${NODE_LABEL}=${node}`], status: ['running'] } });
  const found = all.find(({ Labels }) => (JSON.parse(Labels[OWNER_LABEL] ?? '{}') as Partial<Owner>).pid === process.pid);
  if (!found) throw new Error(`there is no node ${node}`);
  return docker.getContainer(found.Id);
}

/** Runs a program in it. */
async function meddle(node: string, argv: readonly string[]): Promise<void> {
  const exec = await (await containerOf(node)).exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({});
  for await (const _ of stream);
}

it.each<[string, Fault, string, string[], RegExp]>([
  [
    'Toxiproxy was reset',
    latency('client-1 -> mc-1', '50ms'),
    'toxiproxy',
    [
      'perl',
      '-MIO::Socket::INET',
      '-e',
      'my $s = IO::Socket::INET->new("127.0.0.1:8474"); print $s "POST /reset HTTP/1.0\r\nContent-Length: 0\r\n\r\n"; print <$s>',
    ],
    /^latency 50ms on client-1 -> mc-1 was lost before its time: Toxiproxy has no latency on client-1 -> mc-1 any more$/,
  ],
  [
    'somebody removed the rules',
    partition('mc-1'),
    'net-mc-1',
    ['sh', '-c', 'nft list tables | while read -r table; do nft delete $table; done'],
    /^partition (of|on) mc-1 was lost before its time: the rules are gone from the network namespace of mc-1$/,
  ],
])('when %s', async (_, fault, node, argv, words) => {
  let meddling: Promise<void> | undefined;
  const { timeline } = await performed(scenario(fault), 1, {
    // A second after it has come into force, and so three before its time is over.
    faults: (inForce) => {
      if (inForce.length > 0) meddling ??= sleep(1_000).then(() => meddle(node, argv));
    },
  });
  await meddling;
  const lost = timeline.findings.find(({ text }) => words.test(text));
  expect(lost?.severity, JSON.stringify(timeline.findings)).toBe('invalid');
});

it('when it is lost and the scenario says so, it is put in force again', async () => {
  let meddling: Promise<void> | undefined;
  const { timeline, report } = await performed(scenario(partition('mc-1'), { ifLost: 'reapply' }), 1, {
    faults: (inForce) => {
      if (inForce.length > 0)
        meddling ??= sleep(1_000).then(() => meddle('net-mc-1', ['sh', '-c', 'nft list tables | while read -r table; do nft delete $table; done']));
    },
  });
  await meddling;
  expect(report.reasons).toEqual([]);
  const [lost, reapplied] = ['lost', 'reapplied'].map((event) => timeline.marks.find((mark) => mark.event === event));
  expect(reapplied?.proof?.holds).toBe(true);
  // Noticed within a second of the meddling, which came a second after the fault.
  expect((lost?.at ?? Number.NaN) - (timeline.marks.find(({ event }) => event === 'injected')?.at ?? Number.NaN)).toBeLessThan(2_500);
});

it.each<[string, Fault]>([
  ['a limit of memory that nothing outgrew', memoryLimit('mc-1', { mib: 64 })],
  ['a signal that killed nobody', kill('mc-3', { signal: 'SIGTERM' })],
])('a death that nobody asked for is told as one, after %s', async (_, fault) => {
  const { node } = fault as { readonly node: string };
  let killing: Promise<void> | undefined;
  let wasInForce = false;
  const { report } = await performed(scenario(fault, { for: '2s' }), 1, {
    faults: (inForce) => {
      if (wasInForce && inForce.length === 0) killing ??= containerOf(node).then((container) => container.kill({ signal: 'SIGKILL' }));
      wasInForce = inForce.length > 0;
    },
  });
  await killing;
  expect(report.reasons.join()).toContain(`node ${node} died by itself (exit 137)`);
});
