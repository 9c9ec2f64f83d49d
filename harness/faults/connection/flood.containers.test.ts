import { afterEach, describe, expect, it } from 'vitest';
import { cache } from '../../../containers/cache.ts';
import type { FloodForm } from '../../cluster/flood-form.ts';
import type { Flooder } from '../../cluster/flooder.ts';
import type { Cluster, Node } from '../../cluster/types.ts';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import { useCluster } from '../cluster.fixture.ts';
import type { Injected, Prepared } from '../fault.ts';
import { type Flood, type FloodOptions, flood, floodKind } from './flood.ts';

const bare = useBareCluster();
const proxied = useCluster(cache({ backends: 2, proxies: 1 }));

let prepared: Prepared | undefined;
let injected: Injected | undefined;

async function begin(fault: Flood, cluster: Cluster = bare.cluster): Promise<Injected> {
  await floodKind.ready?.(fault, cluster);
  prepared = await floodKind.prepare(fault, cluster);
  injected = await prepared.inject();
  return injected;
}

afterEach(async () => {
  await injected?.heal();
  await prepared?.close();
});

/** The same cluster, but for who floods mc-1. */
function floodedOtherwise(change: (flooder: Flooder, node: Node) => Flooder | Promise<Flooder>): Cluster {
  const spoilt = (node: Node) =>
    new Proxy(node, { get: (target, key) => (key === 'flooder' ? async () => change(await target.flooder(), target) : Reflect.get(target, key)) });
  const nodes = bare.cluster.nodes.map((node) => (node.name === 'mc-1' ? spoilt(node) : node));
  return { ...bare.cluster, nodes };
}

const standing = async () => {
  const node = bare.cluster.node('mc-1');
  return (await node.connectionsFrom((await node.flooder()).address)).standing;
};

const BEHAVIOURS: [string, FloodOptions][] = [
  ['idle connections', { connections: 300 }],
  ['connections at a pace', { connections: 100, rate: '200/s' }],
  ['connections that never read', { behaviour: 'never-reading', connections: 20 }],
  ['slow senders', { behaviour: 'slow-sender', connections: 100 }],
  ['a herd', { behaviour: 'herd', connections: 100, every: '500ms' }],
  ['churn', { behaviour: 'churn', rate: '200/s' }],
  ['half-closed connections', { behaviour: 'half-closed', rate: '200/s' }],
];

/** Half as many, or half as often. */
function half(form: FloodForm): FloodForm {
  return 'connections' in form ? { ...form, connections: form.connections / 2 } : { ...form, ratePerSecond: form.ratePerSecond / 2 };
}

describe.each(BEHAVIOURS)('a flood of %s', (_, options) => {
  const fault = flood('mc-1', options);

  it('arrives as asked, and nothing is left of it once healed', async () => {
    const { prove, heal, missing, proveHealed } = await begin(fault);
    expect(await prove()).toMatchObject({ holds: true });
    expect(await missing()).toBeUndefined();
    await heal();
    await heal();
    expect(await proveHealed()).toMatchObject({ holds: true });
    expect(await standing()).toBe(0);
    expect(await kinds(bare.straight, 'new')).toEqual(['answered', 'answered', 'answered']);
  });

  it('does not hold its proof with half of the dose', async () => {
    const { prove } = await begin(
      fault,
      floodedOtherwise((flooder) => ({ ...flooder, flood: (form) => flooder.flood(half(form)) })),
    );
    expect(await prove(1_500)).toMatchObject({ holds: false });
  });
});

it('comes over a link, too, where it is seen at the near end', async () => {
  const link = bare.cluster.link('client-1 -> mc-1');
  const { prove, heal, proveHealed } = await begin(flood(link.name, { connections: 200 }));
  expect(await prove()).toMatchObject({ holds: true });
  // Toxiproxy opens one to the node for each.
  expect((await bare.cluster.node('mc-1').connectionsFrom(link.address)).standing).toBeGreaterThanOrEqual(200);
  await heal();
  expect(await proveHealed()).toMatchObject({ holds: true });
});

