import { afterEach, describe, expect, it } from 'vitest';
import { bareCache, cache } from '../../../containers/cache.ts';
import { memcached } from '../../../containers/memcached/index.ts';
import type { Cluster, Configuration, Login, Node } from '../../cluster/types.ts';
import { kinds } from '../bare.fixture.ts';
import { useCluster } from '../cluster.fixture.ts';
import type { FaultKind, Injected, Prepared } from '../fault.ts';
import { type PushConfig, pushConfig, pushConfigKind } from './push-config.ts';
import { type WrongCredential, wrongCredential, wrongCredentialKind } from './wrong-credential.ts';

const BARE = bareCache();
const proxied = useCluster(cache({ backends: 2, proxies: 1, proxyTimeout: '400ms' }));
const closed = useCluster({ ...BARE, nodes: [...BARE.nodes, memcached('mc-login', { sasl: { user: 'app', password: 'secret' } })] });

let prepared: Prepared | undefined;
let injected: Injected | undefined;

afterEach(async () => {
  await injected?.heal();
  await prepared?.close();
  injected = undefined;
});

async function begin<F extends PushConfig | WrongCredential>(kind: FaultKind<F>, fault: F, cluster: Cluster): Promise<Injected> {
  await kind.ready?.(fault, cluster);
  prepared = await kind.prepare(fault, cluster);
  injected = await prepared.inject();
  return injected;
}

/** The same cluster, but for one method of its nodes. */
function spoilt<K extends 'configuration' | 'login'>(cluster: Cluster, method: K, change: (of: ReturnType<Node[K]>) => ReturnType<Node[K]>): Cluster {
  const otherwise = (node: Node) =>
    new Proxy(node, { get: (target, key) => (key === method ? () => change(target[method]() as ReturnType<Node[K]>) : Reflect.get(target, key)) });
  return { ...cluster, nodes: cluster.nodes.map(otherwise) };
}

const throughTheEdge = async (patienceMs?: number) => {
  const prober = await proxied.cluster.link('client-1 -> edge').prober();
  const answers = await kinds(prober, 'new', 2, patienceMs);
  await prober.close();
  return answers;
};
/** A file that reads as if it had been laid there. */
function pushedAndNotTaken(): (of: Configuration) => Configuration {
  let laid: string | undefined;
  return (of) => ({
    ...of,
    read: async () => laid ?? of.read(),
    push: async (text) => {
      laid = text;
      return NOTHING;
    },
  });
}

const NOTHING = { undo: async () => undefined, missing: async () => undefined };

describe('a configuration that is pushed to a proxy', () => {
  const ring = pushConfig('proxy-1', { replace: 'mc-2', with: 'mc-9' });

  it('is what another process runs with, as it tells itself; and the former one is once healed', async () => {
    const node = proxied.cluster.node('proxy-1');
    const before = await node.state();
    const { prove, missing, heal, proveHealed } = await begin(pushConfigKind, ring, proxied.cluster);
    expect(await prove()).toMatchObject({ holds: true, measured: expect.stringContaining('proxy-1 has the file, another process runs, tells of mc-1, mc-9') });
    expect(await node.configuration().read()).toContain(' mc-9\n');
    expect((await node.state()).startedAt).not.toBe(before.startedAt);
    expect(await missing()).toBeUndefined();
    await heal();
    await heal();
    expect(await proveHealed()).toMatchObject({ holds: true, measured: expect.stringContaining('tells of mc-1, mc-2') });
    expect(await throughTheEdge()).toEqual(['answered', 'answered']);
    // Two starts, and each death was journalled before.
    expect(proxied.intents.filter((intent) => /^kill .*proxy-1$/.test(intent)).length).toBeGreaterThanOrEqual(2);
  });

  it('that it does not take is an outage, seen from the entry, until it is healed', async () => {
    const { prove, missing, heal, proveHealed } = await begin(
      pushConfigKind,
      pushConfig('proxy-1', { replace: 'timeout: 400', with: 'timeout: soon', comesUp: false }),
      proxied.cluster,
    );
    expect(await prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/proxy-1 has the file, does not run \(exit [1-9]/) });
    expect(await throughTheEdge()).not.toContain('answered');
    expect(await missing()).toBeUndefined();
    await heal();
    expect(await proveHealed()).toMatchObject({ holds: true });
    expect(await throughTheEdge()).toEqual(['answered', 'answered']);
  });

  it.each<[string, () => (of: Configuration) => Configuration]>([
    ['does nothing', () => (of) => ({ ...of, push: async () => NOTHING })],
    ['pushes another text', () => (of) => ({ ...of, push: (text, options) => of.push(text.replace('mc-9', 'mc-8'), options) })],
    ['lays the file there and starts nothing', pushedAndNotTaken],
  ])('does not hold its proof when it %s', async (_case, change) => {
    const { prove } = await begin(pushConfigKind, ring, spoilt(proxied.cluster, 'configuration', change()));
    expect(await prove(1_000)).toMatchObject({ holds: false });
  });

  it('does not hold its proof of being over when it stays, and says when it was lost', async () => {
    let undo = async (): Promise<void> => undefined;
    const cluster = spoilt(proxied.cluster, 'configuration', (of) => ({
      ...of,
      push: async (text, options) => {
        const pushed = await of.push(text, options);
        undo = pushed.undo;
        return { ...pushed, undo: async () => undefined };
      },
    }));
    const { heal, missing, proveHealed } = await begin(pushConfigKind, ring, cluster);
    await heal();
    expect(await proveHealed(1_000)).toMatchObject({ holds: false });
    await undo();
    expect(await missing()).toBe('proxy-1 was started again');
  });

  it.each<[PushConfig, string]>([
    [pushConfig('proxy-1', { replace: 'timeout: 7', with: 'timeout: 8' }), "the configuration of proxy-1 has no 'timeout: 7' that 'timeout: 8' would change"],
    [
      pushConfig('proxy-1', { replace: 'timeout: 400', with: 'timeout: 4', comesUp: false }),
      'proxy-1 takes this configuration, so it would come up; leave comesUp out',
    ],
    [pushConfig('mc-1', { replace: 'a', with: 'b' }), 'node mc-1 names no configuration, so nothing can be pushed to it'],
  ])('is refused before the load where it makes no sense: %j', async (fault, message) => {
    await expect(begin(pushConfigKind, fault, proxied.cluster)).rejects.toThrow(message);
  });
});

