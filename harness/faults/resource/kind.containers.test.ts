/** Every fault of resources on a whole path of proxies: it bites as described, is gone once healed, and its proofs are not taken in by another dose, another target or nothing at all. */
import { describe, expect, it } from 'vitest';
import { cache } from '../../../containers/cache.ts';
import type { Cluster, Disturbance, Node } from '../../cluster/types.ts';
import { useCluster } from '../cluster.fixture.ts';
import { cpuBurn, cpuLimit, descriptors, diskFull, type Fault, faultKind, ioThrottle, memoryLimit, oom } from '../index.ts';

const LOGS = '/var/log/aftershock';
/** Of the tiers of this cluster, those that it takes a fault and something to mistake it for. */
const TARGET = 'mc-1';
const OTHER = 'mc-2';
/** A proof that does not hold is seen at its first look. */
const SHORT_MS = 100;

const TIER = cache({ backends: 2, proxies: 1 });
const standing = useCluster({ ...TIER, nodes: TIER.nodes.map((node) => (node.role === 'cache' ? { ...node, tmpfs: { [LOGS]: 8 } } : node)) });

type Method = 'limitCpu' | 'burnCpu' | 'limitMemory' | 'exhaustMemory' | 'limitDescriptors' | 'fillDisk' | 'limitWrites';
type Act = (dose: never) => Promise<Disturbance>;

/** The same cluster, but for what one of its node's acts becomes. */
function meddled(method: Method, becomes: (act: Act, others: Act) => Act): Cluster {
  const act = (node: Node) => (node[method] as Act).bind(node);
  const node = new Proxy(standing.cluster.node(TARGET), {
    get: (target, key) => (key === method ? becomes(act(target), act(standing.cluster.node(OTHER))) : Reflect.get(target, key)),
  });
  return { ...standing.cluster, nodes: standing.cluster.nodes.map((one) => (one.name === TARGET ? node : one)) };
}

const prepared = async (fault: Fault, on: Cluster = standing.cluster) => {
  const kind = faultKind(fault);
  await kind.ready?.(fault, on);
  return kind.prepare(fault, on);
};

interface Row {
  readonly fault: Fault;
  readonly method: Method;
  /** What its proof measured, in words. */
  readonly bites: RegExp;
  readonly gone: RegExp;
  /** Half of it, and double, where it is a magnitude. */
  readonly doses?: readonly number[];
}

const ROWS: readonly Row[] = [
  {
    fault: cpuLimit(TARGET, { cpus: 0.1 }),
    method: 'limitCpu',
    bites: /^0\.\d+ of a processor used, \d+ of \d+ periods used up$/,
    gone: / 0 of 0 periods used up$/,
    doses: [0.05, 0.2],
  },
  {
    fault: cpuBurn(TARGET, { workers: 2 }),
    method: 'burnCpu',
    bites: /^2 burners, each ready at \d+(\.\d+)?% of the looks, \d\.\d\d of a processor together$/,
    gone: /^no burner$/,
    doses: [1, 4],
  },
  {
    fault: memoryLimit(TARGET, { mib: 48 }),
    method: 'limitMemory',
    bites: /^killed by signal 9 with 4\d\.\d MiB, 1 killed/,
    gone: /^alive with 5\d\.\d MiB, 0 killed/,
    doses: [24, 96],
  },
  {
    fault: descriptors(TARGET, 48),
    method: 'limitDescriptors',
    bites: /^48 descriptors held; \d+ new connections answered, the next not, the one from before answered; limits 48$/,
    gone: /answered; limits 1024$/,
    doses: [24, 96],
  },
  {
    fault: diskFull(TARGET, { path: LOGS }),
    method: 'fillDisk',
    bites: /^0 B of 8\.39 MB free, a write: ENOSPC$/,
    gone: /^8\.39 MB of 8\.39 MB free, a write: written$/,
  },
  {
    fault: ioThrottle(TARGET, { write: '1MB/s' }),
    method: 'limitWrites',
    bites: /^(\d{3} KB|1(\.\d+)? MB) a second written$/,
    gone: /MB a second written, \d+(\.\d+)? MB before$/,
    doses: [500_000, 2_000_000],
  },
];

