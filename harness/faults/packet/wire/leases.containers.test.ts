/** A wire ends within ten seconds of the death of its run, whatever died, and packets flow as before. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectEngine, type Engine } from '../../../cluster/engine.ts';
import { removeRemains } from '../../../cluster/remains.ts';

const FIXTURE = new URL('./held.fixture.ts', import.meta.url).pathname;
const LEASE_LIMIT_MS = 10_000;

/** Asks mc-1 over a new connection, gives up after a second, and prints how long it took, ms. */
const ASK = `
  const startedAt = performance.now();
  const socket = require('node:net').connect(11211, 'mc-1', () => socket.write('version\\r\\n'));
  const say = () => { process.stdout.write(String(performance.now() - startedAt)); process.exit(0); };
  socket.on('data', say).on('error', say).setTimeout(1_000, () => { process.stdout.write('99999'); process.exit(0); });
`;

describe('a wire of a harness that was killed', () => {
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
  const kill = (node: string) => container(node).kill({ signal: 'SIGKILL' });
  const askMs = async () => {
    const exec = await container('client-1').exec({ Cmd: ['node', '-e', ASK], AttachStdout: true, Tty: true });
    let said = '';
    for await (const piece of await exec.start({ Tty: true })) said += String(piece);
    return Number(said);
  };
  /** How long after `died` packets flow as before. */
  const flowsAfterMs = async (died: () => Promise<unknown>) => {
    expect(await askMs()).toBeGreaterThan(390);
    await died();
    const diedAt = performance.now();
    while ((await askMs()) > 100) if (performance.now() - diedAt > 2 * LEASE_LIMIT_MS) return Number.POSITIVE_INFINITY;
    return performance.now() - diedAt;
  };

  it('lasts as long as its harness lives, however often its lease has to be renewed, and is gone at once then when its sidecar lives', async () => {
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    const ms = await flowsAfterMs(async () => {
      await kill('reaper');
      harness.kill('SIGKILL');
    });
    expect(ms).toBeLessThan(LEASE_LIMIT_MS);
  });

  it('is passed by when the sidecar is dead, too: the kernel has ended what led packets there', async () => {
    const ms = await flowsAfterMs(async () => {
      await kill('reaper');
      await kill('wire-mc-1');
      harness.kill('SIGKILL');
    });
    expect(ms).toBeLessThan(LEASE_LIMIT_MS);
  });
});
