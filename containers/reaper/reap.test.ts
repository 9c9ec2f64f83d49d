import { describe, expect, it } from 'vitest';
import type { Call } from './engine.ts';
import { MOST_LOOKS, reap } from './reap.ts';

/** An engine with one container and one network of the run; `hurt` says what happens to a call instead. */
function engineOf(hurt: (call: Call, count: number) => 'silent' | 'down' | undefined) {
  const there = { containers: new Set(['mc-1']), networks: new Set(['net']), isPaused: false };
  const orders: string[] = [];
  let count = 0;
  const ask = async (call: Call) => {
    const { method, path } = call;
    const pain = hurt(call, ++count);
    if (pain === 'silent') throw new Error('no answer');
    if (pain === 'down') return { status: 500, body: { message: 'no' } };
    if (method !== 'GET') orders.push(`${method} ${path}`);
    if (method === 'POST') there.isPaused = false;
    if (method === 'DELETE') for (const set of [there.containers, there.networks]) set.delete(path.split(/[/?]/)[2] ?? '');
    if (method !== 'GET') return { status: 204, body: '' };
    const isPausedOnly = decodeURIComponent(path).includes('"status":["paused"]');
    const ids = path.startsWith('/networks') ? there.networks : path.startsWith('/containers') && !(isPausedOnly && !there.isPaused) ? there.containers : [];
    return { status: 200, body: [...ids].map((Id) => ({ Id })) };
  };
  return { ask, orders, there };
}

describe('a reaper whose run is dead', () => {
  it('removes all that bears the label', async () => {
    const { ask, there } = engineOf(() => undefined);
    expect(await reap(ask, 'a=b', 0)).toEqual([]);
    expect([...there.containers, ...there.networks]).toEqual([]);
  });

  it('does not give up on an engine whose first lists fail', async () => {
    for (const how of ['silent', 'down'] as const) {
      const { ask, there } = engineOf((_, count) => (count <= 3 ? how : undefined));
      expect(await reap(ask, 'a=b', 0)).toEqual([]);
      expect([...there.containers, ...there.networks]).toEqual([]);
    }
  });

  it('resumes what is paused at every look, and not at the first alone', async () => {
    const { ask, orders, there } = engineOf(({ method }, count) => {
      // It was paused after the first look, which removed nothing.
      if (count === 2) there.isPaused = true;
      return method === 'DELETE' && count < 5 ? 'down' : undefined;
    });
    await reap(ask, 'a=b', 0);
    expect(orders).toContain('POST /containers/mc-1/unpause');
  });

  it('ends at some time with an engine that never answers, and says why', async () => {
    let asked = 0;
    const { ask } = engineOf(() => {
      asked++;
      return 'silent';
    });
    expect(await reap(ask, 'a=b', 0)).toEqual(['no answer']);
    expect(asked).toBe(MOST_LOOKS);
  });
});
