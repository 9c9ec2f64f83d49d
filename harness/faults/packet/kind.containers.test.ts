import { beforeEach, describe, expect, it } from 'vitest';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import { type Fault, faultKind } from '../index.ts';
import { dropNew } from './drop-new.ts';
import { partition } from './partition.ts';
import { reject } from './reject.ts';
import { sabotaged } from './saboteur.fixture.ts';

const bare = useBareCluster();

/** Each fault, what a new connection and a kept one meet while it lasts, and what spoils it. */
const FAULTS: [string, Fault, fresh: string, kept: string][] = [
  ['a partition', partition('mc-1'), 'silent', 'silent'],
  ['a partition on the way in', partition('mc-1', { direction: 'in' }), 'silent', 'silent'],
  ['a partition on the way out', partition('mc-1', { direction: 'out' }), 'silent', 'silent'],
  ['a rejection', reject('mc-1'), 'refused', 'closed'],
  ['a drop of new connections', dropNew('mc-1'), 'silent', 'answered'],
];

describe.each(FAULTS)('%s', (_, fault, fresh, kept) => {
  beforeEach(async () => {
    const { kind } = await bare.straight.ask('kept', 1_000);
    if (kind !== 'answered') throw new Error(`the cache was ${kind} before the fault`);
  });

  it('is met by kept and by new connections as it is described, and by none once healed, straight and over the link', async () => {
    const prepared = await faultKind(fault).prepare(fault, bare.cluster);
    const injected = await prepared.inject();
    try {
      expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/[1-9]\d* packets by the rule's counter/) });
      expect((await bare.straight.ask('kept', 300)).kind).toBe(kept);
      expect(await kinds(bare.straight, 'new')).toEqual([fresh, fresh, fresh]);
      // Toxiproxy takes a connection whatever is behind it, and closes it when that refuses.
      expect(await kinds(bare.throughLink, 'new', 1)).toEqual([fresh === 'refused' ? 'closed' : 'silent']);
    } finally {
      await injected.heal();
    }
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    expect(await kinds(bare.straight, 'new')).toEqual(['answered', 'answered', 'answered']);
    await prepared.close();
  });

  it.each<[string, (script: string) => string]>([
    ['does nothing', (script) => script.replaceAll(/(drop|reject with [^\n]+)$/gm, 'accept')],
    ['hits another port', (script) => script.replaceAll('11211', '11212')],
    ['goes the other way', (script) => script.replaceAll('dport', 'SPORT').replaceAll('sport', 'dport').replaceAll('SPORT', 'sport')],
  ])('does not hold its proof when it %s', async (_case, spoil) => {
    const prepared = await faultKind(fault).prepare(fault, sabotaged(bare.cluster, 'mc-1', spoil));
    const injected = await prepared.inject();
    expect((await injected.prove()).holds).toBe(false);
    await injected.heal();
    await prepared.close();
  });

  it('does not hold its proof of being gone when it never heals', async () => {
    const prepared = await faultKind(fault).prepare(fault, bare.cluster);
    const injected = await prepared.inject();
    expect((await injected.proveHealed()).holds).toBe(false);
    await injected.heal();
    await prepared.close();
  });
});
