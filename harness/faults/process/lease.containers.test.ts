/** What is done to processes ends within ten seconds of the death of its run even when the reaper is dead; a reaper that lives removes all. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { LEASE_LIMIT_MS, msUntil, useDoomed } from '../doomed.fixture.ts';

const doomed = useDoomed('processes');

/** The states of all processes of a node by name, as its own kernel tells them: 'memcached T'. */
async function processes(node: string): Promise<string[]> {
  const text = await doomed.printed(node, 'sh', '-c', 'cat /proc/[0-9]*/stat');
  return [...text.matchAll(/^\d+ \((.*)\) (\w)/gm)].map(([, name, state]) => `${name} ${state}`);
}

const stopped = async () => [...(await processes('mc-1')), ...(await processes('mc-3'))].filter((one) => one === 'memcached T').length;

it('stopped processes go on when harness and reaper are dead, and nothing dies any more', async () => {
  expect(await stopped()).toBe(2);
  await doomed.kill('reaper');
  expect(await msUntil(doomed.end(), async () => (await stopped()) === 0)).toBeLessThan(LEASE_LIMIT_MS);
  // A start that had been asked for may still come.
  await sleep(500);
  const { State } = await doomed.container('mc-2').inspect();
  await sleep(1_500);
  expect((await doomed.container('mc-2').inspect()).State).toEqual(State);
});
