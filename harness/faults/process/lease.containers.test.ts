/** What is done to processes ends within ten seconds of the death of its run even when the reaper is dead; a reaper that lives removes all. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectEngine, type Engine } from '../../cluster/engine.ts';
import { removeRemains } from '../../cluster/remains.ts';

const FIXTURE = new URL('./held.fixture.ts', import.meta.url).pathname;
const LEASE_LIMIT_MS = 10_000;

let engine: Engine;
let runId: string;
let harness: ChildProcess;

beforeEach(async () => {
  engine = await connectEngine();
  runId = `test-${randomBytes(4).toString('hex')}`;
  harness = spawn(process.execPath, [FIXTURE, runId], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: harness.stdout as NonNullable<typeof harness.stdout> });
  const [line] = await Promise.race([once(lines, 'line'), once(harness, 'exit').then(() => ['it ended'])]);
  if (line !== 'in force') throw new Error(`the harness that was to be killed said: ${String(line)}`);
});

afterEach(async () => {
  harness.kill('SIGKILL');
  await removeRemains(engine, runId);
});

const container = (node: string) => engine.docker.getContainer(`aftershock-${runId}-${node}`);

/** The states of all processes of a node by name, as its own kernel tells them: 'memcached T'. */
async function processes(node: string): Promise<string[]> {
  const exec = await container(node).exec({ Cmd: ['sh', '-c', 'cat /proc/[0-9]*/stat'], AttachStdout: true, Tty: true });
  let text = '';
  for await (const bytes of await exec.start({ Tty: true })) text += String(bytes);
  return [...text.matchAll(/^\d+ \((.*)\) (\w)/gm)].map(([, name, state]) => `${name} ${state}`);
}

const stopped = async () => [...(await processes('mc-1')), ...(await processes('mc-3'))].filter((one) => one === 'memcached T').length;

/** How long it took, ms. */
async function until(what: () => Promise<boolean>): Promise<number> {
  const beganAt = performance.now();
  while (!(await what())) {
    if (performance.now() - beganAt > LEASE_LIMIT_MS) return Number.POSITIVE_INFINITY;
    await sleep(100);
  }
  return performance.now() - beganAt;
}

it('stopped processes go on when harness and reaper are dead, and nothing dies any more', async () => {
  expect(await stopped()).toBe(2);
  await container('reaper').kill({ signal: 'SIGKILL' });
  harness.kill('SIGKILL');
  expect(await until(async () => (await stopped()) === 0)).toBeLessThan(LEASE_LIMIT_MS);
  // A start that had been asked for may still come.
  await sleep(500);
  const { State } = await container('mc-2').inspect();
  await sleep(1_500);
  expect((await container('mc-2').inspect()).State).toEqual(State);
});
