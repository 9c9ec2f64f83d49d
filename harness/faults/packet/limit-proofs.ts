/**
 * How a limit on connections is measured: probes open more than it allows, from two addresses where there are two, and what gets through is counted: behind the rule as it comes in, or as sockets
 * that stand. So it does not matter how much of the allowance others take at the same moment.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Calls, Dialled } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import { count as countPackets } from '../counting.ts';
import type { Injected, Prepared } from '../fault.ts';
import { onAll, PATIENCE_MS, proof, until } from '../probing.ts';
import { type Aim, aimed, type View } from './aims.ts';
import { type InForce, putInForce } from './in-force.ts';
import { OPENING, type PacketRule } from './nft.ts';

interface Limited {
  readonly aims: readonly Aim[];
  readonly per: 'all' | 'source';
  readonly over: 'drop' | 'reset';
  readonly rules: (narrowed: { port: number; peer?: string }) => readonly PacketRule[];
}

/** Those who dial one target, together. */
interface Dialling {
  readonly aim: Aim;
  readonly views: readonly View[];
  readonly spared: readonly View[];
}

/** Opened 2.5 times as fast as allowed, so that even twice the rate would leave some over. */
const HASTE = 2.5;
const MEASURED_CONNECTIONS = 20;
const LEAST_WINDOW_MS = 400;
const MOST_WINDOW_MS = 5_000;
/** Half the rate and twice the rate lie at 0.5 and 2; the clocks of two readings, 20 ms apart from what they read at worst, and one connection more or less make 10% of 20. */
const RATE_BAND = [0.75, 1.4] as const;
/** So many times what is allowed have to come in that time, or a limit twice as high would not have shown: a busy machine may not dial as fast as it was told to. */
const LEAST_HASTE = 1.9;
/** Sockets are counted while others open and close some: half and twice the count lie at 0.5 and 2. */
const COUNT_TOLERANCE = 0.2;

export async function prepareRate({ rate, burst, ...limited }: Limited & { readonly rate: number; readonly burst: number }): Promise<Omit<Prepared, 'close'>> {
  const { per } = limited;
  const windowMs = Math.min(MOST_WINDOW_MS, Math.max(LEAST_WINDOW_MS, (MEASURED_CONNECTIONS * 1_000) / rate));
  // The bucket is emptied at once, and is empty when the last of those has come.
  const emptyingMs = 50 + burst / 5;
  const callsOf = (views: number): Calls => {
    const each = per === 'source' ? 1 : 1 / views;
    const atOnce = Math.ceil((burst + 2) * each);
    const perSecond = HASTE * rate * each;
    return { atOnce, perSecond, count: atOnce + Math.ceil((perSecond * (windowMs + emptyingMs + 100)) / 1_000), patienceMs: PATIENCE_MS, held: false };
  };
  /** How many a second come through to one target, for each source or for all, and how the probes fared. */
  const measure = async ({ aim, views, spared }: Dialling) => {
    const matching = `tcp dport ${aim.port} ${OPENING}`;
    const froms = per === 'source' ? views.map(({ place }) => place.peer.address) : [aim.peer?.address];
    const each = froms.map((from) => (from === undefined ? matching : `ip saddr ${from} ${matching}`));
    const counting = await countPackets(
      aim.hand,
      each.flatMap((matched, index) => [
        { counter: `offered${index}`, matching: matched, asTheyCome: true },
        { counter: `come${index}`, matching: matched },
      ]),
    );
    const counts = (counter: string) => Promise.all(each.map(async (_, index) => (await counting.read(`${counter}${index}`)) ?? 0));
    try {
      const read = async () => ({ at: performance.now(), come: await counts('come'), offered: await counts('offered') });
      const dialling = dialAll(views, callsOf(views.length));
      // All along: a limit that was for everybody would let through four tenths of them, all eight once in 1,500 times.
      const others = dialAll(spared, { count: 8, atOnce: 0, perSecond: 8_000 / windowMs, patienceMs: PATIENCE_MS, held: false });
      await sleep(emptyingMs);
      const first = await read();
      await sleep(windowMs);
      const last = await read();
      const perSecond = (what: 'come' | 'offered') => last[what].map((one, index) => ((one - (first[what][index] as number)) * 1_000) / (last.at - first.at));
      return { rates: perSecond('come'), offered: perSecond('offered'), dialled: await dialling, others: await others };
    } finally {
      await counting.end();
    }
  };
  return prepareLimit(limited, measure, {
    asked: `${rate} new connections a second${per === 'source' ? ' for each source' : ''}`,
    allowed: ({ rates, offered }) =>
      rates.every((one) => one >= rate * RATE_BAND[0] && one <= rate * RATE_BAND[1]) && offered.every((one) => one >= rate * LEAST_HASTE),
    told: ({ rates, offered }) => `of ${wholes(offered)} a second that came ${wholes(rates)} were let through`,
  });
}

