/** Faults of packets in a whole path: client-1 -> edge -> proxy-1, proxy-2 -> mc-1, mc-2, each arrow a link. */
import { beforeAll, describe, expect, it } from 'vitest';
import { cache } from '../../../containers/cache.ts';
import type { Answer, Prober } from '../../cluster/types.ts';
import { useCluster } from '../cluster.fixture.ts';
import { type Fault, faultKind } from '../index.ts';
import { dropNew } from './drop-new.ts';
import { limitConnections } from './limit-connections.ts';
import { loss } from './loss.ts';
import { partition } from './partition.ts';
import { reject } from './reject.ts';

const SPEC = cache({ backends: 2, proxies: 2, proxyTimeout: '100ms' });
const standing = useCluster(SPEC);
/** Over each link from a proxy to a backend, and the client's own way in. */
const over = new Map<string, Prober>();
const INNER = ['proxy-1 -> mc-1', 'proxy-1 -> mc-2', 'proxy-2 -> mc-1', 'proxy-2 -> mc-2'];
const ENTRY = 'client-1 -> edge';

beforeAll(async () => {
  for (const name of [...INNER, ENTRY]) over.set(name, await standing.cluster.link(name).prober());
});

/** What one new exchange over each inner link meets. */
async function met(connection: 'kept' | 'new' = 'new'): Promise<Record<string, Answer['kind']>> {
  const asked = INNER.map(async (name) => [name, (await (over.get(name) as Prober).ask(connection, 300)).kind] as const);
  return Object.fromEntries(await Promise.all(asked));
}

const all = (kind: Answer['kind']) => Object.fromEntries(INNER.map((name) => [name, kind]));

/** Puts it in force, proven, for as long as something is looked at, and sees it gone. */
async function during(fault: Fault, look: () => Promise<void>): Promise<void> {
  const kind = faultKind(fault);
  const prepared = await kind.prepare(fault, standing.cluster);
  const injected = await prepared.inject();
  try {
    expect(await injected.prove()).toMatchObject({ holds: true });
    await look();
  } finally {
    await injected.heal();
  }
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  expect(await met()).toEqual(all('answered'));
  await prepared.close();
}

describe('on one inner link', () => {
  it.each<[string, Fault, Answer['kind']]>([
    ['a partition', partition('proxy-1 -> mc-1'), 'silent'],
    ['a loss of everything', loss('proxy-1 -> mc-1', '100%'), 'silent'],
    ['a rejection', reject('proxy-1 -> mc-1'), 'refused'],
    ['a drop of new connections', dropNew('proxy-1 -> mc-1'), 'silent'],
  ])("%s is met in the handshake, and neither the other proxy's link nor the other backend's is touched", async (_, fault, kind) => {
    await during(fault, async () => {
      for (let looks = 0; looks < 3; looks++) expect(await met()).toEqual({ ...all('answered'), 'proxy-1 -> mc-1': kind });
      // Everything else on the way is as it was, and so is the node behind the link.
      expect((await (over.get(ENTRY) as Prober).ask('new', 1_000)).kind).toBe('answered');
      const straight = await standing.cluster.node('mc-1').prober();
      expect((await straight.ask('new', 300)).kind).toBe('answered');
      await straight.close();
    });
  });

  it('a limit is met by the new connections over it, and by no others', async () => {
    await during(limitConnections('proxy-1 -> mc-1', { count: 5, over: 'reset' }), async () => {
      const calls = { count: 10, atOnce: 10, perSecond: 1_000, patienceMs: 300, held: true };
      const dialled = await Promise.all(INNER.map(async (name) => (await (over.get(name) as Prober).dial(calls)).made));
      for (const prober of over.values()) await prober.hangUp();
      expect(dialled).toEqual([5, 10, 10, 10]);
    });
  });
});

describe('between groups', () => {
  it('a partition cuts every link from the one to the other, two-way', async () => {
    await during(partition('proxy-1|proxy-2 <-> mc-*'), async () => {
      expect(await met()).toEqual(all('silent'));
      // The nodes themselves are well, to whoever reaches them.
      const straight = await Promise.all(['mc-1', 'mc-2'].map((name) => standing.cluster.node(name).prober()));
      expect((await Promise.all(straight.map((prober) => prober.ask('new', 300)))).map(({ kind }) => kind)).toEqual(['answered', 'answered']);
      await Promise.all(straight.map((prober) => prober.close()));
    });
  });

  it.each(['in', 'out'] as const)('one-way (%s), and only of the group that was named', async (direction) => {
    await during(partition('proxy-1 -> mc-*', { direction }), async () => {
      expect(await met()).toEqual({ ...all('answered'), 'proxy-1 -> mc-1': 'silent', 'proxy-1 -> mc-2': 'silent' });
    });
  });

  it('two proxies can have different views of one backend, at once', async () => {
    const [one, other] = await Promise.all(
      [partition('proxy-1 -> mc-1'), partition('proxy-2 -> mc-2')].map((fault) => faultKind(fault).prepare(fault, standing.cluster)),
    );
    const injected = [await one?.inject(), await other?.inject()];
    expect((await Promise.all(injected.map((fault) => fault?.prove()))).map((proof) => proof?.holds)).toEqual([true, true]);
    expect(await met()).toEqual({ 'proxy-1 -> mc-1': 'silent', 'proxy-1 -> mc-2': 'answered', 'proxy-2 -> mc-1': 'answered', 'proxy-2 -> mc-2': 'silent' });
    await injected[0]?.heal();
    expect((await injected[0]?.proveHealed())?.holds).toBe(true);
    expect(await met()).toEqual({ ...all('answered'), 'proxy-2 -> mc-2': 'silent' });
    await injected[1]?.heal();
    expect((await injected[1]?.proveHealed())?.holds).toBe(true);
    await Promise.all([one?.close(), other?.close()]);
  });
});

describe("narrowed to a node's other port", () => {
  // twemproxy tells its statistics at 22222, to whoever connects.
  it.each<[string, Fault, string]>([
    ['a partition', partition('proxy-1', { port: 22_222, peer: 'client-1' }), 'silent'],
    ['a rejection', reject('proxy-1', { port: 22_222 }), 'refused'],
    ['a drop of new connections', dropNew('proxy-1', { port: 22_222 }), 'silent'],
    ['a limit', limitConnections('proxy-1', { port: 22_222, count: 4 }), 'answered'],
  ])('%s is met there, and not at the port that is served', async (_, fault, kind) => {
    await during(fault, async () => {
      const [there, served] = await Promise.all([standing.cluster.node('proxy-1').prober({ port: 22_222 }), standing.cluster.node('proxy-1').prober()]);
      expect((await there.ask('new', 300)).kind).toBe(kind);
      expect((await served.ask('new', 300)).kind).toBe('answered');
      await Promise.all([there.close(), served.close()]);
    });
  });
});