it('takes what the target turns away for come, and its limit keeps others out', async () => {
  const { prove, heal, proveHealed } = await begin(flood('mc-1', { connections: 1_200 }));
  expect(await prove()).toMatchObject({ holds: true });
  // memcached takes 1,024, some of them for itself; the others are there for a moment before it closes them.
  await expect.poll(standing, { timeout: 5_000 }).toBeLessThan(1_024);
  expect(await standing()).toBeGreaterThan(950);
  expect(await kinds(bare.straight, 'new')).not.toContain('answered');
  await heal();
  expect(await proveHealed()).toMatchObject({ holds: true });
});

describe('its proof', () => {
  const fault = flood('mc-1', { connections: 100 });

  it.each<[string, (flooder: Flooder) => Flooder | Promise<Flooder>]>([
    [
      'does nothing',
      (flooder) => ({
        ...flooder,
        flood: async () => ({ undo: async () => undefined, missing: async () => undefined, told: async () => ({ open: 100, turnedAway: 0 }) }),
      }),
    ],
    ['goes to another port', () => bare.cluster.link('client-1 -> mc-1').flooder()],
  ])('does not hold when the flood %s', async (_case, spoil) => {
    const { prove } = await begin(fault, floodedOtherwise(spoil));
    expect(await prove(1_500)).toMatchObject({ holds: false });
  });

  it('of being gone does not hold while connections are left', async () => {
    let undo = async (): Promise<void> => undefined;
    const { prove, heal, proveHealed } = await begin(
      fault,
      floodedOtherwise((flooder) => ({
        ...flooder,
        flood: async (form) => {
          const flooding = await flooder.flood(form);
          undo = flooding.undo;
          return { ...flooding, undo: async () => undefined };
        },
      })),
    );
    expect(await prove()).toMatchObject({ holds: true });
    await heal();
    expect(await proveHealed(1_000)).toMatchObject({ holds: false, measured: expect.stringContaining('100 connections left') });
    await undo();
    expect(await proveHealed()).toMatchObject({ holds: true });
  });

  it('is followed by word of a flood that has ended, and of a target that was started again', async () => {
    let undo = async (): Promise<void> => undefined;
    const lost = await begin(
      fault,
      floodedOtherwise((flooder) => ({
        ...flooder,
        flood: async (form) => {
          const flooding = await flooder.flood(form);
          undo = flooding.undo;
          return flooding;
        },
      })),
    );
    await undo();
    expect(await lost.missing()).toMatch(/^the flood of mc-1 ended/);
    await lost.heal();
    await prepared?.close();

    const { prove, missing, heal } = await begin(fault);
    expect(await prove()).toMatchObject({ holds: true });
    const { undo: startAgain } = await bare.cluster.node('mc-1').kill();
    await expect.poll(missing).toBe('mc-1 does not run any more');
    await startAgain();
    expect(await missing()).toBe('mc-1 was started again: the connections that it had are gone');
    await heal();
  });
});

describe('behind proxies', () => {
  it('a flood of an inner hop arrives at the proxy, and the entry is answered all the while', async () => {
    const entry = await proxied.cluster.link('client-1 -> edge').prober();
    const { prove, heal, proveHealed } = await begin(flood('edge -> proxy-1', { connections: 1_000 }), proxied.cluster);
    expect(await prove()).toMatchObject({ holds: true });
    const { address } = proxied.cluster.link('edge -> proxy-1');
    expect((await proxied.cluster.node('proxy-1').connectionsFrom(address)).standing).toBeGreaterThanOrEqual(1_000);
    expect(await kinds(entry, 'new')).toEqual(['answered', 'answered', 'answered']);
    await heal();
    expect(await proveHealed()).toMatchObject({ holds: true });
    await entry.close();
  });
});
