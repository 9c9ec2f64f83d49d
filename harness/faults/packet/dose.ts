/**
 * What share of packets is lost on the way to a passage or from it, measured: so many datagrams are sent to (or from) its port, and a rule of the kernel's counts those that
 * arrive. The counting has a table of its own, behind every fault, so it owes nothing to the fault's own rules.
 */
import type { NetworkHand, Passage, Peer } from '../../cluster/types.ts';
import { count as countPackets } from '../counting.ts';
import type { Direction } from './nft.ts';

/** A port of a passage, a hand in its namespace, and somebody to exchange datagrams with. */
export interface Place {
  readonly passage: Pick<Passage, 'address'>;
  readonly port: number;
  readonly hand: NetworkHand;
  readonly peer: Peer;
}

let measurements = 0;

/** A number that no other measurement has: its datagrams bear it. */
export function nextMark(): number {
  return (process.pid * 65_536 + ++measurements) >>> 0;
}

/** The share of `count` datagrams that did not arrive. */
export async function lostShare({ passage, port, hand, peer }: Place, direction: Direction, count: number): Promise<number> {
  const mark = nextMark();
  const [sender, receiver] = direction === 'in' ? [peer.hand, hand] : [hand, peer.hand];
  const counting = await countPackets(receiver, [{ counter: 'come', matching: `meta l4proto udp @th,64,32 0x${mark.toString(16)}`, verdict: 'drop' }]);
  try {
    // The far end's port is of no matter on the way out: nobody listens there, and the rule takes the datagrams before anybody could be told so.
    const to = direction === 'in' ? { host: passage.address, port } : { host: peer.address, port: 9, fromPort: port };
    await sender.send({ ...to, mark, count });
    const arrived = await settled(() => counting.read('come'));
    return 1 - arrived / count;
  } finally {
    await counting.end();
  }
}

/** The count when it has stood still: the last datagrams are on their way for less than a millisecond, on a busy machine for some. */
async function settled(read: () => Promise<number | undefined>): Promise<number> {
  for (let last = await read(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = await read();
    if (now === last) return now ?? 0;
    last = now;
  }
}

/** How far a measured share may lie from the asked one: four standard deviations of a share of so many, by which one honest measurement in 16,000 is taken for a wrong dose. */
export function tolerance(share: number, count: number): number {
  return 4 * Math.sqrt((share * (1 - share)) / count);
}

/**
 * How many datagrams tell a dose from half of it: both within four standard deviations of their own, so share / 2 >= 8 x sqrt(share (1 - share) / count), count >= 256 (1 - share) / share.
 * 25,344 at 1%, 4,864 at 5%, 598 at 30%.
 */
export function datagramsFor(share: number): number {
  return Math.max(500, Math.ceil((256 * (1 - share)) / share));
}
