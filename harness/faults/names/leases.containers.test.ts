/** What is told of names, and what clocks are put wrong by, ends within ten seconds of the death of its run, and not before. */
import { describe, expect, it } from 'vitest';
import { LEASE_LIMIT_MS, msUntil, useDoomed } from '../doomed.fixture.ts';

describe('a harness that was killed, and its reaper with it', () => {
  const doomed = useDoomed('names');

  const look = async (): Promise<{ lie: boolean; skewed: boolean }> => {
    const code = `
import { lookup } from 'node:dns/promises';
import { hostname, networkInterfaces } from 'node:os';
const { address } = await lookup('mc-1.aftershock.test');
const own = Object.values(networkInterfaces()).flat().map((one) => one.address);
say({ lie: own.includes(address), wallMs: Date.now() });`;
    const { lie, wallMs } = (await doomed.run('client-1', code)) as { lie: boolean; wallMs: number };
    return { lie, skewed: Math.abs(wallMs - Date.now()) > 60_000 };
  };

  it('leaves right names and clocks behind after ten seconds, and both wrong for as long as it lives', async () => {
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    expect(await look()).toEqual({ lie: true, skewed: true });
    await doomed.kill('reaper');
    const killedAt = doomed.end();
    const [right, punctual] = await Promise.all([msUntil(killedAt, async () => !(await look()).lie), msUntil(killedAt, async () => !(await look()).skewed)]);
    expect(right).toBeLessThan(LEASE_LIMIT_MS);
    expect(punctual).toBeLessThan(LEASE_LIMIT_MS);
  });
});
