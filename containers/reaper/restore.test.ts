import { describe, expect, it } from 'vitest';
import type { Ask, Call } from './engine.ts';
import { MOST_LOOKS } from './reap.ts';
import { look, restore } from './restore.ts';

/** An engine of a few containers that remembers what was asked of it. */
interface Container {
  state: 'running' | 'paused' | 'exited';
  address: string;
  /** Its limits, as the engine tells of them. */
  limits?: object;
  /** What processes of it are stopped, the first and one under it; only the engine can let the first go on, and only a shell in it the other. */
  stopped?: { first: boolean; child: boolean };
}

function engineOf(containers: Record<string, Container>): {
  ask: Ask;
  orders: string[];
  refuse: Set<string>;
  /** So many lists fail from now on. */
  fail(lists: number): void;
} {
  const orders: string[] = [];
  const refuse = new Set<string>();
  let failing = 0;
  const ask = async ({ method, path, body: told }: Call) => {
    if (method === 'GET' && path.startsWith('/containers/json')) {
      if (failing-- > 0) throw new Error('no answer');
      const paused = decodeURIComponent(path).includes('"status":["paused"]');
      const body = Object.entries(containers)
        .filter(([, { state }]) => !paused || state === 'paused')
        .map(([Id]) => ({ Id }));
      return { status: 200, body };
    }
    const [, id = ''] = /^\/(?:containers|exec)\/([\w-]+)/.exec(path) ?? [];
    const one = containers[id];
    if (!one) return { status: 404, body: {} };
    if (path.includes('/top')) {
      const { first = false, child = false } = one.stopped ?? {};
      return { status: 200, body: { Titles: ['PID', 'STAT'], Processes: [first, child].map((isStopped, pid) => [`${pid}`, isStopped ? 'Ts' : 'Ss']) } };
    }
    if (method === 'GET') {
      const body = {
        HostConfig: one.limits ?? {},
        Id: id,
        State: { Running: one.state !== 'exited' },
        NetworkSettings: { Networks: { n: { IPAddress: one.address } } },
      };
      return { status: 200, body };
    }
    orders.push(`${method} ${path}`);
    if (refuse.has(id)) return { status: 500, body: { message: 'no' } };
    if (path.endsWith('/unpause') || path.endsWith('/start')) one.state = 'running';
    if (path.endsWith('/update')) one.limits = told as object;
    if (path.endsWith('SIGCONT') && one.stopped) one.stopped.first = false;
    if (path.startsWith('/exec/') && one.stopped) one.stopped.child = false;
    return path.endsWith('/exec') ? { status: 201, body: { Id: id } } : { status: 204, body: '' };
  };
  return {
    ask,
    orders,
    refuse,
    fail: (lists) => {
      failing = lists;
    },
  };
}

const GIVEN = { CpuQuota: 0, Memory: 64, MemorySwap: 128 };
const whole = (): Record<'mc-1' | 'mc-2' | 'old', Container> => ({
  'mc-1': { state: 'running', address: '172.20.0.10', limits: GIVEN },
  'mc-2': { state: 'running', address: '172.20.0.9', limits: GIVEN },
  old: { state: 'exited', address: '' },
});
const AT_ONCE = { forSidecarsMs: 0, betweenMs: 0 };

describe('a guard whose owner has died', () => {
  it('leaves alone what is as it was', async () => {
    const { ask, orders } = engineOf(whole());
    expect(await restore(ask, 'a=b', await look(ask, 'a=b'), AT_ONCE)).toEqual([]);
    expect(orders).toEqual([]);
  });

  it('resumes what is paused, whoever paused it', async () => {
    const containers = whole();
    const { ask, orders } = engineOf(containers);
    const before = await look(ask, 'a=b');
    containers['mc-2'].state = 'paused';
    await restore(ask, 'a=b', before, AT_ONCE);
    expect(orders).toEqual(['POST /containers/mc-2/unpause']);
  });

  it('starts what ran, by the order of addresses, and nothing else', async () => {
    const containers = whole();
    const { ask, orders } = engineOf(containers);
    const before = await look(ask, 'a=b');
    containers['mc-1'].state = containers['mc-2'].state = 'exited';
    await restore(ask, 'a=b', before, AT_ONCE);
    expect(orders).toEqual(['POST /containers/mc-2/start', 'POST /containers/mc-1/start']);
  });

  it('removes what has come since, last of all, and tells what did not work', async () => {
    const containers: Record<string, Container> = whole();
    const { ask, orders, refuse } = engineOf(containers);
    const before = await look(ask, 'a=b');
    containers['hand'] = { state: 'running', address: '' };
    containers['mc-1'] = { state: 'paused', address: '172.20.0.10' };
    refuse.add('mc-1');
    expect(await restore(ask, 'a=b', before, AT_ONCE)).toEqual(['POST /containers/mc-1/unpause: 500 no']);
    expect([...new Set(orders)]).toEqual(['POST /containers/mc-1/unpause', 'DELETE /containers/hand?force=1&v=1']);
    expect(orders.filter((order) => order.endsWith('unpause'))).toHaveLength(MOST_LOOKS);
  });

  it('does not give up on an engine whose first lists fail', async () => {
    const containers = whole();
    const { ask, orders, fail } = engineOf(containers);
    const before = await look(ask, 'a=b');
    containers['mc-2'].state = 'paused';
    fail(3);
    expect(await restore(ask, 'a=b', before, AT_ONCE)).toEqual([]);
    expect(orders).toEqual(['POST /containers/mc-2/unpause']);
  });

  it('gives back what a fault took of processors and memory, before anything is started', async () => {
    const containers = whole();
    const { ask, orders } = engineOf(containers);
    const before = await look(ask, 'a=b');
    containers['mc-1'].limits = { CpuQuota: 5_000, Memory: 64, MemorySwap: 128 };
    Object.assign(containers['mc-2'], { state: 'exited', limits: { CpuQuota: 0, Memory: 16, MemorySwap: 16 } });
    expect(await restore(ask, 'a=b', before, AT_ONCE)).toEqual([]);
    expect(containers['mc-1'].limits).toEqual({ CpuPeriod: 100_000, CpuQuota: -1, Memory: 64, MemorySwap: 128 });
    expect(containers['mc-2'].limits).toEqual(containers['mc-1'].limits);
    expect(orders.toSorted()).toEqual(['POST /containers/mc-1/update', 'POST /containers/mc-2/start', 'POST /containers/mc-2/update']);
    expect(orders.at(-1)).toBe('POST /containers/mc-2/start');
  });

  it('lets go on what was stopped by a signal: the first process, and those under it where there is a shell', async () => {
    const containers = whole();
    const { ask, orders, refuse } = engineOf(containers);
    const before = await look(ask, 'a=b');
    containers['mc-1'].stopped = { first: true, child: false };
    containers['mc-2'].stopped = { first: false, child: true };
    expect(await restore(ask, 'a=b', before, AT_ONCE)).toEqual([]);
    expect(containers['mc-1'].stopped.first || containers['mc-2'].stopped.child).toBe(false);
    expect(orders.filter((order) => order.includes('mc-1'))).toEqual(['POST /containers/mc-1/kill?signal=SIGCONT']);

    containers['mc-2'].stopped = { first: false, child: true };
    refuse.add('mc-2');
    expect((await restore(ask, 'a=b', before, AT_ONCE)).at(-1)).toMatch(/^mc-2: processes under the first may still be stopped, and no shell in it/);
  });
});
