/** Rules of a fault in a network namespace: put in force, changed, looked for, and taken out again. */
import type { Disturbance, NetworkHand } from '../../cluster/types.ts';
import { EnvironmentError } from '../../core/errors.ts';
import type { Aim } from './aims.ts';
import { removedByAnother, toldWhenEnded } from './gone.ts';
import { type CounterName, directionsOf, familyOf, type PacketRule, removal, renewal, replacement, tables } from './nft.ts';

export interface InForce extends Disturbance {
  /** Puts other rules of the same directions in their place, without a moment without any. */
  replace(rules: readonly PacketRule[]): Promise<void>;
  /** Packets that the rules have bitten, or what else they count. */
  counted(counter?: CounterName): Promise<number>;
}

let number = 0;

export async function putInForce(aim: Aim, rules: readonly PacketRule[]): Promise<InForce> {
  // Of this process alone: two of them can disturb the same passage.
  const name = `aftershock_${process.pid}_${++number}`;
  const { hand } = aim;
  const giveBack = await hand.lend(name, { begin: tables(name, rules), renew: renewal(name, rules), end: removal(name, rules) });
  let laid = await rulesAt(hand, name, rules);
  return {
    undo: () => giveBack().catch((thrown: unknown) => removedByAnother(thrown, hand, () => aim.passage.network(), removal(name, rules))),
    replace: async (other) => {
      await hand.nft(replacement(name, other));
      laid = await rulesAt(hand, name, rules);
    },
    missing: () => missingAt(aim, name, rules, laid).catch(toldWhenEnded),
    counted: async (counter = 'bitten') => {
      const counts = await Promise.all(directionsOf(rules).map((direction) => hand.counted(familyOf(direction), name, counter)));
      return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    },
  };
}

/** Looked for in the namespace that a node has now, which need not be the one that it had. */
async function missingAt({ passage, peer }: Aim, name: string, rules: readonly PacketRule[], laid: string): Promise<string | undefined> {
  const hand = await passage.network();
  for (const direction of directionsOf(rules)) {
    const held = await hand.elements(familyOf(direction), name, 'lease');
    if (held === undefined) return `the rules are gone from the network namespace of ${passage.name}`;
    if (held === 0) return `the lease of the rules at ${passage.name} has run out`;
  }
  if ((await rulesAt(hand, name, rules)) !== laid) return `the rules at ${passage.name} are others by now`;
  const moved = peer && rules.some((rule) => rule.peer !== peer.address);
  return moved ? `${peer.name} has another address than the rules at ${passage.name} name` : undefined;
}

/** The tables of a fault, as they can be compared with what they were. */
async function rulesAt(hand: NetworkHand, name: string, rules: readonly PacketRule[]): Promise<string> {
  return (await Promise.all(directionsOf(rules).map((direction) => hand.rules(familyOf(direction), name)))).join('\n');
}

/** Packets that several have bitten. */
export async function bittenBy(inForce: readonly InForce[]): Promise<number> {
  return (await Promise.all(inForce.map((one) => one.counted()))).reduce((sum, count) => sum + count, 0);
}

/** Throws EnvironmentError for a fault that cannot be changed into this one. */
export function refuseOther(from: object, to: object, changeable: string): void {
  const rest = (fault: object) =>
    JSON.stringify(
      Object.entries(fault)
        .filter(([key]) => key !== changeable)
        .toSorted(),
    );
  if (rest(from) !== rest(to)) throw new EnvironmentError(`nothing but its ${changeable} can be changed while it is in force`);
}
