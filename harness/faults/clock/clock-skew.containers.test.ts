import { describe, expect, it } from 'vitest';
import { cache } from '../../../containers/cache.ts';
import { httpService } from '../../../containers/http/index.ts';
import type { Cluster, Disturbance, Node } from '../../cluster/types.ts';
import { useCluster } from '../cluster.fixture.ts';
import { clockSkew, clockSkewKind } from './clock-skew.ts';

describe('clock-skew in a cache tier', () => {
  const tier = useCluster(cache({ backends: 2, proxies: 1, clients: 2, proxyTimeout: '4s', skewable: 'client-1|proxy-1' }));

  it('puts the clocks of a client and a proxy off, leaves monotonic clocks and others alone, and is healed, twice', async () => {
    const prepared = await clockSkewKind.prepare(clockSkew('client-1|proxy-1', '+1h'), tier.cluster);
    const injected = await prepared.inject();
    expect(await injected.prove()).toMatchObject({ holds: true });
    expect(await injected.missing()).toBeUndefined();
    const clocks = 'say({ wall: Date.now(), monotonic: Number(process.hrtime.bigint() / 1000000n) });';
    const [skewed, right] = (await Promise.all([tier.run('client-1', clocks), tier.run('client-2', clocks)])) as { wall: number; monotonic: number }[];
    expect(Math.abs((skewed?.wall ?? 0) - (right?.wall ?? 0) - 3_600_000)).toBeLessThan(1_000);
    expect(Math.abs((skewed?.monotonic ?? 0) - (right?.monotonic ?? 0))).toBeLessThan(1_000);
    await injected.heal();
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    expect(await injected.missing()).toContain('is right again');
    await prepared.close();
  });

  it.each([
    { step: 3_600, title: 'ahead ends a request that waits for a server that is stuck', how: 'Connection timed out', fromMs: 200, toMs: 3_600 },
    { step: -3_600, title: 'back lets it wait for longer than the timeout of 4 s', how: 'nothing yet', fromMs: 5_400, toMs: 7_000 },
  ])("is what a proxy's own timeouts go by: a step $title", async ({ step, how, fromMs, toMs }) => {
    const stuck = await tier.cluster.node('mc-1').pause();
    const asking = tier.run(
      'client-2',
      `
import { connect } from 'node:net';
const began = performance.now();
const end = (how) => say({ how, ms: performance.now() - began });
const keys = Array.from({ length: 20 }, (_, n) => 'k' + n).join(' ');
const socket = connect({ host: '${tier.cluster.node('proxy-1').address}', port: 22121 }, () => socket.write('get ' + keys + '\\r\\n'));
socket.on('error', (error) => end(error.code));
socket.on('data', (bytes) => end(bytes.toString()));
setTimeout(() => end('nothing yet'), 5500);`,
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    const skewed = await tier.cluster.node('proxy-1').skewClock(step);
    const ended = (await asking) as { how: string; ms: number };
    await Promise.all([skewed.undo(), stuck.undo()]);
    expect(ended.how).toContain(how);
    expect(ended.ms).toBeGreaterThan(fromMs);
    expect(ended.ms).toBeLessThan(toMs);
    await expect.poll(async () => Math.abs(await tier.cluster.node('proxy-1').clockOffsetMs()), { timeout: 3_000 }).toBeLessThan(1_500);
  });

  /** The same cluster, but for who is skewed, and by how much. */
  const sabotaged = (spoil: (skewClock: Node['skewClock']) => Node['skewClock']): Cluster => {
    const node = tier.cluster.node('client-1');
    const spoilt = new Proxy(node, { get: (target, key) => (key === 'skewClock' ? spoil(target.skewClock) : Reflect.get(target, key)) });
    return { ...tier.cluster, nodes: tier.cluster.nodes.map((one) => (one === node ? spoilt : one)) };
  };
  const nothing: Disturbance = { undo: async () => undefined, missing: async () => undefined };
  const wrong: [string, (skewClock: Node['skewClock']) => Node['skewClock']][] = [
    ['does nothing', () => async () => nothing],
    ['skews another node', () => () => tier.cluster.node('proxy-1').skewClock(5)],
    ['skews by half', (skewClock) => () => skewClock(2)],
    ['skews by twice as much', (skewClock) => () => skewClock(10)],
    ['skews the other way', (skewClock) => () => skewClock(-5)],
  ];
  it.each(wrong)('does not hold its proof when it %s', async (_, spoil) => {
    const prepared = await clockSkewKind.prepare(clockSkew('client-1', '+5s'), sabotaged(spoil));
    const injected = await prepared.inject();
    expect((await injected.prove(1_500)).holds).toBe(false);
    await injected.heal();
    await prepared.close();
    await expect.poll(async () => Math.abs(await tier.cluster.node('client-1').clockOffsetMs()), { timeout: 3_000 }).toBeLessThan(500);
  });

  it('does not hold its proof of being gone when it never heals', async () => {
    const prepared = await clockSkewKind.prepare(clockSkew('client-1', '+5s'), tier.cluster);
    const injected = await prepared.inject();
    expect(await injected.prove()).toMatchObject({ holds: true });
    expect((await injected.proveHealed(1_500)).holds).toBe(false);
    await injected.heal();
    // Its clock is right within a second, and the next test takes it for one that was right all along.
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await prepared.close();
  });

  it('is lost when the node is started again, and its clock is right then', async () => {
    const prepared = await clockSkewKind.prepare(clockSkew('proxy-1', '+1h'), tier.cluster);
    const injected = await prepared.inject();
    expect(await injected.prove()).toMatchObject({ holds: true });
    await (await tier.cluster.node('proxy-1').kill()).undo();
    await expect.poll(() => injected.missing(), { timeout: 3_000 }).toContain('is right again');
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await prepared.close();
  });

  it('says of a node that was not started for it that it was not', async () => {
    await expect(tier.cluster.node('client-2').skewClock(5)).rejects.toThrow('client-2 was not started so that its clock can be put wrong');
    expect(clockSkewKind.misfit?.(clockSkew('mc-1', '+1h'), cache({ backends: 1, proxies: 1 }))).toContain("skewable: 'mc-1'");
    expect(() => cache({ backends: 1, proxies: 1, skewable: 'mc-1' })).toThrow(
      "skewable: 'mc-1' does not go by a wall clock that it tells; allowed: proxy-1, client-1",
    );
  });
});

describe('clock-skew of an HTTP service', () => {
  const standing = useCluster(httpService({ skewable: 'web-1' }));

  it('is in its Date header', async () => {
    const prepared = await clockSkewKind.prepare(clockSkew('web-1', '-90s'), standing.cluster);
    const injected = await prepared.inject();
    expect(await injected.prove()).toMatchObject({ holds: true });
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await prepared.close();
  });
});
