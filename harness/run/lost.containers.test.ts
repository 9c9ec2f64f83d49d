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
import { drill, kill, latency, loss, memoryLimit, partition, percentile, type Step } from '../index.ts';
import type { Executed } from './execute.ts';

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

/** Says something to Toxiproxy's own API, from inside its container. */
const toToxiproxy = (method: string, path: string, body = '') =>
  meddle('toxiproxy', [
    'perl',
    '-MIO::Socket::INET',
    '-e',
    `my $s = IO::Socket::INET->new("127.0.0.1:8474"); print $s "${method} ${path} HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n", '${body}'; print <$s>`,
  ]);
const toTables = (act: string) => meddle('net-mc-1', ['sh', '-c', `nft list tables | while read -r table; do nft ${act} $table; done`]);

interface Lost {
  readonly timeline: Executed['timeline'];
  readonly reasons: readonly string[];
  /** From the end of the meddling to when it was noticed, ms. */
  readonly noticedMs: number;
}

/** Meddles a second after the fault has come into force, and so three before its time is over. */
async function lostBy(fault: Fault, meddling: () => Promise<unknown>, step: Partial<Step> = {}): Promise<Lost> {
  let inForceAt = Number.NaN;
  let meddledAt = Number.NaN;
  let acting: Promise<unknown> | undefined;
  const { timeline, report } = await performed(scenario(fault, step), 1, {
    faults: (inForce) => {
      if (inForce.length === 0 || acting) return;
      inForceAt = performance.now();
      acting = sleep(1_000)
        .then(meddling)
        .then(() => (meddledAt = performance.now()));
    },
  });
  await acting;
  const injectedAt = timeline.marks.find(({ event }) => event === 'injected')?.at ?? Number.NaN;
  const lostAt = timeline.marks.find(({ event }) => event === 'lost')?.at ?? timeline.findings.find(({ text }) => text.includes('was lost'))?.at ?? Number.NaN;
  return { timeline, reasons: report.reasons, noticedMs: lostAt - injectedAt - (meddledAt - inForceAt) };
}

it.each<[string, Fault, () => Promise<unknown>, RegExp]>([
  [
    'Toxiproxy was reset',
    latency('client-1 -> mc-1', '50ms'),
    () => toToxiproxy('POST', '/reset'),
    /^latency 50ms on client-1 -> mc-1 was lost before its time: Toxiproxy has no latency on client-1 -> mc-1 any more$/,
  ],
  [
    'somebody gave a toxic another dose',
    latency('client-1 -> mc-1', '50ms'),
    () => toToxiproxy('POST', '/proxies/client-1--mc-1/toxics/aftershock-1', '{"attributes":{"latency":0}}'),
    /^latency 50ms on client-1 -> mc-1 was lost before its time: Toxiproxy has another latency on client-1 -> mc-1 by now$/,
  ],
  [
    'somebody removed the link',
    latency('client-1 -> mc-1', '50ms'),
    () => toToxiproxy('DELETE', '/proxies/client-1--mc-1'),
    /^latency 50ms on client-1 -> mc-1 was lost before its time: Toxiproxy has no latency on client-1 -> mc-1 any more$/,
  ],
  [
    'somebody removed the rules',
    partition('mc-1'),
    () => toTables('delete'),
    /^partition (of|on) mc-1 was lost before its time: the rules are gone from the network namespace of mc-1$/,
  ],
  [
    'somebody emptied the tables of the rules',
    partition('mc-1'),
    () => toTables('flush'),
    /^partition (of|on) mc-1 was lost before its time: the rules at mc-1 are others by now$/,
  ],
  [
    'somebody started the target again',
    loss('mc-1', '50%'),
    async () => (await containerOf('mc-1')).restart({ t: 0 }),
    /^loss 50% in on mc-1 was lost before its time: the rules are gone from the network namespace of mc-1$/,
  ],
])('when %s, that is noticed within a second', async (_, fault, meddling, words) => {
  const { timeline, noticedMs } = await lostBy(fault, meddling);
  const lost = timeline.findings.find(({ text }) => words.test(text));
  expect(lost?.severity, JSON.stringify(timeline.findings)).toBe('invalid');
  expect(noticedMs).toBeLessThan(1_000);
});

it('when it is lost and the scenario says so, it is put in force again', async () => {
  const { timeline, reasons, noticedMs } = await lostBy(partition('mc-1'), () => toTables('delete'), { ifLost: 'reapply' });
  // A busy machine may starve the load; nothing else may be a reason.
  expect(reasons.filter((reason) => !reason.includes('starved'))).toEqual([]);
  expect(noticedMs).toBeLessThan(1_000);
  expect(timeline.marks.find(({ event }) => event === 'reapplied')?.proof?.holds).toBe(true);
});

it('in the namespace that its target has after somebody has started it again, too', async () => {
  const { timeline, noticedMs } = await lostBy(loss('mc-1', '50%'), async () => (await containerOf('mc-1')).restart({ t: 0 }), { ifLost: 'reapply' });
  expect(noticedMs).toBeLessThan(1_000);
  expect(timeline.marks.find(({ event }) => event === 'reapplied')?.proof?.holds, JSON.stringify(timeline.findings)).toBe(true);
  expect(timeline.marks.find(({ event }) => event === 'healed')?.proof?.holds, JSON.stringify(timeline.findings)).toBe(true);
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
