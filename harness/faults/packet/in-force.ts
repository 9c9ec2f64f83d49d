/** Rules of a fault in the network namespaces of its nodes: put in force, looked for, and taken out again. */
import type { NetworkHand, Node } from '../../cluster/types.ts';
import { onAll } from '../probing.ts';
import { directionsOf, familyOf, type PacketRule, removal, renewal, tables } from './nft.ts';

export interface InForce {
  heal(): Promise<void>;
  /** Packets that the rules have bitten, over all nodes. */
  bitten(): Promise<number>;
}

let number = 0;

/** Puts the rules in force at every node, or at none. `at` are the nodes' own hands, which were made before the fault since that takes some tenths of a second. */
export async function putInForce(
  at: readonly { readonly node: Node; readonly hand: NetworkHand }[],
  rulesFor: (node: Node) => readonly PacketRule[],
): Promise<InForce> {
  // Of this process alone: two of them can disturb the same node.
  const name = `aftershock_${process.pid}_${++number}`;
  const heal = await onAll(
    at.map(({ node, hand }) => () => {
      const rules = rulesFor(node);
      return hand.lend(name, { begin: tables(name, rules), renew: renewal(name, rules), end: removal(name, rules) });
    }),
  );
  return {
    heal,
    bitten: async () => {
      const counts = await Promise.all(
        at.flatMap(({ node, hand }) => directionsOf(rulesFor(node)).map((direction) => hand.counted(familyOf(direction), name, 'bitten'))),
      );
      return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    },
  };
}
