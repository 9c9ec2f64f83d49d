/** The driver `tun`: the program `wire` (`containers/tun/wire.c`) on a tun device for each direction, for kernels without netem. */
import type { Direction } from '../nft.ts';
import type { Effects } from './effects.ts';
import type { Ends } from './steering.ts';

/** The device is both ends of the wire: what the program reads from it, it writes back. */
export function tunEnds(number: string, direction: Direction): Ends {
  const device = `${direction}${number}`;
  return { enter: device, leave: device };
}

/** Arguments of the program. */
export function tunProgram(ends: Partial<Record<Direction, Ends>>, effects: Effects, device = 'eth0'): string[] {
  const microseconds = (ms = 0) => Math.round(ms * 1_000);
  const partsPerMillion = (share = 0) => Math.round(share * 1_000_000);
  return [
    'wire',
    ...(ends.in ? [`in=${ends.in.enter}`] : []),
    ...(ends.out ? [`out=${ends.out.enter}`] : []),
    `like=${device}`,
    `delay=${microseconds(effects.delayMs)}`,
    `jitter=${microseconds(effects.jitterMs)}`,
    `duplicate=${partsPerMillion(effects.duplicateShare)}`,
    `reorder=${partsPerMillion(effects.reorderShare)}`,
    `by=${microseconds(effects.reorderByMs)}`,
    `corrupt=${partsPerMillion(effects.corruptShare)}`,
  ];
}
