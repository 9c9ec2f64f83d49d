import { beforeAll, describe, expect, it } from 'vitest';
import type { NameLie } from '../../cluster/names.ts';
import type { Cluster, Disturbance, Node } from '../../cluster/types.ts';
import { useCluster } from '../cluster.fixture.ts';
import { type Fault, faultKind } from '../index.ts';
import { misresolve } from './misresolve.ts';
import { dial, NAMED, tell, WHO } from './named.fixture.ts';
import { noAnswer } from './no-answer.ts';
import { slowNames } from './slow-names.ts';
import { unreachableName } from './unreachable-name.ts';

const named = useCluster(NAMED);

beforeAll(async () => {
  // Who answers is told by what he has under one key.
  for (const name of ['mc-1', 'mc-2']) {
    const said = await named.run('client-1', tell(named.cluster.node(name).address, `set ${WHO} 0 0 4\r\n${name}\r\n`));
    if (said !== 'STORED\r\n') throw new Error(`${name} said ${String(said)}`);
  }
});

interface Case {
  readonly title: string;
  readonly fault: Fault;
  /** What a client's connect by that name meets, and after how long, ms. */
  readonly met: RegExp;
  readonly afterMs: readonly [number, number];
}

const CASES: Case[] = [
  { title: 'a wrong address', fault: misresolve('client-1', { name: 'edge', as: 'mc-1' }), met: /mc-1/, afterMs: [0, 300] },
  { title: 'an address where nobody is', fault: unreachableName('client-1', { name: 'edge' }), met: /^timeout$/, afterMs: [1_900, 2_300] },
  { title: 'SERVFAIL', fault: noAnswer('client-1', { name: 'edge', how: 'servfail' }), met: /^EAI_AGAIN$/, afterMs: [0, 300] },
  { title: 'NXDOMAIN', fault: noAnswer('client-1', { name: 'edge', how: 'nxdomain' }), met: /^ENOTFOUND$/, afterMs: [0, 300] },
  { title: 'silence', fault: noAnswer('client-1', { name: 'edge', how: 'silence' }), met: /^timeout$/, afterMs: [1_900, 2_300] },
  { title: 'a late answer', fault: slowNames('client-1', { name: 'edge', by: '800ms' }), met: /mc-2/, afterMs: [780, 1_300] },
];

interface Dialled {
  readonly how: string;
  readonly ms: number;
}
const dialled = (node: string) => named.run(node, dial('edge', 2_000)) as Promise<Dialled>;

describe.each(CASES)('$title', ({ fault, met, afterMs: [least, most] }) => {
  it('is what one client meets when it connects by that name, and no other, until it is healed, twice', async () => {
    const prepared = await faultKind(fault).prepare(fault, named.cluster);
    const injected = await prepared.inject();
    expect(await injected.prove()).toMatchObject({ holds: true });
    expect(await injected.missing()).toBeUndefined();
    const [bitten, spared] = await Promise.all([dialled('client-1'), dialled('client-2')]);
    expect(bitten.how).toMatch(met);
    expect(bitten.ms).toBeGreaterThanOrEqual(least);
    expect(bitten.ms).toBeLessThan(most);
    expect(spared.how).toContain('mc-2');
    expect(spared.ms).toBeLessThan(300);
    await injected.heal();
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    expect(await injected.missing()).toContain('tells client-1 the truth again');
    expect((await dialled('client-1')).ms).toBeLessThan(300);
    await prepared.close();
  });
});

type Misinform = Node['misinform'];

/** The same cluster, but for what is told to one node. */
function sabotaged(cluster: Cluster, spoil: (tell: Misinform) => Misinform): Cluster {
  const client = cluster.node('client-1');
  const spoilt = new Proxy(client, { get: (target, key) => (key === 'misinform' ? spoil(target.misinform) : Reflect.get(target, key)) });
  return { ...cluster, nodes: cluster.nodes.map((node) => (node.name === 'client-1' ? spoilt : node)), node: (name) => cluster.node(name) };
}

