/** Packets on a wire inside a whole path: client-1 -> edge -> proxy-1 -> mc-1, mc-2, each arrow a link, the proxy waiting 100 ms for a backend. */
import { expect, it } from 'vitest';
import { cache } from '../../../containers/cache.ts';
import { useCluster } from '../cluster.fixture.ts';
import { type Fault, faultKind } from '../index.ts';
import { packetDelay } from './packet-delay.ts';

const SPEC = cache({ backends: 2, proxies: 1, proxyTimeout: '100ms' });
const standing = useCluster(SPEC);

/** Whether a key of each backend is answered to the client, through the whole path. */
async function isServed(): Promise<boolean> {
  const program = await standing.cluster.openProgram({ ...SPEC.ready, settings: { ...(SPEC.ready.settings as object), patienceMs: 1_500 } });
  return (await program.ended).code === 0;
}

it.each<[string, Fault, other: string]>([
  ['an inner node', packetDelay('mc-1', '150ms'), 'mc-2'],
  ['an inner link', packetDelay('proxy-1 -> mc-1', '150ms', { direction: 'out' }), 'proxy-1 -> mc-2'],
])("a packet delay beyond a proxy's patience on %s is felt by the client at the entry, and gone with it", async (_, fault, other) => {
  expect(await isServed()).toBe(true);
  const prepared = await faultKind(fault).prepare(fault, standing.cluster);
  const injected = await prepared.inject();
  try {
    expect(await injected.prove()).toMatchObject({ holds: true });
    expect(await isServed()).toBe(false);
    const spared = await (other.includes('->') ? standing.cluster.link(other) : standing.cluster.node(other as never)).prober();
    expect(await spared.ask('new', 100)).toMatchObject({ kind: 'answered' });
    await spared.close();
  } finally {
    await injected.heal();
  }
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  expect(await isServed()).toBe(true);
  await prepared.close();
});