describe('a configuration that is pushed to the edge', () => {
  it('is taken by a reload: new connections meet it, and open ones go on', async () => {
    const kept = await proxied.cluster.node('edge').prober();
    await kept.ask('kept', 1_000);
    const before = await proxied.cluster.node('edge').state();
    const shut = pushConfig('edge', { replace: '  default_backend proxies', with: '  tcp-request connection reject' });
    const { prove, missing, heal, proveHealed } = await begin(pushConfigKind, shut, proxied.cluster);
    expect(await prove()).toMatchObject({ holds: true });
    expect((await proxied.cluster.node('edge').state()).startedAt).toBe(before.startedAt);
    expect(await throughTheEdge()).toEqual(['closed', 'closed']);
    expect((await kept.ask('kept', 1_000)).kind).toBe('answered');
    expect(await missing()).toBeUndefined();
    await heal();
    expect(await proveHealed()).toMatchObject({ holds: true });
    expect(await throughTheEdge()).toEqual(['answered', 'answered']);
    await kept.close();
  });

  it('does not hold its proof when nobody is told to reload', async () => {
    const fault = pushConfig('edge', { replace: 'timeout connect 1s', with: 'timeout connect 10s' });
    const { prove } = await begin(pushConfigKind, fault, spoilt(proxied.cluster, 'configuration', pushedAndNotTaken()));
    expect(await prove(1_000)).toMatchObject({ holds: false });
  });
});

describe('a password that was changed', () => {
  const fault = wrongCredential('mc-login');

  it('refuses the former login and nothing else, until it is healed', async () => {
    const { prove, missing, heal, proveHealed } = await begin(wrongCredentialKind, fault, closed.cluster);
    expect(await prove()).toMatchObject({ holds: true, measured: 'accepted by 0 of 1; without a login: 2 answered' });
    expect(await missing()).toBeUndefined();
    await heal();
    await heal();
    expect(await proveHealed()).toMatchObject({ holds: true });
    expect(await closed.cluster.node('mc-login').login().accepts()).toBe(true);
  });

  it('is known to be lost when somebody has changed it back', async () => {
    const { missing } = await begin(wrongCredentialKind, fault, closed.cluster);
    await closed.cluster.node('mc-login').login().change('secret');
    expect(await missing()).toBe('the password of mc-login is another one');
  });

  it.each<[string, (of: Login) => Login]>([
    ['does nothing', (of) => ({ ...of, change: async () => NOTHING })],
    ['sets the same', (of) => ({ ...of, change: () => of.change('secret') })],
  ])('does not hold its proof when it %s', async (_case, change) => {
    const { prove } = await begin(wrongCredentialKind, fault, spoilt(closed.cluster, 'login', change));
    expect(await prove(500)).toMatchObject({ holds: false });
  });

  it('does not hold its proof of being over when it stays', async () => {
    let undo = async (): Promise<void> => undefined;
    const cluster = spoilt(closed.cluster, 'login', (of) => ({
      ...of,
      change: async (password) => {
        const changed = await of.change(password);
        undo = changed.undo;
        return { ...changed, undo: async () => undefined };
      },
    }));
    const { heal, proveHealed } = await begin(wrongCredentialKind, fault, cluster);
    await heal();
    expect(await proveHealed(500)).toMatchObject({ holds: false });
    await undo();
  });
});
