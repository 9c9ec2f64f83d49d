/** Rules of a fault in a network namespace: put in force, looked for, and taken out again. */
import type { Disturbance, NetworkHand, Passage } from '../../cluster/types.ts';
import { directionsOf, familyOf, type PacketRule, removal, renewal, tables } from './nft.ts';

export interface InForce extends Disturbance {
  /** Packets that the rules have bitten. */
  bitten(): Promise<number>;
}

let number = 0;

/** `hand` is the passage's own, made before the fault since that takes some tenths of a second. */
export async function putInForce(passage: Passage, hand: NetworkHand, rules: readonly PacketRule[]): Promise<InForce> {
  // Of this process alone: two of them can disturb the same passage.
  const name = `aftershock_${process.pid}_${++number}`;
  const undo = await hand.lend(name, { begin: tables(name, rules), renew: renewal(name, rules), end: removal(name, rules) });
  return {
    undo,
    missing: () => missingAt(passage, name, rules),
    bitten: async () => {
      const counts = await Promise.all(directionsOf(rules).map((direction) => hand.counted(familyOf(direction), name, 'bitten')));
      return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    },
  };
}

/** Looked for in the namespace that a node has now, which need not be the one that it had. */
async function missingAt(passage: Passage, name: string, rules: readonly PacketRule[]): Promise<string | undefined> {
  const hand = await passage.network();
  for (const direction of directionsOf(rules)) {
    const held = await hand.elements(familyOf(direction), name, 'lease');
    if (held === undefined) return `the rules are gone from the network namespace of ${passage.name}`;
    if (held === 0) return `the lease of the rules at ${passage.name} has run out`;
  }
  return undefined;
}

/** Packets that several have bitten. */
export async function bittenBy(inForce: readonly InForce[]): Promise<number> {
  return (await Promise.all(inForce.map((one) => one.bitten()))).reduce((sum, count) => sum + count, 0);
}
