/** What a full disk does to a node that writes to one. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bareRedis } from '../../../containers/redis/index.ts';
import { connectEngine } from '../../cluster/engine.ts';
import { type RunningCluster, startCluster } from '../../cluster/start.ts';
import { diskFull, diskFullKind } from './disk-full.ts';

let cluster: RunningCluster;
const runId = `test-${randomBytes(4).toString('hex')}`;

beforeAll(async () => {
  const quiet = () => undefined;
  const spec = bareRedis();
  const nodes = spec.nodes.map((node) =>
    node.role === 'cache'
      ? {
          ...node,
          tmpfs: { '/data': 8 },
          command: [
            'redis-server',
            '--bind',
            '0.0.0.0',
            '--protected-mode',
            'no',
            '--save',
            '',
            '--appendonly',
            'yes',
            '--appendfsync',
            'everysec',
            '--dir',
            '/data',
          ],
        }
      : node,
  );
  cluster = await startCluster(
    { ...spec, nodes },
    { engine: await connectEngine(), runId, signal: new AbortController().signal, journal: { intent: quiet, done: quiet } },
  );
});
afterAll(() => cluster?.stop());

/** What Redis answers to a write. */
async function write(): Promise<string> {
  const { docker } = await connectEngine();
  const exec = await docker
    .getContainer(`aftershock-${runId}-redis-1`)
    .exec({ Cmd: ['redis-cli', 'set', 'key', 'value'.repeat(1_000)], AttachStdout: true, AttachStderr: true });
  const pieces: Buffer[] = [];
  for await (const piece of await exec.start({})) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('latin1');
}

it('makes a Redis with an append-only file give up', async () => {
  expect(await write()).toContain('OK');
  const prepared = await diskFullKind.prepare(diskFull('redis-1', { path: '/data' }), cluster);
  const injected = await prepared.inject();
  expect(await injected.prove()).toMatchObject({ holds: true });
  // The one that met the full disk was answered before it was written.
  await expect.poll(write, { timeout: 5_000 }).toMatch(/MISCONF .*No space left on device/);
  await injected.heal();
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  await expect.poll(write, { timeout: 5_000 }).toContain('OK');
  await prepared.close();
});
