/** The faults that wires carry, on a kernel that is made to look as if its nftables could not send packets into devices: by routes and copies instead. */
import { expect, it } from 'vitest';
import type { Cluster, Node } from '../../cluster/types.ts';
import type { WireHand } from '../../cluster/wire.ts';
import { EnvironmentError } from '../../core/errors.ts';
import { kinds, useBareCluster } from '../bare.fixture.ts';
import { type Fault, faultKind } from '../index.ts';
import { corrupt } from './corrupt.ts';
import { duplicate } from './duplicate.ts';
import { packetDelay } from './packet-delay.ts';
import { reorder } from './reorder.ts';

const bare = useBareCluster();

function withoutFwd(cluster: Cluster): Cluster {
  const refused = (script: string) => {
    if (/\bfwd to\b/.test(script)) throw new EnvironmentError('nft refused a script: no fwd here');
  };
  const poorer = (hand: WireHand): WireHand =>
    new Proxy(hand, {
      get: (own, key) => {
        if (key === 'nft')
          return async (script: string) => {
            refused(script);
            return own.nft(script);
          };
        if (key === 'lay')
          return async (name: string, script: Parameters<WireHand['lay']>[1]) => {
            refused(script.begin);
            return own.lay(name, script);
          };
        const value: unknown = Reflect.get(own, key);
        return typeof value === 'function' ? value.bind(own) : value;
      },
    });
  const stoodIn = (node: Node): Node =>
    new Proxy(node, { get: (target, key) => (key === 'wire' ? async () => poorer(await target.wire()) : Reflect.get(target, key)) });
  return { ...cluster, nodes: cluster.nodes.map(stoodIn) };
}

it.each<Fault>([
  packetDelay('mc-1', '40ms'),
  packetDelay('mc-1', '40ms', { direction: 'out' }),
  packetDelay('mc-1', '40ms', { direction: 'both', jitter: '20ms' }),
  duplicate('mc-1', '20%', { direction: 'both' }),
  reorder('mc-1', '20%', { direction: 'both' }),
  corrupt('mc-1', '20%', { direction: 'both' }),
])('%j bites as it is described, and nothing is left of it once healed', async (fault) => {
  const prepared = await faultKind(fault).prepare(fault, withoutFwd(bare.cluster));
  const injected = await prepared.inject();
  try {
    expect(await injected.prove(5_000)).toMatchObject({ holds: true, measured: expect.stringMatching(/[1-9]\d* packets through tun/) });
    expect(await injected.missing()).toBeUndefined();
  } finally {
    await injected.heal();
  }
  expect(await injected.proveHealed(5_000)).toMatchObject({ holds: true });
  expect(await injected.missing()).toMatch(/gone from the network namespace of mc-1/);
  const hand = await bare.cluster.node('mc-1').wire();
  expect(await hand.run(['ip', 'rule'])).not.toContain('fwmark');
  expect(await kinds(bare.straight, 'new')).toEqual(['answered', 'answered', 'answered']);
  await prepared.close();
});
