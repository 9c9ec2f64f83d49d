/** What a full disk does to a node that writes to one. */
import { expect, it } from 'vitest';
import { bareRedis } from '../../../containers/redis/index.ts';
import { useCluster } from '../cluster.fixture.ts';
import { diskFull, diskFullKind } from './disk-full.ts';

const REDIS = bareRedis();
const APPENDING = ['--bind', '0.0.0.0', '--protected-mode', 'no', '--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec', '--dir', '/data'];
const standing = useCluster({
  ...REDIS,
  nodes: REDIS.nodes.map((node) => (node.role === 'cache' ? { ...node, tmpfs: { '/data': 8 }, command: ['redis-server', ...APPENDING] } : node)),
});

/** What Redis answers to a write. */
async function write(): Promise<string> {
  const exec = await standing.container('redis-1').exec({ Cmd: ['redis-cli', 'set', 'key', 'value'.repeat(1_000)], AttachStdout: true, AttachStderr: true });
  const pieces: Buffer[] = [];
  for await (const piece of await exec.start({})) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('latin1');
}

it('makes a Redis with an append-only file give up', async () => {
  expect(await write()).toContain('OK');
  const prepared = await diskFullKind.prepare(diskFull('redis-1', { path: '/data' }), standing.cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true });
  // The one that met the full disk was answered before it was written.
  await expect.poll(write, { timeout: 5_000 }).toMatch(/MISCONF .*No space left on device/);
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  await expect.poll(write, { timeout: 5_000 }).toContain('OK');
  await prepared.close();
});
