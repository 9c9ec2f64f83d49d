/**
 * What a budget takes for granted, read from the engine's kernel: limits of a container, and what a connection takes at each hop. One cluster, 100 connections
 * that have been answered over all of its hops.
 */
import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cache } from '../../containers/cache.ts';
import { tools } from '../../containers/tools.ts';
import { connectEngine, type Engine } from '../cluster/engine.ts';
import { type InsideLimits, limitsIn, lookInside } from '../cluster/look.ts';
import { type RunningCluster, startCluster } from '../cluster/start.ts';
import { hopsOf } from './flows.ts';
import { descriptorNeeds, portNeed } from './needs.ts';
import type { Plan } from './types.ts';

const CONNECTIONS = 100;
const spec = cache({ backends: 2, proxies: 2, clients: 2 });
const runId = `test-${randomBytes(4).toString('hex')}`;
const readings: { node: string; gauges: Readonly<Record<string, number>> }[] = [];
let engine: Engine;
let cluster: RunningCluster;
let limits: InsideLimits;

beforeAll(async () => {
  engine = await connectEngine();
  limits = await lookInside(engine, tools.hand.image);
  cluster = await startCluster(spec, {
    engine,
    runId,
    signal: new AbortController().signal,
    journal: { intent: () => undefined, done: () => undefined },
    onReading: (node, { gauges }) => readings.push({ node, gauges }),
  });
});
afterAll(() => cluster?.stop());

