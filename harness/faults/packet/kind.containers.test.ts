import { beforeEach, describe, expect, it } from 'vitest';
import { connectEngine } from '../../cluster/engine.ts';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import { type Fault, faultKind } from '../index.ts';
import { dropNew } from './drop-new.ts';
import { limitConnectionsKind } from './limit-connections.ts';
import { partition } from './partition.ts';
import { reject, rejectKind } from './reject.ts';
import { sabotaged } from './saboteur.fixture.ts';
import { refusedByKernel } from './trial.ts';

const bare = useBareCluster();

/** As long as a proof is waited for that is not to hold: one or two looks of 300 ms, or twenty of those that are quick. */
const SHORT_MS = 350;

type Spoil = [string, (script: string) => string];

const nothing: Spoil = ['does nothing', (script) => script.replaceAll(/(drop|reject with [^\n]+)$/gm, 'accept')];
const half: Spoil = ['bites every other packet only', (script) => script.replaceAll('counter name', 'numgen inc mod 2 == 0 counter name')];
const anotherPort: Spoil = ['hits another port', (script) => script.replaceAll('11211', '11212')];
const wrongEnd: Spoil = [
  'goes by the wrong end of each packet',
  (script) => script.replaceAll('dport', 'SPORT').replaceAll('sport', 'dport').replaceAll('SPORT', 'sport'),
];
/** The rules of one way only; the lease of the other table stays, so that it can be renewed. */
const without = (family: string, script: string) => {
  const [before, after] = script.split(`table ${family} `) as [string, string];
  return `${before}table ${family} ${after.replace(/^ +meta l4proto @lease[^\n]*\n/m, '')}`;
};

/** Each fault, what a new connection and a kept one meet while it lasts, and what spoils it beside what spoils them all. */
const FAULTS: [string, Fault, fresh: string, kept: string, Spoil[]][] = [
  [
    'a partition',
    partition('mc-1'),
    'silent',
    'silent',
    [
      ['goes in only', (script) => without('netdev', script)],
      ['goes out only', (script) => without('inet', script)],
    ],
  ],
  ['a partition on the way in', partition('mc-1', { direction: 'in' }), 'silent', 'silent', []],
  ['a partition on the way out', partition('mc-1', { direction: 'out' }), 'silent', 'silent', []],
  ['a rejection', reject('mc-1'), 'refused', 'closed', [['is silent', (script) => script.replaceAll(/reject with .*$/gm, 'drop')]]],
  [
    'a drop of new connections',
    dropNew('mc-1'),
    'silent',
    'answered',
    [['drops what is there, too', (script) => script.replaceAll('tcp flags & (syn | ack) == syn', '')]],
  ],
];

beforeEach(async () => {
  // One that an earlier fault has closed says so once, and is then made anew.
  await bare.straight.ask('kept', 1_000);
  const { kind } = await bare.straight.ask('kept', 1_000);
  if (kind !== 'answered') throw new Error(`the cache was ${kind} before the fault`);
});

async function doesNotHold(fault: Fault, spoil: (script: string) => string): Promise<void> {
  const prepared = await faultKind(fault).prepare(fault, sabotaged(bare.cluster, 'mc-1', spoil));
  const injected = await prepared.inject();
  const seen = await injected.prove(SHORT_MS);
  await injected.heal();
  await prepared.close();
  expect(seen).toMatchObject({ holds: false });
}

describe.each(FAULTS)('%s', (_, fault, fresh, kept, spoils) => {
  it('is met by kept and by new connections as it is described, and by none once healed, straight and over the link', async () => {
    const prepared = await faultKind(fault).prepare(fault, bare.cluster);
    const injected = await prepared.inject();
    try {
      expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/[1-9]\d* packets by the rule's counter/) });
      expect((await bare.straight.ask('kept', 300)).kind).toBe(kept);
      expect(await kinds(bare.straight, 'new', 1)).toEqual([fresh]);
      // Toxiproxy takes a connection whatever is behind it, and closes it when that refuses.
      expect(await kinds(bare.throughLink, 'new', 1)).toEqual([fresh === 'refused' ? 'closed' : 'silent']);
      expect(await injected.missing()).toBeUndefined();
    } finally {
      await injected.heal();
      await injected.heal();
    }
    expect(await injected.missing()).toContain('the rules are gone');
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    expect(await kinds(bare.straight, 'new')).toEqual(['answered', 'answered', 'answered']);
    await prepared.close();
  });

  it.each<Spoil>([nothing, half, anotherPort, wrongEnd, ...spoils])('does not hold its proof when it %s', (_case, spoil) => doesNotHold(fault, spoil));

  it('does not hold its proof of being gone when it never heals', async () => {
    const prepared = await faultKind(fault).prepare(fault, bare.cluster);
    const injected = await prepared.inject();
    expect((await injected.proveHealed(SHORT_MS)).holds).toBe(false);
    await injected.heal();
    await prepared.close();
  });
});

