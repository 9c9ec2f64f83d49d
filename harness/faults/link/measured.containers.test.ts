/** The faults of links that have to be measured: each bites as its page says and is gone once healed, and its proof takes nothing else for it. */
import { describe, expect, it } from 'vitest';
import type { Toxic } from '../../cluster/toxiproxy.ts';
import type { Cluster, Disturbance, Link } from '../../cluster/types.ts';
import { times, useBareCluster } from '../bare.fixture.ts';
import type { Injected } from '../fault.ts';
import { bandwidth, type Fault, faultKind, latency, limitData, slicer, slowClose } from '../index.ts';

const LINK = 'client-1 -> mc-1';
/** All that holds does so at the first look or the second. */
const SHORT_MS = 400;
const bare = useBareCluster();

/** Injects on a cluster in which the link does something else than it is told. */
async function injected(fault: Fault, poison?: (toxic: Toxic, link: Link) => Promise<Disturbance>): Promise<{ injected: Injected; end: () => Promise<void> }> {
  const link = bare.cluster.link(LINK);
  const cluster: Cluster = poison ? { ...bare.cluster, links: [{ ...link, poison: (toxic) => poison(toxic, link) }] } : bare.cluster;
  const prepared = await faultKind(fault).prepare(fault, cluster);
  const one = await prepared.inject();
  return {
    injected: one,
    end: async () => {
      await one.heal();
      await prepared.close();
    },
  };
}

/** Half of each number by which a toxic is dosed; of pieces and of bytes half of the effect is twice the number. */
function halfOf(toxic: Toxic): Toxic {
  const attributes = Object.fromEntries(
    Object.entries(toxic.attributes).map(([name, value]) => [name, ['rate', 'average_size', 'bytes'].includes(name) ? 2 * value : Math.round(value / 2)]),
  );
  return { ...toxic, attributes } as unknown as Toxic;
}

const nothing = async () => ({ undo: async () => undefined, missing: async () => undefined });
const otherWay = (toxic: Toxic): Toxic => ({ ...toxic, stream: toxic.stream === 'upstream' ? 'downstream' : 'upstream' });

describe.each<[string, Fault, RegExp]>([
  ['latency upstream', latency(LINK, '60ms', { stream: 'upstream' }), /^answers after 6\d/],
  ['latency with a jitter', latency(LINK, '60ms', { jitter: '30ms' }), /^100% of 120 answers/],
  ['latency for a share', latency(LINK, '40ms', { jitter: '10ms', share: '30%' }), /of 598 answers after (3|4)\d/],
  ['bandwidth', bandwidth(LINK, '100KB/s'), /KB, .*KB a second, .*MB.* before/],
  ['slow-close', slowClose(LINK, '200ms'), /^2 closed after 2\d\d ms, 2\d\d ms/],
  ['slicer', slicer(LINK, { averageBytes: 100, spread: 30, delay: '2ms' }), /^\d+ bytes in [23]\d within/],
  ['limit-data', limitData(LINK, '10KB'), /^bytes: 10000 \(closed\), 10000 \(closed\)/],
])('%s', (_, fault, measured) => {
  it('bites, on connections that were there and on new ones, and is gone once healed, twice', async () => {
    const { injected: one, end } = await injected(fault);
    expect(await one.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(measured) });
    expect(await one.missing()).toBeUndefined();
    expect((await one.proveHealed(SHORT_MS)).holds).toBe(false);
    await one.heal();
    await one.heal();
    expect(await one.proveHealed()).toMatchObject({ holds: true });
    expect(await one.missing()).toMatch(/has no .* any more/);
    await end();
    expect((await times(bare.throughLink, 'kept'))[2]).toBeLessThan(20);
  });

  it.each<[string, (toxic: Toxic, link: Link) => Promise<Disturbance>]>([
    ['does nothing', nothing],
    ['goes the other way', (toxic, link) => link.poison(otherWay(toxic))],
    ['has half the dose', (toxic, link) => link.poison(halfOf(toxic))],
  ])('does not hold its proof when it %s', async (_, poison) => {
    const { injected: one, end } = await injected(fault, poison);
    expect((await one.prove(SHORT_MS)).holds).toBe(false);
    await end();
  });
});

it('a share of half the requests is not taken for a whole one, nor half of the jitter or of the delay', async () => {
  const asked = latency(LINK, '40ms', { jitter: '10ms', share: '30%' });
  for (const half of ['share', 'latency', 'jitter'] as const) {
    const { injected: one, end } = await injected(asked, (toxic, link) => {
      const attributes = toxic.attributes as Record<string, number>;
      return link.poison({ ...toxic, attributes: { ...attributes, [half]: Math.round((attributes[half] ?? 0) / 2) } } as unknown as Toxic);
    });
    expect([half, (await one.prove(SHORT_MS)).holds]).toEqual([half, false]);
    await end();
  }
});

it.each<[string, Fault, Fault, Fault]>([
  ['latency', latency(LINK, '50ms'), latency(LINK, '150ms'), latency(LINK, '100ms')],
  ['bandwidth', bandwidth(LINK, '200KB/s'), bandwidth(LINK, '50KB/s'), bandwidth(LINK, '100KB/s')],
])('%s becomes more and less without a moment of being healed', async (_, first, more, less) => {
  const { injected: one, end } = await injected(first);
  expect((await one.prove()).holds).toBe(true);
  for (const to of [more, less]) {
    // Not yet what it is to become, and then that.
    await one.change?.(to);
    expect(await one.prove()).toMatchObject({ holds: true });
  }
  await one.heal();
  expect((await one.proveHealed()).holds).toBe(true);
  await end();
});

it.each<[string, Fault, Fault | undefined]>([
  ['bandwidth', bandwidth(LINK, '4KB/s'), undefined],
  ['bandwidth that was raised', bandwidth(LINK, '4KB/s'), bandwidth(LINK, '8KB/s')],
  ['slicer', slicer(LINK, { averageBytes: 16, delay: '20ms' }), undefined],
  ['slow-close', slowClose(LINK, '5s'), undefined],
])('%s is healed at once where clients have gone with bytes still held for them, and the links live', async (_, fault, raised) => {
  const { injected: one, end } = await injected(fault);
  const probers = await Promise.all(Array.from({ length: 12 }, () => bare.cluster.link(LINK).prober()));
  // Each is given up in the middle of some 60 kB, and again, so that there are connections in every state of being forgotten.
  const giveUp = () => Promise.all(probers.map((prober) => prober.draw('new', { count: 30, patienceMs: 250 })));
  await giveUp();
  await Promise.all([giveUp(), ...(raised ? [one.change?.(raised)] : [])]);
  const beganAt = performance.now();
  await one.heal();
  expect(performance.now() - beganAt).toBeLessThan(1_000);
  expect(await one.proveHealed()).toMatchObject({ holds: true });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await times(bare.throughLink, 'new')).toHaveLength(5);
  await Promise.all(probers.map((prober) => prober.close()));
  await end();
});