export async function prepareCount({ count, ...limited }: Limited & { readonly count: number }): Promise<Omit<Prepared, 'close'>> {
  const { aims, per } = limited;
  const before = new Map<Aim, ReadonlySet<string>>();
  const callsOf = (views: number): Calls => {
    const tries = Math.ceil((1.5 * count) / (per === 'source' ? 1 : views)) + 2;
    // Some at a time: the kernel forgets a few of those that have ended at each that comes.
    return { count: tries, atOnce: Math.min(tries, 10), perSecond: 2_000, patienceMs: PATIENCE_MS, held: true };
  };
  /** How many stand at one target, for each source or in all, that were not there before, and how the probes fared. */
  const measure = async ({ aim, views, spared }: Dialling) => {
    const dialled = await dialAll(views, callsOf(views.length));
    // While all that is allowed is taken: a limit that was for everybody would leave them nothing.
    const others = await dialAll(spared, { count: 2, atOnce: 2, perSecond: 1, patienceMs: PATIENCE_MS, held: false });
    const standing = (await aim.hand.farEnds(aim.port)).filter((far) => !before.get(aim)?.has(far));
    await Promise.all(views.map(({ prober }) => prober.hangUp()));
    const from = (address: string) => standing.filter((far) => far.startsWith(`${address}:`)).length;
    const all = aim.peer === undefined ? standing.length : from(aim.peer.address);
    return { standing: per === 'source' ? views.map(({ place }) => from(place.peer.address)) : [all], dialled, others };
  };
  return prepareLimit(limited, measure, {
    asked: `${count} connections at once${per === 'source' ? ' for each source' : ''}`,
    allowed: ({ standing }) => standing.every((one) => Math.abs(one - count) <= Math.floor(count * COUNT_TOLERANCE)),
    told: ({ standing }) => `${standing.join(' and ')} stood`,
    beforeInjection: async () => {
      for (const aim of aims) before.set(aim, new Set(await aim.hand.farEnds(aim.port)));
    },
  });
}

interface Fared {
  readonly dialled: readonly Dialled[];
  readonly others: readonly Dialled[];
}

interface Judged<M> {
  readonly asked: string;
  readonly allowed: (measured: M) => boolean;
  readonly told: (measured: M) => string;
  readonly beforeInjection?: () => Promise<void>;
}

/** Before, during and after: the same calls, of which all are made but while the limit is in force. */
async function prepareLimit<M extends Fared>(
  { aims, per, over, rules }: Limited,
  measure: (dialling: Dialling) => Promise<M>,
  { asked, allowed, told, beforeInjection }: Judged<M>,
): Promise<Omit<Prepared, 'close'>> {
  const diallings = aims.map((aim) => ({ aim, views: aim.alsoMeets ? [aim.meets, aim.alsoMeets] : [aim.meets], spared: aim.spared }));
  const all = ({ dialled, others }: Fared) => [...dialled, ...others];
  for (const measured of await Promise.all(diallings.map(measure))) {
    const lost = sum(all(measured), (one) => one.refused + one.silent);
    if (lost > 0) throw new InvalidRunError(`${lost} of the probes' connections were not made before the fault, so the fault could not be told from it`);
  }
  /** Those over the limit end as was asked, and no other way; each source has met it where each has one of its own. */
  const endAsAsked = ({ dialled, others }: Fared) => {
    const [bitten, never] = over === 'drop' ? (['silent', 'refused'] as const) : (['refused', 'silent'] as const);
    const met = per === 'source' ? dialled.every((one) => one[bitten] > 0) : sum(dialled, (one) => one[bitten]) > 0;
    return met && dialled.every((one) => one[never] === 0) && others.every((one) => one.refused + one.silent === 0);
  };
  return {
    async inject() {
      await beforeInjection?.();
      const inForce: InForce[] = [];
      const injected = await onAll(
        aims.map((aim) => async () => {
          const one = await putInForce(aim, rules(aimed(aim)));
          inForce.push(one);
          return one;
        }),
      );
      const byRules = async () => {
        const counts = await Promise.all(inForce.map(async (one) => [await one.counted('passed'), await one.counted('bitten')] as const));
        return `${sum(counts, ([passed]) => passed)} passed and ${sum(counts, ([, bitten]) => bitten)} stopped by the rule's counters`;
      };
      const look = (judge: (measured: M) => boolean, what: string, more: () => Promise<string>): Injected['prove'] => {
        return (limitMs) =>
          until(async () => {
            const measured = await Promise.all(diallings.map(measure));
            const fared = measured.flatMap(all);
            const [made, refused, silent] = (['made', 'refused', 'silent'] as const).map((end) => sum(fared, (one) => one[end]));
            const said = `${measured.map(told).join('; ')}; of the probes' connections ${made} made, ${refused} refused, ${silent} silent`;
            return proof(measured.every(judge), what, `${said}${await more()}`);
          }, limitMs);
      };
      return {
        ...injected,
        prove: look(
          (measured) => allowed(measured) && endAsAsked(measured),
          `${asked}, what is over ${over === 'drop' ? 'silent' : 'refused'}`,
          async () => `; ${await byRules()}`,
        ),
        proveHealed: look(
          (measured) => all(measured).every((one) => one.refused + one.silent === 0),
          'every connection made',
          async () => '',
        ),
      };
    },
  };
}

function wholes(rates: readonly number[]): string {
  return rates.map((one) => Math.round(one)).join(' and ');
}

function dialAll(views: readonly View[], calls: Calls): Promise<Dialled[]> {
  return Promise.all(views.map(({ prober }) => prober.dial(calls)));
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