describe('a rejection by ICMP', () => {
  const WAYS = [
    ['icmp-port-unreachable', 'ECONNREFUSED', 'host-unreachable'],
    ['icmp-host-unreachable', 'EHOSTUNREACH', 'admin-prohibited'],
    ['icmp-admin-prohibited', 'EHOSTUNREACH', 'port-unreachable'],
  ] as const;

  it.each(WAYS)('by %s is met as %s or silence by new connections, as silence by kept ones, and by none once healed', async (by, code) => {
    const prepared = await rejectKind.prepare(reject('mc-1', { with: by }), bare.cluster);
    const injected = await prepared.inject();
    try {
      expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/[1-9]\d* refused/) });
      expect((await bare.straight.ask('kept', 300)).kind).toBe('silent');
      for (const answer of await Promise.all(Array.from({ length: 10 }, () => bare.straight.ask('new', 300))))
        expect(answer.kind === 'silent' || (answer.kind === 'refused' && answer.code === code)).toBe(true);
    } finally {
      await injected.heal();
    }
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await prepared.close();
  });

  it.each(WAYS)('by %s (%s) does not hold its proof when the message is %s', async (by, _code, another) => {
    await doesNotHold(reject('mc-1', { with: by }), (script) => script.replaceAll(/icmpx .*$/gm, `icmpx ${another}`));
  });

  it.each<Spoil>([nothing, half, ['only drops', (script) => script.replaceAll(/reject with .*$/gm, 'drop')]])(
    'does not hold its proof when it %s',
    (_, spoil) => doesNotHold(reject('mc-1', { with: 'icmp-host-unreachable' }), spoil),
  );
});

describe.each<[string, (narrowed: { peer?: string; port?: number }) => Fault, string]>([
  ['a partition', (narrowed) => partition('mc-1', narrowed), 'silent'],
  ['a rejection', (narrowed) => reject('mc-1', narrowed), 'refused'],
  ['a drop of new connections', (narrowed) => dropNew('mc-1', narrowed), 'silent'],
])('%s narrowed', (_, of, fresh) => {
  const fault = of({ peer: 'client-1' });

  it('to a peer is met by that one, and not by what comes over links', async () => {
    const prepared = await faultKind(fault).prepare(fault, bare.cluster);
    const injected = await prepared.inject();
    expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringContaining('what it is not for: 4 answered') });
    expect(await kinds(bare.straight, 'new', 1)).toEqual([fresh]);
    expect(await kinds(bare.throughLink, 'new')).toEqual(['answered', 'answered', 'answered']);
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await prepared.close();
  });

  it.each<Spoil>([
    ['goes to everybody', (script) => script.replaceAll(/ip [sd]addr \S+/g, '')],
    ['goes to another', (script) => script.replaceAll(/ip ([sd])addr \S+/g, 'ip $1addr 192.0.2.1')],
  ])('to a peer does not hold its proof when it %s', (_case, spoil) => doesNotHold(fault, spoil));

  it('to a port at which nobody listens cannot be told from nothing there, and says so', async () => {
    const elsewhere = of({ port: 11_212 });
    await expect(faultKind(elsewhere).prepare(elsewhere, bare.cluster)).rejects.toThrow('a probe was refused before the fault');
  });
});

it('what the kernel does not take is told before any cluster starts, in the words of nft', async () => {
  const engine = await connectEngine();
  for (const kind of [rejectKind, limitConnectionsKind]) expect(await kind.lacks?.(engine)).toBeUndefined();
  const unknown = [{ direction: 'in', port: 1, verdict: 'reject with a shrug' }] as const;
  expect(await refusedByKernel(engine, unknown)).toMatch(/^its kernel does not take these rules of nftables \(syntax error/);
});