/** What a command in a part of the cluster prints. */
async function output(part: string, ...command: string[]): Promise<string> {
  const { docker } = engine;
  const exec = await docker.getContainer(`aftershock-${runId}-${part}`).exec({ Cmd: command, AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({});
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, stdout, stderr);
  stream.on('end', () => stdout.end());
  return text(stdout);
}

/** Sockets that processes in a part hold descriptors of. */
async function sockets(part: string): Promise<number> {
  const lines = await output(part, 'find', '/proc', '-mindepth', '3', '-maxdepth', '3', '-path', '/proc/[0-9]*/fd/*', '-lname', 'socket:*');
  return lines.split('\n').filter((line) => line !== '').length;
}

describe('the limits of a container', () => {
  it('are those that a process of ours has there, and it gets no descriptor more', async () => {
    const inside = await output('client-1', 'grep', '-sH', '', '/proc/self/limits', '/proc/sys/net/ipv4/ip_local_port_range');
    expect(limitsIn(inside)).toMatchObject({ softDescriptors: limits.softDescriptors, hardDescriptors: limits.hardDescriptors, ports: limits.ports });
    // To the very end only where that is soon: elsewhere a process may hold a thousand million of them.
    const program = `const fs = require('fs'); let n = fs.readdirSync('/proc/self/fd').length - 1; try { for (; n < 60000; n++) fs.openSync('/dev/null'); } catch (e) { console.log(e.code, n); }`;
    const said = (await output('client-1', 'node', '-e', program)).trim();
    expect(said).toBe(limits.hardDescriptors < 60_000 ? `EMFILE ${limits.hardDescriptors}` : '');
  });
});

describe('a connection', () => {
  it('takes at each hop as many descriptors as the budget counts', async () => {
    const parts = ['toxiproxy', 'edge', 'proxy-1', 'proxy-2'];
    const count = async () => Promise.all(parts.map(sockets));
    const link = cluster.link('client-2 -> edge');
    // The hand is there before they are counted, and one has been answered over each way.
    const probers = await Promise.all(Array.from({ length: CONNECTIONS + 1 }, () => link.prober()));
    await probers[0]?.ask('new', 2_000);
    /** When they have stood still: a connection that was closed is gone from each hop in its own time. */
    const settled = async () => {
      for (let last = await count(); ; ) {
        await sleep(200);
        const now = await count();
        if (now.every((sockets, index) => sockets === last[index])) return now;
        last = now;
      }
    };
    const before = await settled();
    for (const prober of probers.slice(1)) expect(await prober.ask('kept', 2_000)).toMatchObject({ kind: 'answered' });
    const after = await settled();
    const grown = after.map((sockets, index) => sockets - (before[index] as number));

    const load = {
      name: 'main',
      node: 'client-2',
      title: 'x',
      program: { node: 'client-2', program: 'x', settings: { entry: '${link:client-2 -> edge}' } },
      ratePerSecond: 0,
      connections: CONNECTIONS,
      longestRequestMs: 0,
      shards: [],
    };
    const plan = { cluster: spec, load: [load], durationMs: 1_000 } as unknown as Plan;
    const hops = hopsOf(plan);
    const needs = new Map(descriptorNeeds(plan, hops).map(({ who, count }) => [who, count]));
    const bare = new Map(descriptorNeeds(plan, []).map(({ who, count }) => [who, count]));
    const counted = (who: string) => (needs.get(who) as number) - (bare.get(who) as number);
    // The proxies' own connections to the caches are there before (the readiness check made them): 2 x 2 over links, two descriptors each.
    expect(grown).toEqual([counted('Toxiproxy') - 8, counted('edge'), counted('proxy-1'), counted('proxy-2')]);
    expect(portNeed(plan, hops)).toMatchObject({ who: 'Toxiproxy to edge', count: CONNECTIONS });
    // Beside connections, the budget keeps more for a process than any of them holds.
    for (const [index, part] of parts.entries()) expect(before[index], part).toBeLessThan(64);
    for (const prober of probers) await prober.close();
  });
});

describe('a connection that was closed', () => {
  it('keeps its port for a while at each hop over which it went, as the budget counts', async () => {
    const prober = await cluster.link('client-2 -> edge').prober();
    /** Rows of the kernel's table in TIME_WAIT (06): '  0: 0100007F:1F90 0200007F:2BCB 06 ...'. */
    const waiting = async (part: string) =>
      (await output(part, 'cat', '/proc/net/tcp', '/proc/net/tcp6')).split('\n').filter((line) => line.trim().split(/\s+/)[3] === '06').length;
    const parts = ['client-2', 'toxiproxy', 'edge'];
    const before = await Promise.all(parts.map(waiting));
    for (let i = 0; i < 50; i++) expect((await prober.ask('new', 2_000)).kind).toBe('answered');
    await sleep(500);
    const after = await Promise.all(parts.map(waiting));
    expect(after.map((count, index) => count - (before[index] as number))).toEqual([50, 100, 50]);
    await prober.close();
  });
});

describe('clients', () => {
  it('have addresses of their own, and links of their own that can be told apart', async () => {
    const networks = await Promise.all(
      ['client-1', 'client-2'].map(async (node) => (await engine.docker.getContainer(`aftershock-${runId}-${node}`).inspect()).NetworkSettings.Networks),
    );
    expect(new Set(networks.map((network) => Object.values(network)[0]?.IPAddress)).size).toBe(2);
    const [one, other] = [cluster.link('client-1 -> edge'), cluster.link('client-2 -> edge')];
    const restore = await one.cut();
    const [cut, open] = [await one.prober(), await other.prober()];
    expect((await cut.ask('new', 1_000)).kind).not.toBe('answered');
    expect((await open.ask('new', 1_000)).kind).toBe('answered');
    await restore.undo();
    expect((await cut.ask('new', 1_000)).kind).toBe('answered');
    for (const prober of [cut, open]) await prober.close();
  });
});

describe('the host', () => {
  it('is read five times a second, from one client alone', async () => {
    const from = readings.length;
    await sleep(2_000);
    const host = readings.slice(from).filter(({ gauges }) => 'host.idle' in gauges);
    expect(new Set(host.map(({ node }) => node))).toEqual(new Set(['client-1']));
    // Ten, but for a busy machine.
    expect(host.length).toBeGreaterThanOrEqual(6);
    expect(host.length).toBeLessThanOrEqual(11);
    for (const { gauges } of host) {
      expect(gauges['host.idle']).toBeGreaterThanOrEqual(0);
      expect(gauges['host.idle']).toBeLessThanOrEqual(1);
      expect(gauges['host.steal']).toBeLessThanOrEqual(1);
      expect(gauges['host.runQueue']).toBeGreaterThanOrEqual(0);
      expect(Object.keys(gauges).filter((name) => name.startsWith('sockets'))).toEqual([]);
    }
  });

  it('is seen to be busy when it is', async () => {
    const idle = () => readings.flatMap(({ gauges }) => gauges['host.idle'] ?? []).slice(-5);
    // A second of work on every processor.
    const spin = 'const until = Date.now() + 1500; while (Date.now() < until);';
    await Promise.all(Array.from({ length: engine.cpus }, () => output('client-2', 'node', '-e', spin)));
    expect(Math.min(...idle())).toBeLessThan(0.2);
    const queue = readings.flatMap(({ gauges }) => gauges['host.runQueue'] ?? []).slice(-5);
    expect(Math.max(...queue)).toBeGreaterThanOrEqual(Math.min(engine.cpus, 2) - 1);
  });
});
