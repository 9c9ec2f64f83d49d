/**
 * Packets counted by the kernel in a network namespace, in a table of nftables of its own that owes nothing to the rules of any fault. It is lent, so it goes when it is ended and when its
 * harness is dead: nothing of ours stays in a namespace.
 */
import type { NetworkHand } from '../cluster/types.ts';

/** What one counter counts: packets that match, as nftables has it; which go on, or not. As they come, or where a program would get them: behind every fault, so that what one drops has not come. */
export interface Counted {
  readonly counter: string;
  readonly matching: string;
  readonly verdict?: 'drop';
  readonly asTheyCome?: boolean;
}

export interface Counting {
  readonly table: string;
  /** Packets so far; undefined when the table is gone with its namespace. Throws EnvironmentError when nobody knows. */
  read(counter: string): Promise<number | undefined>;
  end(): Promise<void>;
}

let tables = 0;

/** Counts from now on. Throws EnvironmentError. */
export async function count(hand: NetworkHand, counted: readonly Counted[]): Promise<Counting> {
  const table = `aftershock_count_${process.pid}_${++tables}`;
  const end = await hand.count(table, tableOf(table, counted));
  return { table, read: (counter) => hand.counted('inet', table, counter), end };
}

function tableOf(name: string, counted: readonly Counted[]): string {
  return [
    `table inet ${name} {`,
    ...counted.map(({ counter }) => `  counter ${counter} { }`),
    ...chainOf(
      'coming',
      -300,
      counted.filter(({ asTheyCome }) => asTheyCome),
    ),
    ...chainOf(
      'arriving',
      300,
      counted.filter(({ asTheyCome }) => !asTheyCome),
    ),
    '}',
    '',
  ].join('\n');
}

function chainOf(name: string, priority: number, counted: readonly Counted[]): string[] {
  const rules = counted.map(({ counter, matching, verdict = '' }) => `    ${matching} counter name ${counter} ${verdict}`);
  return [`  chain ${name} {`, `    type filter hook input priority ${priority}; policy accept;`, ...rules, '  }'];
}
