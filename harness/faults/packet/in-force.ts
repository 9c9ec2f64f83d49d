/** Rules of a fault in the network namespace of a node: put in force, looked for, and taken out again. */
import type { Disturbance, NetworkHand, Node } from '../../cluster/types.ts';
import { directionsOf, familyOf, type PacketRule, removal, renewal, tables } from './nft.ts';

export interface InForce extends Disturbance {
  /** Packets that the rules have bitten. */
  bitten(): Promise<number>;
}

let number = 0;

/** `hand` is the node's own, made before the fault since that takes some tenths of a second. */
export async function putInForce(node: Node, hand: NetworkHand, rules: readonly PacketRule[]): Promise<InForce> {
  // Of this process alone: two of them can disturb the same node.
  const name = `aftershock_${process.pid}_${++number}`;
  const undo = await hand.lend(name, { begin: tables(name, rules), renew: renewal(name, rules), end: removal(name, rules) });
  return {
    undo,
    missing: () => missingAt(node, name, rules),
    bitten: async () => {
      const counts = await Promise.all(directionsOf(rules).map((direction) => hand.counted(familyOf(direction), name, 'bitten')));
      return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    },
  };
}

/** Looked for in the namespace that the node has now, which need not be the one that it had. */
async function missingAt(node: Node, name: string, rules: readonly PacketRule[]): Promise<string | undefined> {
  const hand = await node.network();
  for (const direction of directionsOf(rules)) {
    const held = await hand.elements(familyOf(direction), name, 'lease');
    if (held === undefined) return `the rules are gone from the network namespace of ${node.name}`;
    if (held === 0) return `the lease of the rules at ${node.name} has run out`;
  }
  return undefined;
}
