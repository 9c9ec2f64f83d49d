import { describe, expect, it } from 'vitest';
import type { Ask, Call } from './engine.ts';
import { look, restore } from './restore.ts';

/** An engine of a few containers that remembers what was asked of it. */
function engineOf(containers: Record<string, { state: 'running' | 'paused' | 'exited'; address: string }>): {
  ask: Ask;
  orders: string[];
  refuse: Set<string>;
} {
  const orders: string[] = [];
  const refuse = new Set<string>();
  const ask = async ({ method, path }: Call) => {
    if (method === 'GET' && path.startsWith('/containers/json')) {
      const paused = decodeURIComponent(path).includes('"status":["paused"]');
      const body = Object.entries(containers)
        .filter(([, { state }]) => !paused || state === 'paused')
        .map(([Id]) => ({ Id }));
      return { status: 200, body };
    }
    const [, id = ''] = /^\/containers\/([\w-]+)/.exec(path) ?? [];
    const one = containers[id];
    if (!one) return { status: 404, body: {} };
    if (method === 'GET') {
      const body = { Id: id, State: { Running: one.state !== 'exited' }, NetworkSettings: { Networks: { n: { IPAddress: one.address } } } };
      return { status: 200, body };
    }
    orders.push(`${method} ${path}`);
    return refuse.has(id) ? { status: 500, body: { message: 'no' } } : { status: 204, body: '' };
  };
  return { ask, orders, refuse };
}

const whole = () => ({
  'mc-1': { state: 'running' as 'running' | 'paused' | 'exited', address: '172.20.0.10' },
  'mc-2': { state: 'running' as 'running' | 'paused' | 'exited', address: '172.20.0.9' },
  old: { state: 'exited' as const, address: '' },
});

describe('a guard whose owner has died', () => {
  it('leaves alone what is as it was', async () => {
    const { ask, orders } = engineOf(whole());
    expect(await restore(ask, 'a=b', await look(ask, 'a=b'), 0)).toEqual([]);
    expect(orders).toEqual([]);
  });

  it('resumes what is paused, whoever paused it', async () => {
    const containers = whole();
    const { ask, orders } = engineOf(containers);
    const before = await look(ask, 'a=b');
    containers['mc-2'].state = 'paused';
    await restore(ask, 'a=b', before, 0);
    expect(orders).toEqual(['POST /containers/mc-2/unpause']);
  });

  it('starts what ran, by the order of addresses, and nothing else', async () => {
    const containers = whole();
    const { ask, orders } = engineOf(containers);
    const before = await look(ask, 'a=b');
    containers['mc-1'].state = containers['mc-2'].state = 'exited';
    await restore(ask, 'a=b', before, 0);
    expect(orders).toEqual(['POST /containers/mc-2/start', 'POST /containers/mc-1/start']);
  });

  it('removes what has come since, last of all, and tells what did not work', async () => {
    const containers: Record<string, { state: 'running' | 'paused' | 'exited'; address: string }> = whole();
    const { ask, orders, refuse } = engineOf(containers);
    const before = await look(ask, 'a=b');
    containers['hand'] = { state: 'running', address: '' };
    containers['mc-1'] = { state: 'paused', address: '172.20.0.10' };
    refuse.add('mc-1');
    expect(await restore(ask, 'a=b', before, 0)).toEqual(['POST /containers/mc-1/unpause: 500 no']);
    expect(orders).toEqual(['POST /containers/mc-1/unpause', 'DELETE /containers/hand?force=1&v=1']);
  });
});
