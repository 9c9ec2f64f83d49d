import { expect, it } from 'vitest';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import { silence, silenceKind } from './silence.ts';

const bare = useBareCluster();

it('leaves connections open and unanswered, and answers once healed', async () => {
  expect(await kinds(bare.throughLink, 'kept')).toEqual(['answered', 'answered', 'answered']);
  const prepared = await silenceKind.prepare(silence('client-1 -> mc-1'), bare.cluster);
  const injected = await prepared.inject();

  expect(await injected.prove()).toMatchObject({ holds: true, measured: '2 silent' });
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