const nothing: Disturbance = { undo: async () => undefined, missing: async () => undefined };
const SPOILS: [string, (cluster: Cluster) => (tell: Misinform) => Misinform][] = [
  ['nobody is told anything', () => () => async () => nothing],
  ['another asker is told', (cluster) => () => cluster.node('client-2').misinform],
  [
    'every asker is told',
    (cluster) => (tell) => async (names, lie) => {
      const all = await Promise.all([tell(names, lie), cluster.node('client-2').misinform(names, lie)]);
      return { undo: async () => void (await Promise.all(all.map((one) => one.undo()))), missing: async () => undefined };
    },
  ],
  ['another name is spoilt', () => (tell) => (_, lie) => tell(['mc-2'], lie)],
  [
    'other names are spoilt, too',
    (cluster) => (tell) => (_, lie) =>
      tell(
        cluster.nodes.map(({ name }) => name),
        lie,
      ),
  ],
  ['of two names one is left out', () => (tell) => (names, lie) => tell(names.slice(1), lie)],
];
const OTHERWISE: Record<Fault['kind'], NameLie[]> = {
  misresolve: [{ kind: 'other', node: 'mc-2' }, { kind: 'nobody' }],
  'unreachable-name': [
    { kind: 'other', node: 'mc-1' },
    { kind: 'other', node: 'mc-2' },
    { kind: 'none', how: 'servfail' },
  ],
  'no-answer': [{ kind: 'nobody' }],
  'slow-names': [
    { kind: 'late', byMs: 400 },
    { kind: 'late', byMs: 1_600 },
    { kind: 'none', how: 'silence' },
  ],
} as unknown as Record<Fault['kind'], NameLie[]>;
/** Of each kind one, since who is told what is told in the same way for all. */
const KINDS: Fault[] = [
  misresolve('client-1', { name: 'edge', as: 'mc-1' }),
  unreachableName('client-1', { name: 'edge' }),
  noAnswer('client-1', { name: 'edge', how: 'servfail' }),
  slowNames('client-1', { name: 'edge', by: '800ms' }),
];

/** Whether its proof holds within some time when it is put in force so. */
async function provenWith(fault: Fault, spoil: (tell: Misinform) => Misinform): Promise<boolean> {
  const prepared = await faultKind(fault).prepare(fault, sabotaged(named.cluster, spoil));
  const injected = await prepared.inject();
  try {
    return (await injected.prove(400)).holds;
  } finally {
    await injected.heal();
    await prepared.close();
  }
}

describe('the proof of a fault of names', () => {
  it.each(SPOILS)('does not hold when %s', async (_, spoil) => {
    const fault = misresolve('client-1', { name: 'edge|proxy-1', as: 'mc-1' });
    expect(await provenWith(fault, (tell) => tell)).toBe(true);
    expect(await provenWith(fault, spoil(named.cluster))).toBe(false);
  });

  it.each(KINDS.flatMap((fault) => OTHERWISE[fault.kind].map((lie) => ({ fault, lie, title: `${fault.kind}: ${JSON.stringify(lie)}` }))))(
    'does not hold when something else is told: $title',
    async ({ fault, lie }) => {
      expect(await provenWith(fault, (tell) => (names) => tell(names, lie))).toBe(false);
    },
  );

  it('tells an address where nobody is from a node that is silent for a reason of its own, and from anybody else who refuses', async () => {
    const fault = unreachableName('client-1', { name: 'edge' });
    const frozen = await named.cluster.node('mc-2').pause();
    try {
      expect(await provenWith(fault, (tell) => (names) => tell(names, { kind: 'other', node: 'mc-2' }))).toBe(false);
    } finally {
      await frozen.undo();
    }
    // Toxiproxy is no node, and nothing listens there at that port.
    const { address } = named.cluster.links[0] as { address: string };
    const asker = await named.cluster.node('client-1').asker();
    const answer = await asker.ask('edge', address, 300);
    expect(answer.kind).toBe('refused');
    const misled = {
      ...asker,
      resolve: async (name: string, patienceMs: number) => {
        const resolved = await asker.resolve(name, patienceMs);
        return name === 'edge' && resolved.kind === 'address' && resolved.addresses[0] !== named.cluster.node('edge').address
          ? { ...resolved, addresses: [address] }
          : resolved;
      },
    };
    const client = new Proxy(named.cluster.node('client-1'), { get: (target, key) => (key === 'asker' ? async () => misled : Reflect.get(target, key)) });
    const nodes = named.cluster.nodes.map((node) => (node.name === 'client-1' ? client : node));
    const prepared = await faultKind(fault).prepare(fault, { ...named.cluster, nodes, node: (name) => named.cluster.node(name) });
    const injected = await prepared.inject();
    expect((await injected.prove(400)).holds).toBe(false);
    await injected.heal();
    await prepared.close();
  });

  it('tells silence from every delay that there can be', async () => {
    const fault = noAnswer('client-1', { name: 'edge', how: 'silence' });
    expect(await provenWith(fault, (tell) => (names) => tell(names, { kind: 'late', byMs: 3_000 }))).toBe(false);
  });

  it.each(KINDS)('of being gone does not hold when it never heals: $kind', async (fault) => {
    const prepared = await faultKind(fault).prepare(fault, named.cluster);
    const injected = await prepared.inject();
    expect((await injected.proveHealed(300)).holds).toBe(false);
    await injected.heal();
    await prepared.close();
  });

  it('is not begun while names are not what they should be', async () => {
    const fault = KINDS[0] as Fault;
    const before = await named.cluster.node('client-2').misinform(['edge'], { kind: 'nobody' });
    await expect(faultKind(fault).prepare(fault, named.cluster)).rejects.toThrow('before the fault edge resolved to');
    await before.undo();
  });
});

