import { afterEach, describe, expect, it } from 'vitest';
import { cache } from '../../../containers/cache.ts';
import { bareRedis } from '../../../containers/redis/index.ts';
import type { Cluster, Contents, Node } from '../../cluster/types.ts';
import { useCluster } from '../cluster.fixture.ts';
import type { FaultKind, Injected, Prepared } from '../fault.ts';
import { type Evict, evict, evictKind } from './evict.ts';
import { type Flush, flush, flushKind } from './flush.ts';

const SPEC = cache({ backends: 2, proxies: 1 });
const caches = useCluster(SPEC);
const redis = useCluster(bareRedis());
const KEYS = Array.from({ length: 600 }, (_, index) => `user:${index}%20.`);

const NOTHING = { undo: async () => undefined, missing: async () => undefined };

let prepared: Prepared | undefined;

afterEach(() => prepared?.close());

async function begin<F extends Flush | Evict>(kind: FaultKind<F>, fault: F, cluster: Cluster): Promise<Injected> {
  await kind.ready?.(fault, cluster);
  prepared = await kind.prepare(fault, cluster);
  return prepared.inject();
}

/** The same cluster, but for what becomes of the contents of a node. */
function takenOtherwise(cluster: Cluster, change: (contents: Contents) => Contents): Cluster {
  const spoilt = (node: Node) => new Proxy(node, { get: (target, key) => (key === 'contents' ? () => change(target.contents()) : Reflect.get(target, key)) });
  return { ...cluster, nodes: cluster.nodes.map((node) => (node.role === 'cache' ? spoilt(node) : node)) };
}

describe.each([
  ['memcached behind proxies', 'mc-1', () => caches.cluster],
  ['Redis', 'redis-1', () => redis.cluster],
] as const)('of %s', (_, name, clusterOf) => {
  const contents = () => clusterOf().node(name).contents();

  it('a flush takes all that is there, and what is stored then is kept', async () => {
    await contents().store(KEYS);
    const { prove, missing, heal, proveHealed } = await begin(flushKind, flush(name), clusterOf());
    expect(await prove()).toMatchObject({ holds: true, measured: expect.stringContaining(`20 of 20 marks gone; ${name} flushed 1 time, `) });
    expect(await contents().count(KEYS)).toBe(0);
    expect(await missing()).toBeUndefined();
    await contents().store(KEYS);
    await heal();
    await heal();
    expect(await proveHealed()).toMatchObject({ holds: true });
    expect(await contents().count(KEYS)).toBe(600);
  });

  it('an eviction takes the share that is asked for, the same keys of the same ones, and nothing comes back by itself', async () => {
    await contents().flush();
    await contents().store(KEYS);
    const { prove, missing, heal, proveHealed } = await begin(evictKind, evict(name, '30%'), clusterOf());
    expect(await prove()).toMatchObject({
      holds: true,
      measured: expect.stringContaining(
        `300 of 1000 marks gone; of 600 other keys of ${name}, 180 (30%) were deleted, 180 of them were gone at once, and 180 are not there now`,
      ),
    });
    expect(await contents().count(KEYS)).toBe(420);
    expect(await missing()).toBeUndefined();
    const left = (await contents().list()).filter((key) => KEYS.includes(key)).toSorted();
    await heal();
    expect(await proveHealed()).toMatchObject({ holds: true });
    await prepared?.close();
    expect(await contents().list()).toHaveLength(420);

    await contents().store(KEYS);
    await begin(evictKind, evict(name, '30%'), clusterOf());
    expect((await contents().list()).filter((key) => KEYS.includes(key)).toSorted()).toEqual(left);
  });

  it.each<[string, (contents: Contents) => Contents]>([
    ['does nothing', (of) => ({ ...of, flush: async () => NOTHING, drop: async () => NOTHING })],
    [
      'takes half',
      (of) => ({
        ...of,
        flush: async () => of.drop((await of.list()).filter((_key, index) => index % 2 === 0)),
        drop: (keys) => of.drop(keys.slice(0, keys.length / 2)),
      }),
    ],
    ['takes other keys', (of) => ({ ...of, flush: () => of.drop(KEYS), drop: (keys) => of.drop(keys.map((key) => `${key}x`)) })],
  ])('neither proof holds when the fault %s', async (_case, change) => {
    const cluster = takenOtherwise(clusterOf(), change);
    const flushed = await begin(flushKind, flush(name), cluster);
    expect(await flushed.prove(500)).toMatchObject({ holds: false });
    await prepared?.close();
    const evicted = await begin(evictKind, evict(name, '30%'), cluster);
    expect(await evicted.prove(500)).toMatchObject({ holds: false });
  });

  it('an eviction of our own marks alone is not proven, nor one of half of the others', async () => {
    const isMark = (key: string) => key.startsWith('aftershock-mark-');
    for (const [part, atOnce] of [
      [0, 0],
      [0.5, 90],
    ] as const) {
      const spoilt = (of: Contents): Contents => ({
        ...of,
        drop: (keys) => {
          const others = keys.filter((key) => !isMark(key));
          return of.drop([...keys.filter(isMark), ...others.slice(0, part * others.length)]);
        },
      });
      await contents().flush();
      await contents().store(KEYS);
      const { prove } = await begin(evictKind, evict(name, '30%'), takenOtherwise(clusterOf(), spoilt));
      expect(await prove(300)).toMatchObject({
        holds: false,
        measured: expect.stringContaining(`300 of 1000 marks gone; of 600 other keys of ${name}, 180 (30%) were deleted, ${atOnce} of them were gone at once`),
      });
      await prepared?.close();
    }
  });

  it('the proof of being over does not hold while nothing is kept', async () => {
    let isBroken = false;
    const { heal, proveHealed } = await begin(
      flushKind,
      flush(name),
      takenOtherwise(clusterOf(), (of) => ({ ...of, store: async (keys) => (isBroken ? undefined : of.store(keys)) })),
    );
    await heal();
    isBroken = true;
    expect(await proveHealed(500)).toMatchObject({ holds: false, measured: expect.stringContaining('0 of 20 kept') });
  });

  it('word comes when what was taken is there again', async () => {
    const known: string[] = [];
    const { missing } = await begin(
      flushKind,
      flush(name),
      takenOtherwise(clusterOf(), (of) => ({
        ...of,
        store: (keys) => {
          known.push(...keys);
          return of.store(keys);
        },
      })),
    );
    expect(await missing()).toBeUndefined();
    await contents().store(known.slice(0, 3));
    expect(await missing()).toBe(`of what was taken from ${name}, 3 of 20 marks are there again`);
  });
});

it('a node that is no cache is refused before the load', async () => {
  await expect(begin(flushKind, flush('edge'), caches.cluster)).rejects.toThrow('node edge does not speak of what it holds, so nothing can be taken from it');
});
