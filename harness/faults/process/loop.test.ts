import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Node } from '../../cluster/types.ts';
import { loopAt } from './loop.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

/** A node whose every death is answered by another process, as long as `dies` says so. */
function nodeThat(dies: () => boolean): Node {
  let pid = 1;
  const kill = async () => {
    if (dies()) pid++;
    return { undo: async () => undefined, missing: async () => undefined };
  };
  return { name: 'mc-1', kill, state: async () => ({ running: true, paused: false, pid, startedAt: '2026-01-01T00:00:00Z', exitCode: 0 }) } as unknown as Node;
}

it('is missed when nothing has died and come back for two turns and three seconds', async () => {
  const loop = await loopAt(
    nodeThat(() => false),
    1_000,
  );
  expect(await loop.missing()).toBeUndefined();
  vi.advanceTimersByTime(4_900);
  expect(await loop.missing()).toBeUndefined();
  vi.advanceTimersByTime(200);
  expect(await loop.missing()).toBe('mc-1 has not died and come back for 5.1 s');
  await loop.undo();
  expect(loop.deaths).toBe(0);
});

it('counts a death in the middle of which it is healed', async () => {
  const node = nodeThat(() => true);
  const loop = await loopAt(node, 1_000);
  await loop.undo();
  expect(loop.deaths).toBe(1);
});

it('counts a death when another process has come, and tells why it cannot go on', async () => {
  let turns = 0;
  const node = nodeThat(() => true);
  const loop = await loopAt({ ...node, kill: (how) => (turns++ === 0 ? node.kill(how) : Promise.reject(new Error('it does not run'))) }, 10);
  await sleep(100);
  expect(loop.deaths).toBe(1);
  expect(await loop.missing()).toBe('mc-1 does not die again: it does not run');
  await expect(loop.undo()).rejects.toThrow('it does not run');
});