describe('slow names', () => {
  it('are looked up two at a time by a process of Node: eight look-ups take four turns, and another name waits behind them', async () => {
    const slow = await named.cluster.node('client-1').misinform(['edge'], { kind: 'late', byMs: 500 });
    const code = `
import { lookup } from 'node:dns/promises';
const began = performance.now();
const after = (name) => lookup(name + '.aftershock.test').then(() => performance.now() - began);
const edges = Array.from({ length: 8 }, () => after('edge'));
const other = after('mc-1');
say({ edges: await Promise.all(edges), other: await other });`;
    const { edges, other } = (await named.run('client-1', code)) as { edges: number[]; other: number };
    await slow.undo();
    expect(edges.map((ms) => Math.floor(ms / 490))).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
    expect(other).toBeGreaterThan(1_980);
  });
});

describe('a proxy that is told of the wrong cache', () => {
  it('stays with the right one while it is connected, and then writes to and reads from the wrong one', async () => {
    const { cluster, run } = named;
    const kind = faultKind(misresolve('proxy-1', { name: 'mc-1', as: 'mc-2' }));
    // A key of mc-1, by the ring: found by writing through the proxy and asking mc-1 itself.
    let key = '';
    for (let n = 0; key === ''; n++) {
      await run('client-1', tell('edge.aftershock.test', `set view-${n} 0 0 6\r\nbefore\r\n`));
      if (String(await run('client-1', tell(cluster.node('mc-1').address, `get view-${n}\r\n`))).includes('before')) key = `view-${n}`;
    }
    const prepared = await kind.prepare(misresolve('proxy-1', { name: 'mc-1', as: 'mc-2' }), cluster);
    const injected = await prepared.inject();
    expect(await injected.prove()).toMatchObject({ holds: true });
    expect(await run('client-1', tell('edge.aftershock.test', `get ${key}\r\n`))).toContain('before');
    // Its connection breaks, once.
    await (await cluster.node('mc-1').kill()).undo();
    await run('client-1', tell('edge.aftershock.test', `set ${key} 0 0 5\r\nwrong\r\n`));
    expect(await run('client-1', tell('edge.aftershock.test', `set ${key} 0 0 5\r\nwrong\r\n`))).toBe('STORED\r\n');
    expect(await run('client-1', tell(cluster.node('mc-2').address, `get ${key}\r\n`))).toContain('wrong');
    expect(await run('client-1', tell(cluster.node('mc-1').address, `get ${key}\r\n`))).toBe('END\r\n');
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await prepared.close();
  });
});
