import { expect, it } from 'vitest';
import type { Toxic } from '../../cluster/toxiproxy.ts';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import { silence, silenceKind } from './silence.ts';

const bare = useBareCluster();

it('leaves connections open and unanswered, and answers once healed', async () => {
  expect(await kinds(bare.throughLink, 'kept')).toEqual(['answered', 'answered', 'answered']);
  const prepared = await silenceKind.prepare(silence('client-1 -> mc-1'), bare.cluster);
  const injected = await prepared.inject();

  expect(await injected.prove()).toMatchObject({
    holds: true,
    measured: '2 silent; of 1 links, answers alone were lost on 1 at first, and questions on 1 now',
  });
  // Silent, not closed and not refused: neither a FIN nor a RST came within a second.
  expect(await kinds(bare.throughLink, 'kept', 1, 1_000)).toEqual(['silent']);
  expect(await kinds(bare.throughLink, 'new', 2, 1_000)).toEqual(['silent', 'silent']);
  expect(await kinds(bare.straight, 'new')).toEqual(['answered', 'answered', 'answered']);

  await injected.heal();
  expect((await injected.proveHealed()).holds).toBe(true);
  expect(await kinds(bare.throughLink, 'new')).toEqual(['answered', 'answered', 'answered']);
  expect(await kinds(bare.throughLink, 'kept')).toEqual(['answered', 'answered', 'answered']);
  await prepared.close();
});

it.each<[string, Toxic['stream'], Toxic['stream'] | undefined, string]>([
  ['answers alone', 'downstream', undefined, '2 silent; of 1 links, answers alone were lost on 1 at first, and questions on 0 now'],
  ['answers alone, twice', 'downstream', 'downstream', '2 silent; of 1 links, answers alone were lost on 1 at first, and questions on 0 now'],
  ['questions alone', 'upstream', undefined, '2 silent; of 1 links, answers alone were lost on 0 at first, and questions on 1 now'],
])('is not proven when it loses %s', async (_, first, second, measured) => {
  const link = bare.cluster.link('client-1 -> mc-1');
  const nothing = { undo: async () => undefined, missing: async () => undefined };
  let toxics = 0;
  const poison = async (toxic: Toxic) => {
    const stream = toxics++ === 0 ? first : second;
    return stream === undefined ? nothing : link.poison({ ...toxic, stream });
  };
  const prepared = await silenceKind.prepare(silence(link.name), { ...bare.cluster, links: [{ ...link, poison }] });
  const injected = await prepared.inject();
  expect(await injected.prove(500)).toMatchObject({ holds: false, measured });
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  await prepared.close();
});
