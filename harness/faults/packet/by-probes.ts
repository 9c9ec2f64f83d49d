/** A fault of packets whose dose shows in what becomes of connections: rules in each node's namespace, and probes that ask the node over a kept connection and over a new one. */
import type { Cluster } from '../../cluster/types.ts';
import type { Prepared } from '../fault.ts';
import { prepareProbed, type Seen } from '../probed.ts';
import { tally } from '../probing.ts';
import { matchingNodes } from '../targets.ts';
import { type InForce, putInForce } from './in-force.ts';
import type { PacketRule } from './nft.ts';

/** A healthy exchange takes under 10 ms here even on a busy machine: 300 ms without an answer is silence. */
export const PATIENCE_MS = 300;

export interface RulesByProbes {
  /** Nodes, by name or pattern. */
  readonly node: string;
  /** What packets to and from this port meet. */
  readonly rules: (port: number) => readonly PacketRule[];
  /** What a probe has to see, in words, and whether it did. */
  readonly asked: string;
  readonly bites: (seen: Seen) => boolean;
}

/** Makes the sidecars, before the load begins. */
export async function readyNetworks(node: string, cluster: Cluster): Promise<void> {
  await Promise.all(matchingNodes(node, cluster.nodes).map((one) => one.network()));
}

export async function prepareByProbes({ node, rules, asked, bites }: RulesByProbes, cluster: Cluster): Promise<Prepared> {
  const nodes = matchingNodes(node, cluster.nodes);
  const hands = new Map(await Promise.all(nodes.map(async (one) => [one.name, await one.network()] as const)));
  const inForce: InForce[] = [];
  return prepareProbed({
    targets: nodes,
    patienceMs: PATIENCE_MS,
    disturb: async (target) => {
      const hand = hands.get(target.name) ?? (await target.network());
      const one = await putInForce(target, hand, rules(target.port));
      inForce.push(one);
      return one;
    },
    asked,
    bites,
    told: async ({ kept, fresh }) => {
      const bitten = (await Promise.all(inForce.map((one) => one.bitten()))).reduce((sum, count) => sum + count, 0);
      return `kept connections: ${tally(kept)}; new ones: ${tally(fresh)}; ${bitten} packets by the rule's counter`;
    },
  });
}
