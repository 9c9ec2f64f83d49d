/**
 * A fault whose dose shows in what becomes of connections: asked over a kept one and over many new ones, by who should meet it, and as before by who should not.
 *
 * Many, because half a dose can look like a whole one to a few: a rule that bites only every other packet lets 20 new connections meet it all with 1 in 2^20, and at 300 ms a look there are
 * 33 looks before a proof gives up.
 */
import type { Answer } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import type { Prepared } from '../fault.ts';
import { median, onAll, PATIENCE_MS, proof, tally, until } from '../probing.ts';
import { type Aim, aimed, type View } from './aims.ts';
import { bittenBy, type InForce, putInForce } from './in-force.ts';
import type { PacketRule } from './nft.ts';

const NEW_CONNECTIONS = 20;
const SPARED_CONNECTIONS = 3;
const BASELINE_LOOKS = 5;
const BASELINE_PATIENCE_MS = 2_000;
/** A lost packet is sent again after 200 ms at the earliest, so that what is answered within half of that has lost none; 20 connections at once on two busy cores take some tens. */
const UNTOUCHED_MS = 100;

export interface Met {
  readonly kept: readonly Answer[];
  readonly fresh: readonly Answer[];
  /** Whether these were answered as before the fault. */
  asBefore(answers: readonly Answer[]): boolean;
}

/** What is measured beside exchanges: begun before them, read after. */
export type Witness = (aim: Aim) => Promise<() => Promise<{ readonly holds: boolean; readonly told: string }>>;

export interface RulesByProbes {
  readonly rules: (narrowed: Pick<PacketRule, 'port' | 'peer'>) => readonly PacketRule[];
  /** What a probe has to see, in words, and whether it did. */
  readonly asked: string;
  readonly bites: (met: Met) => boolean;
  readonly witness?: Witness;
}

export async function prepareByProbes(aims: readonly Aim[], { rules, asked, bites, witness }: RulesByProbes): Promise<Omit<Prepared, 'close'>> {
  const met = aims.map(({ meets }) => meets);
  const spared = aims.flatMap((aim) => aim.spared);
  const look = async (patienceMs: number) => {
    const [meeting, others] = await Promise.all([
      Promise.all(met.map((view) => exchanges(view, NEW_CONNECTIONS, patienceMs))),
      Promise.all(spared.map((view) => exchanges(view, SPARED_CONNECTIONS, patienceMs))),
    ]);
    const kept = meeting.flatMap((one) => one.kept);
    const fresh = meeting.flatMap((one) => one.fresh);
    const bystanders = others.flatMap((one) => [...one.kept, ...one.fresh]);
    return { kept, fresh, bystanders, all: [...kept, ...fresh, ...bystanders] };
  };
  const mostMs = await normalMs(async () => (await look(BASELINE_PATIENCE_MS)).all);
  const asBefore = (answers: readonly Answer[]) => answers.every((answer) => answer.kind === 'answered' && answer.ms <= mostMs);
  const tellOthers = (bystanders: readonly Answer[]) => (spared.length === 0 ? '' : `; what it is not for: ${tally(bystanders)}`);

  return {
    async inject() {
      const inForce: InForce[] = [];
      const all = await onAll(
        aims.map((aim) => async () => {
          const one = await putInForce(aim, rules(aimed(aim)));
          inForce.push(one);
          return one;
        }),
      );
      return {
        ...all,
        prove: (limitMs) =>
          until(async () => {
            const witnesses = await Promise.all(aims.map((aim) => witness?.(aim)));
            const { kept, fresh, bystanders } = await look(PATIENCE_MS);
            const testified = (await Promise.all(witnesses.map((read) => read?.()))).filter((one) => one !== undefined);
            const bitten = await bittenBy(inForce);
            const holds = bites({ kept, fresh, asBefore }) && bitten > 0 && asBefore(bystanders) && testified.every((one) => one.holds);
            const told = testified.map((one) => `${one.told}; `).join('');
            const exchanged = `${kept.length > 0 ? `kept connections: ${tally(kept)}; ` : ''}new ones: ${tally(fresh)}${tellOthers(bystanders)}`;
            return proof(holds, asked, `${exchanged}; ${told}${bitten} packets by the rule's counter`);
          }, limitMs),
        proveHealed: (limitMs) =>
          until(async () => {
            const { all } = await look(PATIENCE_MS);
            return proof(asBefore(all), 'answers as before', tally(all));
          }, limitMs),
      };
    },
  };
}

async function exchanges({ prober, speaks }: View, count: number, patienceMs: number): Promise<{ kept: Answer[]; fresh: Answer[] }> {
  const asking = Array.from({ length: count }, () => prober.ask('new', patienceMs));
  const kept = speaks ? [await prober.ask('kept', patienceMs)] : [];
  return { kept, fresh: await Promise.all(asking) };
}

/** The longest that an exchange may take to count as untouched. Throws InvalidRunError when one is not answered, for then nothing could be proven. */
async function normalMs(look: () => Promise<Answer[]>): Promise<number> {
  const all: number[] = [];
  for (let looks = 0; looks < BASELINE_LOOKS; looks++) {
    for (const { kind, ms } of await look()) {
      if (kind !== 'answered') throw new InvalidRunError(`a probe was ${kind} before the fault, so the fault could not be told from it`);
      all.push(ms);
    }
  }
  return Math.max(UNTOUCHED_MS, 3 * median(all), ...all);
}
