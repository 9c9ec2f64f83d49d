/** What becomes of packets on their way to a passage or from it, measured by numbered, stamped datagrams to (or from) its port. */
import type { Passage, Peer } from '../../../cluster/types.ts';
import type { Landed, Landing, WireHand } from '../../../cluster/wire.ts';
import { InvalidRunError } from '../../../core/errors.ts';
import { nextMark } from '../dose.ts';
import type { Direction } from '../nft.ts';

/** A passage, a hand in its namespace that lays wires, and somebody to exchange datagrams with. */
export interface WirePlace {
  readonly passage: Passage;
  readonly hand: WireHand;
  readonly peer: Peer;
}

export async function wirePlacesOf(passages: readonly Passage[]): Promise<WirePlace[]> {
  return Promise.all(
    passages.map(async (passage) => {
      const [hand, peer] = await Promise.all([passage.wire(), passage.peer()]);
      return { passage, hand, peer };
    }),
  );
}

export interface Sent {
  readonly count: number;
  readonly perSecond: number;
  /** They come this much later than usual at most, ms. */
  readonly lateMs: number;
}

/** What has arrived of so many datagrams, once no more come. */
export async function flown({ passage, hand, peer }: WirePlace, direction: Direction, { count, perSecond, lateMs }: Sent): Promise<Landed> {
  const mark = nextMark();
  const [from, to] = direction === 'in' ? [peer.flights, hand] : [hand, peer.flights];
  const landing = await to.expect(mark, direction === 'in' ? passage.port : undefined);
  try {
    const way = direction === 'in' ? { host: passage.address, port: passage.port } : { host: peer.address, port: landing.port, fromPort: passage.port };
    await from.fly({ ...way, mark, count, perSecond });
    await new Promise((resolve) => setTimeout(resolve, lateMs));
    return await settled(landing);
  } finally {
    await landing.close();
  }
}

/** The last are on their way for less than a millisecond beyond what is asked for, on a busy machine for some. */
async function settled(landing: Landing): Promise<Landed> {
  for (let last = await landing.landed(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    const now = await landing.landed();
    if (now.count === last.count) return now;
    last = now;
  }
}

const BEFORE: Sent = { count: 300, perSecond: 2_000, lateMs: 0 };

/** The median time under way before the fault, ms. Throws InvalidRunError when datagrams do not all come once, whole and in order, for then nothing could be proven. */
export async function healthyMs(place: WirePlace, direction: Direction): Promise<number> {
  const landed = await flown(place, direction, BEFORE);
  if (!isHealthy(landed, BEFORE.count))
    throw new InvalidRunError(`before the fault ${told(landed, BEFORE.count)} ${direction} at ${place.passage.name}, so the fault could not be told from it`);
  return medianOf(landed.underWayMs);
}

export function isHealthy({ count, distinct, overtaken, damaged }: Landed, sent: number): boolean {
  return count === sent && distinct === sent && overtaken.length === 0 && damaged === 0;
}

/** '300 datagrams: 12 came twice, 3 late, 1 never', for people. */
export function told({ count, distinct, overtaken, damaged }: Landed, sent: number): string {
  return `of ${sent} datagrams ${count - distinct} came again, ${overtaken.length} were overtaken, ${sent - distinct} did not come (${damaged} damaged)`;
}

export function medianOf(values: readonly number[]): number {
  return quantileOf(values, 0.5);
}

/** Not a number of none. */
export function quantileOf(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? Number.NaN;
}
