/** What a wire does to the packets that are led through it, in words that either driver can carry out. */

export interface Effects {
  /** Every packet comes later by this, ms, give or take up to `jitterMs`, evenly distributed: those that are close together may then overtake one another. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
  /** Shares of all packets, 0 to 1. */
  readonly duplicateShare?: number;
  readonly reorderShare?: number;
  /** How much later those come that others overtake, ms. */
  readonly reorderByMs?: number;
  readonly corruptShare?: number;
}

/** What carries them out: the kernel's own netem, or a program of ours on a tun device. */
export type Driver = 'netem' | 'tun';

export const DRIVERS = ['netem', 'tun'] as const satisfies readonly Driver[];
