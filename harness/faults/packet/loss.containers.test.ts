import { describe, expect, it } from 'vitest';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import { lostShare, placesOf } from './dose.ts';
import { loss, lossKind } from './loss.ts';
import { sabotaged } from './saboteur.fixture.ts';

const bare = useBareCluster();
const node = () => bare.cluster.node('mc-1');

/** Puts the fault in force for as long as something is looked at. */
async function during<T>(fault: ReturnType<typeof loss>, look: () => Promise<T>): Promise<T> {
  const prepared = await lossKind.prepare(fault, bare.cluster);
  const injected = await prepared.inject();
  try {
    expect(await injected.prove()).toMatchObject({ holds: true });
    return await look();
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
      const [place] = await placesOf([node()]);
      if (!place) throw new Error('no place');
      for (const direction of ['in', 'out'] as const) {
        const lost = await during(loss('mc-1', share, { direction }), () => lostShare(place, direction, count));
        expect(Math.abs(lost - asked)).toBeLessThan(4.5 * sigma);
        expect(await lostShare(place, direction, count)).toBe(0);
      }
    },
  );

  it('goes the way that was asked for, and not the other', async () => {
    const [place] = await placesOf([node()]);
    if (!place) throw new Error('no place');
    expect(await during(loss('mc-1', '50%', { direction: 'in' }), () => lostShare(place, 'out', 1_000))).toBe(0);
    expect(await during(loss('mc-1', '50%', { direction: 'out' }), () => lostShare(place, 'in', 1_000))).toBe(0);
  });

  it('of everything leaves a cache silent, and it answers again on new connections once healed', async () => {
    expect(await kinds(bare.throughLink, 'new')).toEqual(['answered', 'answered', 'answered']);
    expect(new Set(await during(loss('mc-1', '100%'), () => kinds(bare.straight, 'new')))).toEqual(new Set(['silent']));
    expect(await kinds(bare.straight, 'new')).toEqual(['answered', 'answered', 'answered']);
  });

  it.each<[string, string, number]>([
    ['nothing', 'accept', 1],
    ['half the dose', 'drop', 0.5],
    ['twice the dose', 'drop', 2],
  ])('does not hold its proof when %s is lost', async (_, verdict, factor) => {
    const saboteur = sabotaged(bare.cluster, 'mc-1', (script) => script.replaceAll('< 100000', `< ${100_000 * factor}`).replaceAll(/drop$/gm, verdict));
    const prepared = await lossKind.prepare(loss('mc-1', '10%'), saboteur);
    const injected = await prepared.inject();
    expect((await injected.prove()).holds).toBe(false);
    await injected.heal();
  });
});
