/**
 * A fault whose dose shows in what a probe meets: its targets are disturbed one by one, and every target is asked over a kept connection and over a new one, before, during and after. A fault file
 * says what is done to a target and what its probes have to see.
 */
import type { Answer, Disturbance, Prober } from '../cluster/types.ts';
import type { Prepared } from './fault.ts';
import { asBefore, type Baseline, baselineOf, onAll, openProbers, proof, tally, until } from './probing.ts';

/** How exchanges ended, one of each for every target. */
export interface Seen {
  readonly kept: readonly Answer[];
  readonly fresh: readonly Answer[];
  readonly all: readonly Answer[];
  readonly baseline: Baseline;
  /** Whether these were answered as before the fault. */
  asBefore(answers: readonly Answer[]): boolean;
}

export interface Probed<T> {
  readonly targets: readonly (T & { prober(): Promise<Prober> })[];
  /** How long a probe waits for its answer, ms. */
  readonly patienceMs: number;
  disturb(target: T): Promise<Disturbance>;
  /** What a probe has to see, in words; whether it did; and, where the kinds of answers do not say it all, what it saw. */
  readonly asked: string;
  bites(seen: Seen): boolean | Promise<boolean>;
  told?(seen: Seen): string | Promise<string>;
  /** What makes it gone beside answers as before: none of the answers can show that a process is another one. */
  readonly healed?: { readonly asked: string; holds(): Promise<boolean>; told(): Promise<string> };
}

export async function prepareProbed<T>({ targets, patienceMs, disturb, asked, bites, told, healed }: Probed<T>): Promise<Prepared> {
  const probers = await openProbers(targets);
  const baseline = await baselineOf(probers);
  const look = async (): Promise<Seen> => {
    const all = await probers.askAll(patienceMs);
    // Of each target the kept one first.
    const [kept, fresh] = [all.filter((_, index) => index % 2 === 0), all.filter((_, index) => index % 2 === 1)];
    return { kept, fresh, all, baseline, asBefore: (answers) => asBefore(answers, baseline) };
  };
  return {
    close: probers.close,
    async inject() {
      const inForce = await onAll(targets.map((target) => () => disturb(target)));
      return {
        ...inForce,
        prove: (limitMs) =>
          until(async () => {
            const seen = await look();
            const holds = await bites(seen);
            return proof(holds, asked, told ? await told(seen) : tally(seen.all));
          }, limitMs),
        proveHealed: (limitMs) =>
          until(async () => {
            const { all } = await look();
            const holds = asBefore(all, baseline) && (healed ? await healed.holds() : true);
            return proof(
              holds,
              healed ? `${healed.asked}, answers as before` : 'answers as before',
              healed ? `${await healed.told()}; ${tally(all)}` : tally(all),
            );
          }, limitMs),
      };
    },
  };
}
