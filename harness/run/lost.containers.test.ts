/** A fault that is gone before its time makes a run invalid, and is noticed within a second. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { bareCache } from '../../containers/cache.ts';
import { cacheClients } from '../../containers/client/index.ts';
import { performed } from '../../containers/run.fixture.ts';
import { connectEngine } from '../cluster/engine.ts';
import type { Fault } from '../faults/index.ts';
import { drill, latency, partition, percentile, type Step } from '../index.ts';

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
    variants: { bare: { title: 'bare', cluster: bareCache() } },
  });

/** Runs a program in a container of the run that is going on. */
async function meddle(node: string, argv: readonly string[]): Promise<void> {
  const { docker } = await connectEngine();
  const [found] = await docker.listContainers({ filters: { label: [`io.aftershock.node=${node}`], status: ['running'] } });
  if (!found) throw new Error(`there is no node ${node}`);
  const exec = await docker.getContainer(found.Id).exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true });
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
