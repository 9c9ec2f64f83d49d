import { expect, it } from 'vitest';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import { kill, killKind } from './kill.ts';

const bare = useBareCluster();

it('ends the process, and another one answers once healed', async () => {
  const node = bare.cluster.node('mc-1');
  const before = await node.state();
  const prepared = await killKind.prepare(kill('mc-1'), bare.cluster);
  const injected = await prepared.inject();

  expect((await injected.prove()).holds).toBe(true);
  expect(await node.state()).toMatchObject({ running: false, pid: 0 });
  expect(await kinds(bare.straight, 'new', 2)).not.toContain('answered');
  // Through the link the far end is gone too, though Toxiproxy itself still takes the connection.
  expect(await kinds(bare.throughLink, 'new', 2)).not.toContain('answered');

  await injected.heal();
  expect((await injected.proveHealed()).holds).toBe(true);
  const after = await node.state();
  expect(after.running).toBe(true);
  expect([after.pid, after.startedAt]).not.toEqual([before.pid, before.startedAt]);
  expect(await kinds(bare.throughLink, 'new')).toEqual(['answered', 'answered', 'answered']);
  await prepared.close();
});
