/**
 * What comes of a flood to the port that it is for, counted by the kernel in the network namespace of that port: a table of nftables that only counts, for packets of one address. It owes nothing to the program
 * that floods.
 */
import type { Disturbance, Passage } from '../../cluster/types.ts';
import { count } from '../counting.ts';

/** Packets from the address to the port. */
export interface Arrived {
  readonly atMs: number;
  /** That open a connection (SYN). One that was not answered comes again. */
  readonly opening: number;
  /** That close a half (FIN). */
  readonly closing: number;
  /** That bear bytes and are pushed, as each write of a few bytes is. */
  readonly bearing: number;
}

export interface Arrivals extends Disturbance {
  read(): Promise<Arrived>;
}

const COUNTERS = { opening: 'syn | ack) == syn', closing: 'fin | rst) == fin', bearing: 'psh) == psh' } as const;

/** Counts from now on what comes from `address`. Throws EnvironmentError. */
export async function countArrivals(passage: Passage, address: string): Promise<Arrivals> {
  const from = `ip saddr ${address} tcp dport ${passage.port} tcp flags`;
  const names = Object.keys(COUNTERS) as (keyof typeof COUNTERS)[];
  const counting = await count(
    await passage.network(),
    names.map((counter) => ({ counter, matching: `${from} & (${COUNTERS[counter]}` })),
  );
  return {
    undo: counting.end,
    missing: async () => {
      // In the namespace that the passage has now.
      const counted = await (await passage.network()).counted('inet', counting.table, 'opening');
      return counted === undefined ? `${passage.name} has another network namespace: the connections that it had are gone` : undefined;
    },
    read: async () => {
      const [opening = 0, closing = 0, bearing = 0] = await Promise.all(names.map((counter) => counting.read(counter)));
      return { atMs: performance.now(), opening, closing, bearing };
    },
  };
}
