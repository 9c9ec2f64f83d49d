import { afterEach, describe, expect, it, vi } from 'vitest';
import { livesMs } from '../../harness/load/pool/pool-options.ts';
import { demandOf, type pooledLoad } from '../../harness/load/request-load.ts';
import { cacheClients, cacheWorkers } from './index.ts';
import { loadOf } from './settings.ts';

type Handed = Parameters<typeof pooledLoad>[0];

/** What was handed to the engine. */
const handed: Handed[] = [];
vi.mock('../../harness/load/request-load.ts', async (original) => ({
  ...(await original<object>()),
  pooledLoad: (load: Handed) => {
    handed.push(load);
  },
}));
afterEach(() => handed.splice(0));

const COMMON = { mix: { get: '80%', set: '20%' }, keys: 40, deadline: '1s', timeout: '500ms', onTimeout: 'reconnect' } as const;

/** What each of two processes hands to the engine. */
async function ofEach(program: { readonly settings?: unknown }, seed: number): Promise<[Handed, Handed]> {
  handed.length = 0;
  for (const index of [0, 1]) await loadOf({ ...(program.settings as object), entry: '127.0.0.1:11211', seed, part: { index, of: 2 } });
  return [handed[0] as Handed, handed[1] as Handed];
}

describe('two processes that share a load', () => {
  const clients = cacheClients({ ...COMMON, rate: '200/s', connections: 5, use: { for: '10s', jitter: true }, processes: 2 });

  it('share its connections, and give each an age that none of the other has, the same for the same seed', async () => {
    const agesOf = ({ pool }: Handed) => Array.from({ length: 10 }, () => livesMs(pool.use ?? 'pooled', pool.random));
    const [first, second] = await ofEach(clients.program, 5);
    expect([first.pool.connections, second.pool.connections]).toEqual([3, 2]);
    const ages = agesOf(first);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(5_000);
    expect(Math.max(...ages)).toBeLessThan(15_000);
    expect(agesOf(second).filter((age) => ages.includes(age))).toEqual([]);
    expect(agesOf((await ofEach(clients.program, 5))[0])).toEqual(ages);
  });

  it('have workers who do not think alike', async () => {
    const workers = cacheWorkers({ ...COMMON, workers: 2, thinks: '100ms', jitter: true, processes: 2 });
    const thinks = (await ofEach(workers.program, 5)).map(({ asking, random }) => {
      const crowd = demandOf(asking, 1e9, random);
      return Array.from({ length: 10 }, () => {
        const atMs = crowd.nextDueMs;
        crowd.take();
        crowd.ended(0, atMs);
        return crowd.nextDueMs - atMs;
      });
    });
    expect(new Set(thinks.flat()).size).toBe(20);
  });

  it('keep one schedule between them', async () => {
    const dues = (await ofEach(clients.program, 5)).map(({ asking, random }) => {
      const demand = demandOf(asking, 100, random);
      const due: number[] = [];
      for (; !demand.isOver; demand.take()) due.push(demand.nextDueMs);
      return due;
    });
    expect(dues[0]).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(dues[1]).toEqual([5, 15, 25, 35, 45, 55, 65, 75, 85, 95]);
  });
});