describe.each(ROWS)('$fault.kind', ({ fault, method, bites, gone, doses = [] }) => {
  it('bites as described, stays, and is gone once healed, however often that is asked for', async () => {
    const before = await standing.cluster.node(TARGET).state();
    const one = await prepared(fault);
    const injected = await one.inject();
    const proof = await injected.prove();
    expect(proof).toMatchObject({ holds: true, measured: expect.stringMatching(bites) });
    expect(await injected.missing()).toBeUndefined();
    await injected.heal();
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true, measured: expect.stringMatching(gone) });
    await one.close();
    // The node has lived through it.
    expect(await standing.cluster.node(TARGET).state()).toEqual(before);
  });

  it('is not proven when nothing is done, or something to another node', async () => {
    const nothing = await prepared(
      fault,
      meddled(method, () => async () => ({ undo: async () => undefined, missing: async () => undefined })),
    );
    expect(await (await nothing.inject()).prove(SHORT_MS)).toMatchObject({ holds: false });
    await nothing.close();
    const elsewhere = await prepared(
      fault,
      meddled(method, (_, others) => others),
    );
    const injected = await elsewhere.inject();
    expect(await injected.prove(SHORT_MS)).toMatchObject({ holds: false });
    await injected.heal();
    await elsewhere.close();
  });

  it.each(doses)('is not proven with %d for its dose', async (dose) => {
    const spoilt = await prepared(
      fault,
      meddled(method, (act) => () => act(dose as never)),
    );
    const injected = await spoilt.inject();
    expect(await injected.prove(SHORT_MS)).toMatchObject({ holds: false });
    await injected.heal();
    await spoilt.close();
  });

  it('is not proven healed as long as it is there', async () => {
    let undo: (() => Promise<void>) | undefined;
    const stubborn = await prepared(
      fault,
      meddled(method, (act) => async (dose) => {
        const real = await act(dose);
        undo = real.undo;
        return { ...real, undo: async () => undefined };
      }),
    );
    const injected = await stubborn.inject();
    await injected.heal();
    expect(await injected.proveHealed(SHORT_MS)).toMatchObject({ holds: false });
    await undo?.();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await stubborn.close();
  });
});

describe('oom', () => {
  it('ends a node for want of memory, on our word, and another process answers once healed', async () => {
    const node = standing.cluster.node(TARGET);
    const before = await node.state();
    const one = await prepared(oom(TARGET));
    standing.intents.length = standing.outcomes.length = 0;
    const injected = await one.inject();
    expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/^ended \(exit 137\) for want of memory; /) });
    // A death that nobody announced would make a run invalid.
    expect(standing.intents).toEqual([`kill ${TARGET}`]);
    expect(standing.outcomes).toEqual([`kill ${TARGET}: by running out of memory`]);
    await injected.heal();
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    expect((await node.state()).pid).not.toBe(before.pid);
    await one.close();
  });

  it('is not proven by a kill that was another one', async () => {
    const killed = await prepared(
      oom(TARGET),
      meddled('exhaustMemory', () => () => standing.cluster.node(TARGET).kill()),
    );
    const injected = await killed.inject();
    expect(await injected.prove(SHORT_MS)).toMatchObject({ holds: false, measured: expect.stringMatching(/^ended \(exit 137\); /) });
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await killed.close();
  });
});

describe('memory-limit', () => {
  it('is proven by a node that dies of it, and healing starts that node again', async () => {
    const limited = await prepared(memoryLimit(TARGET, { mib: 32 }));
    standing.outcomes.length = 0;
    const injected = await limited.inject();
    expect(standing.outcomes).toContain(`kill ${TARGET}: when it outgrows 32 MiB`);
    const node = standing.cluster.node(TARGET);
    await node.exhaustMemory();
    expect(await injected.prove()).toMatchObject({ holds: true, measured: 'the node itself was killed for want of memory' });
    expect(await injected.missing()).toBeUndefined();
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await expect.poll(async () => (await (await node.prober()).ask('new', 500)).kind).toBe('answered');
    await limited.close();
  });
});

describe('what could not be told', () => {
  it.each([
    [descriptors(TARGET, 8), /^mc-1 holds \d+ descriptors already; write a limit of \d+ or more$/],
    [descriptors(TARGET, 20_000), /^mc-1 may hold no more than 1024 descriptors already, so a limit of 20000 could not be told$/],
    [cpuLimit(TARGET, { cpus: 64 }), /^mc-1 got no more than \d\.\d\d of a processor before the fault, so a limit of 64 could not be told$/],
    [memoryLimit(TARGET, { mib: 4_096 }), /^mc-1 may have no more than that already .*so a limit of 4096 MiB could not be told$/],
  ])('%o is refused before it is done', async (fault, words) => {
    await expect(prepared(fault)).rejects.toThrow(words);
  });

  it('is a path that is no filesystem of the node', async () => {
    const one = await prepared(diskFull(TARGET, { path: '/tmp' }));
    await expect(one.inject()).rejects.toThrow(`path: '/tmp' is no small filesystem of mc-1 (tmpfs); known: ${LOGS}`);
    await one.close();
  });
});

describe('what is lost in mid-run', () => {
  it('is told: a limit that somebody else has changed, and what ended with the process that it was in', async () => {
    const node = standing.cluster.node(OTHER);
    const [cpu, room, files] = [await node.limitCpu(0.5), await node.fillDisk(LOGS), await node.limitDescriptors(60)];
    expect([await cpu.missing(), await room.missing(), await files.missing()]).toEqual([undefined, undefined, undefined]);
    await standing.container(OTHER).update({ CpuPeriod: 10_000, CpuQuota: 9_000 });
    expect(await cpu.missing()).toBe(`${OTHER} has another limit by now`);
    const death = await node.kill();
    await expect.poll(async () => [await room.missing(), await files.missing()].every((why) => why !== undefined)).toBe(true);
    expect(await cpu.missing()).toBe(`${OTHER} does not run any more`);
    // To heal what is gone already is no failure.
    await Promise.all([cpu, room, files].map(({ undo }) => undo()));
    await death.undo();
    await expect.poll(async () => (await (await node.prober()).ask('new', 500)).kind).toBe('answered');
  });
});
