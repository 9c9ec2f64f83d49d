import { describe, expect, it } from 'vitest';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import type { Injected } from '../fault.ts';
import { lostShare, type Place } from './dose.ts';
import { loss, lossKind } from './loss.ts';
import { sabotaged } from './saboteur.fixture.ts';

const bare = useBareCluster();
const node = () => bare.cluster.node('mc-1');
/** Where datagrams go between mc-1 and who looks at it. */
const place = async (from?: string, port = node().port): Promise<Place> => ({
  passage: node(),
  port,
  hand: await node().network(),
  peer: await node().peer(from),
});

/** Puts the fault in force for as long as something is looked at. */
async function during<T>(fault: ReturnType<typeof loss>, look: (injected: Injected) => Promise<T>): Promise<T> {
  const prepared = await lossKind.prepare(fault, bare.cluster);
  const injected = await prepared.inject();
  try {
    expect(await injected.prove()).toMatchObject({ holds: true });
    return await look(injected);
  } finally {
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await prepared.close();
  }
}

describe('loss', () => {
  it.each<[`${number}%`, number]>([
    ['1%', 20_000],
    ['5%', 10_000],
    ['30%', 10_000],
  ])(
    'loses %s of %i datagrams to within 4.5 standard deviations, by which one run in 20,000 would be wrong by chance, on the way in and on the way out',
    async (share, count) => {
      const asked = Number.parseFloat(share) / 100;
      const sigma = Math.sqrt((asked * (1 - asked)) / count);
      const from = await place();
      for (const direction of ['in', 'out'] as const) {
        const lost = await during(loss('mc-1', share, { direction }), () => lostShare(from, direction, count));
        expect(Math.abs(lost - asked)).toBeLessThan(4.5 * sigma);
        expect(await lostShare(from, direction, count)).toBe(0);
      }
    },
  );

  it.each(['in', 'out'] as const)('does not hold its proof when it loses datagrams (%s) and leaves connections alone', async (direction) => {
    const udpAlone = (script: string) => script.replaceAll('meta l4proto @lease', 'meta l4proto udp meta l4proto @lease');
    const prepared = await lossKind.prepare(loss('mc-1', '20%', { direction }), sabotaged(bare.cluster, 'mc-1', udpAlone));
    const injected = await prepared.inject();
    const { holds, measured } = await injected.prove(500);
    await injected.heal();
    await prepared.close();
    expect([holds, measured]).toEqual([
      false,
      expect.stringMatching(/^(1\d|2\d)(\.\d+)?% of .* of 35 new connections 0 not made at once, a kept one never had to send again$/),
    ]);
  });

  it('goes the way that was asked for, and not the other', async () => {
    const from = await place();
    expect(await during(loss('mc-1', '50%', { direction: 'in' }), () => lostShare(from, 'out', 1_000))).toBe(0);
    expect(await during(loss('mc-1', '50%', { direction: 'out' }), () => lostShare(from, 'in', 1_000))).toBe(0);
  });

  it('of everything leaves a cache silent, and it answers again on new connections once healed', async () => {
    expect(await kinds(bare.throughLink, 'new')).toEqual(['answered', 'answered', 'answered']);
    expect(new Set(await during(loss('mc-1', '100%'), () => kinds(bare.straight, 'new')))).toEqual(new Set(['silent']));
    expect(await kinds(bare.straight, 'new')).toEqual(['answered', 'answered', 'answered']);
  });

  it('narrowed to a peer is met by its packets and not by those from another address', async () => {
    const from = { peer: await place('client-1'), other: await place('toxiproxy') };
    await during(loss('mc-1', '50%', { direction: 'both', peer: 'client-1' }), async () => {
      for (const direction of ['in', 'out'] as const) {
        expect(await lostShare(from.peer, direction, 2_000)).toBeCloseTo(0.5, 1);
        expect(await lostShare(from.other, direction, 2_000)).toBe(0);
      }
    });
  });

  it('narrowed to a port is met there, and not at the port that is served', async () => {
    const at = { asked: await place('client-1', 11_212), served: await place('client-1') };
    await during(loss('mc-1', '50%', { port: 11_212 }), async () => {
      expect(await lostShare(at.asked, 'in', 2_000)).toBeCloseTo(0.5, 1);
      expect(await lostShare(at.served, 'in', 2_000)).toBe(0);
    });
  });

  it('changes its share without a packet that is under neither, and is proven anew', async () => {
    const from = await place();
    await during(loss('mc-1', '100%'), async (injected) => {
      // At 100% each change leaves all of them lost, before, during and after.
      const lost = lostShare(from, 'in', 40_000);
      for (let changes = 0; changes < 20; changes++) await injected.change?.(loss('mc-1', '100%'));
      expect(await lost).toBe(1);
      await injected.change?.(loss('mc-1', '20%'));
      expect(await injected.prove()).toMatchObject({ holds: true, asked: '20% of packets lost' });
      expect(await lostShare(from, 'in', 5_000)).toBeCloseTo(0.2, 1);
      await expect(injected.change?.(loss('mc-1', '20%', { direction: 'out' }))).rejects.toThrow('nothing but its share can be changed');
    });
  });

  it('does not hold its proof when it was told to change and has not', async () => {
    const untold = sabotaged(bare.cluster, 'mc-1', (script) => script, true);
    const prepared = await lossKind.prepare(loss('mc-1', '20%'), untold);
    const injected = await prepared.inject();
    await injected.change?.(loss('mc-1', '40%'));
    expect((await injected.prove(350)).holds).toBe(false);
    await injected.heal();
    await prepared.close();
  });

  it.each<[string, ReturnType<typeof loss>, (script: string) => string]>([
    ['nothing is lost', loss('mc-1', '10%'), (script) => script.replaceAll(/drop$/gm, 'accept')],
    ['half the dose is lost', loss('mc-1', '10%'), (script) => script.replaceAll('< 100000', '< 50000')],
    ['twice the dose is lost', loss('mc-1', '10%'), (script) => script.replaceAll('< 100000', '< 200000')],
    ['it goes to everybody instead of its peer', loss('mc-1', '10%', { peer: 'client-1' }), (script) => script.replaceAll(/ip saddr \S+/g, '')],
    ['it goes to another peer', loss('mc-1', '10%', { peer: 'client-1' }), (script) => script.replaceAll(/ip saddr \S+/g, 'ip saddr 192.0.2.1')],
    ['it goes to another port', loss('mc-1', '10%', { port: 11_212 }), (script) => script.replaceAll('11212', '11211')],
  ])('does not hold its proof when %s', async (_, fault, spoil) => {
    const prepared = await lossKind.prepare(fault, sabotaged(bare.cluster, 'mc-1', spoil));
    const injected = await prepared.inject();
    expect((await injected.prove(350)).holds).toBe(false);
    await injected.heal();
    await injected.heal();
    await prepared.close();
  });
});

describe('a loss whose sidecar somebody has removed', () => {
  it('is healed by another one, and proven to be gone', async () => {
    const prepared = await lossKind.prepare(loss('mc-1', '30%'), bare.cluster);
    const injected = await prepared.inject();
    expect(await injected.prove()).toMatchObject({ holds: true });
    await bare.container('net-mc-1').remove({ force: true });
    await injected.heal();
    await prepared.close();
    expect(await kinds(bare.straight, 'new', 20)).toEqual(Array.from({ length: 20 }, () => 'answered'));
  });

  it('and whose node has ended, has nothing left to be healed, and is told to be lost', async () => {
    const prepared = await lossKind.prepare(loss('mc-1', '30%'), bare.cluster);
    const injected = await prepared.inject();
    const death = await bare.cluster.node('mc-1').kill();
    await bare.container('net-mc-1').remove({ force: true });
    expect(await injected.missing()).toBe('node mc-1 does not run any more');
    await injected.heal();
    await death.undo();
    await prepared.close();
  });
});
