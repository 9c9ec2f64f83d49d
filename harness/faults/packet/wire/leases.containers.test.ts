/** A wire ends within ten seconds of the death of its run, whatever died, and packets flow as before. */
import { describe, expect, it } from 'vitest';
import { LEASE_LIMIT_MS, useDoomed } from '../../doomed.fixture.ts';

/** Asks mc-1 over a new connection, gives up after a second, and prints how long it took, ms. */
const ASK = `
  const startedAt = performance.now();
  const socket = require('node:net').connect(11211, 'mc-1', () => socket.write('version\\r\\n'));
  const say = () => { process.stdout.write(String(performance.now() - startedAt)); process.exit(0); };
  socket.on('data', say).on('error', say).setTimeout(1_000, () => { process.stdout.write('99999'); process.exit(0); });
`;

describe('a wire of a harness that was killed', () => {
  const doomed = useDoomed('wire');
  const askMs = async () => Number(await doomed.printed('client-1', 'node', '-e', ASK));
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
      await doomed.kill('reaper');
      doomed.end();
    });
    expect(ms).toBeLessThan(LEASE_LIMIT_MS);
  });

  it('is passed by when the sidecar is dead, too: the kernel has ended what led packets there', async () => {
    const ms = await flowsAfterMs(async () => {
      await doomed.kill('reaper', 'wire-mc-1');
      doomed.end();
    });
    expect(ms).toBeLessThan(LEASE_LIMIT_MS);
  });
});
