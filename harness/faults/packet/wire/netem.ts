/** The driver `netem`: a pair of virtual devices, at whose one end the kernel's own emulator of networks queues what is sent through. */
import type { Direction } from '../nft.ts';
import type { Effects } from './effects.ts';
import type { Ends } from './steering.ts';

/** More than a second of 60,000 packets/s; the kernel's own 1,000 would be a loss that nobody asked for. */
const MOST_HELD = 65_536;

export function netemEnds(number: string, direction: Direction): Ends {
  return { enter: `${direction}${number}`, leave: `x${direction}${number}` };
}

/** Commands that make a wire. What leaves it on the way in has `hardwareAddress`, the device's, so that the kernel takes it. */
export function netemWire(direction: Direction, { enter, leave }: Ends, effects: Effects, hardwareAddress: string): string[][] {
  return [
    ['ip', 'link', 'add', enter, 'type', 'veth', 'peer', 'name', leave],
    ...(direction === 'in' ? [['ip', 'link', 'set', leave, 'address', hardwareAddress]] : []),
    ...[enter, leave].map((end) => ['ip', 'link', 'set', end, 'arp', 'off', 'up']),
    ['tc', 'qdisc', 'add', 'dev', enter, 'root', 'netem', ...netemWords(effects)],
  ];
}

/** The pair goes with either of its ends, and the queue with it. */
export function netemRemoval({ enter }: Ends): string[] {
  return ['ip', 'link', 'del', enter];
}

/** Effects in tc's words (tc-netem(8)). */
export function netemWords({ delayMs = 0, jitterMs = 0, duplicateShare = 0, reorderShare = 0, reorderByMs = 0, corruptShare = 0 }: Effects): string[] {
  const microseconds = (ms: number) => `${Math.round(ms * 1_000)}us`;
  const percent = (share: number) => `${Math.round(share * 1e6) / 1e4}%`;
  return [
    'limit',
    String(MOST_HELD),
    ...(delayMs > 0 ? ['delay', microseconds(delayMs), ...(jitterMs > 0 ? [microseconds(jitterMs)] : [])] : []),
    // In its words all wait, and those that are 'reordered' do not.
    ...(reorderShare > 0 ? ['delay', microseconds(reorderByMs), 'reorder', percent(1 - reorderShare)] : []),
    ...(duplicateShare > 0 ? ['duplicate', percent(duplicateShare)] : []),
    ...(corruptShare > 0 ? ['corrupt', percent(corruptShare)] : []),
  ];
}
