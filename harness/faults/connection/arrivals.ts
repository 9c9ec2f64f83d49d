/**
 * What comes of a flood to the port that it is for, counted by the kernel in the network namespace of that port: a table of nftables that only counts, for packets of one address. It owes nothing to the program
 * that floods.
 */
import type { Disturbance, Passage } from '../../cluster/types.ts';

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

let number = 0;

/** Counts from now on what comes from `address`. Throws EnvironmentError. */
export async function countArrivals(passage: Passage, address: string): Promise<Arrivals> {
  const name = `aftershock_flood_${process.pid}_${++number}`;
  const hand = await passage.network();
  const counters = Object.keys(COUNTERS) as (keyof typeof COUNTERS)[];
  const rules = counters.map((counter) => `    ip saddr ${address} tcp dport ${passage.port} tcp flags & (${COUNTERS[counter]} counter name ${counter}`);
  const table = [
    `table inet ${name} {`,
    ...counters.map((counter) => `  counter ${counter} { }`),
    '  chain arriving {',
    // Behind every fault: what it drops has not come.
    '    type filter hook input priority 300; policy accept;',
    ...rules,
    '  }',
    '}',
    '',
  ].join('\n');
  // It only counts, so it is not lent: left behind, it goes with its namespace.
  await hand.nft(table);
  const missing = async () => {
    const counted = await (await passage.network()).counted('inet', name, 'opening');
    return counted === undefined ? `${passage.name} has another network namespace: the connections that it had are gone` : undefined;
  };
  return {
    // With the namespace the table is gone, too.
    undo: async () => {
      if ((await missing()) === undefined) await hand.nft(`add table inet ${name}\ndelete table inet ${name}\n`);
    },
    missing,
    read: async () => {
      const [opening, closing, bearing] = await Promise.all(counters.map(async (counter) => (await hand.counted('inet', name, counter)) ?? 0));
      return { atMs: performance.now(), opening: opening ?? 0, closing: closing ?? 0, bearing: bearing ?? 0 };
    },
  };
}
