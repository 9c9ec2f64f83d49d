/** What is told of names, and what clocks are put wrong by, ends within ten seconds of the death of its run, and not before. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectEngine, type Engine } from '../../cluster/engine.ts';
import { removeRemains } from '../../cluster/remains.ts';
import { runIn } from './named.fixture.ts';

const FIXTURE = new URL('./held.fixture.ts', import.meta.url).pathname;
const LEASE_LIMIT_MS = 10_000;

describe('a harness that was killed, and its reaper with it', () => {
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

  const look = async (): Promise<{ lie: boolean; skewed: boolean }> => {
    const code = `
import { lookup } from 'node:dns/promises';
import { hostname, networkInterfaces } from 'node:os';
const { address } = await lookup('mc-1.aftershock.test');
const own = Object.values(networkInterfaces()).flat().map((one) => one.address);
say({ lie: own.includes(address), wallMs: Date.now() });`;
    const { lie, wallMs } = (await runIn(engine, `aftershock-${runId}-client-1`, code)) as { lie: boolean; wallMs: number };
    return { lie, skewed: Math.abs(wallMs - Date.now()) > 60_000 };
  };

  it('leaves right names and clocks behind after ten seconds, and both wrong for as long as it lives', async () => {
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    expect(await look()).toEqual({ lie: true, skewed: true });
    await engine.docker.getContainer(`aftershock-${runId}-reaper`).kill({ signal: 'SIGKILL' });
    harness.kill('SIGKILL');
    const killedAt = performance.now();
    const ended = { lie: Number.POSITIVE_INFINITY, skewed: Number.POSITIVE_INFINITY };
    while (performance.now() < killedAt + LEASE_LIMIT_MS && !(Number.isFinite(ended.lie) && Number.isFinite(ended.skewed))) {
      const { lie, skewed } = await look();
      const afterMs = performance.now() - killedAt;
      if (!lie) ended.lie = Math.min(ended.lie, afterMs);
      if (!skewed) ended.skewed = Math.min(ended.skewed, afterMs);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(ended.lie).toBeLessThan(LEASE_LIMIT_MS);
    expect(ended.skewed).toBeLessThan(LEASE_LIMIT_MS);
    process.stdout.write(`names right after ${Math.round(ended.lie)} ms, clock after ${Math.round(ended.skewed)} ms\n`);
  });
});
