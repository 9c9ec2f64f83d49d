/**
 * A fault of links whose dose takes more than an exchange to see: many exchanges, a long answer, a close. Each link is looked at in the same way before, during and after, over connections that
 * were there before the fault and over new ones. A fault file says which toxic it is, how to look, and what has to be seen.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Toxic } from '../../cluster/toxiproxy.ts';
import type { Disturbance, Link, LinkProber } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import type { Prepared } from '../fault.ts';
import { asBefore, type Baseline, baselineOf, onAll, openProbers, PATIENCE_MS, proof, tally, until } from '../probing.ts';

/** A step prepares its fault a second before its moment; what is left of that after the first exchanges is for looking again. */
const QUIET_LIMIT_MS = 600;
const BETWEEN_LOOKS_MS = 50;

/** S is what a look at one link sees. */
export interface Measured<S> {
  readonly toxic: Toxic;
  /** `before` is what was seen without the fault; undefined then. */
  look(prober: LinkProber, before?: S): Promise<S>;
  /** Throws InvalidRunError where the fault could not be told from what is normal on a link. */
  refuse?(before: S): void;
  /** What has to be seen, in words; whether it was on a link; and what was seen on all. */
  readonly asked: string;
  bites(seen: S, normal: Normal<S>): boolean;
  told(seen: readonly S[], before: readonly S[]): string;
  /** The same of its end, beside answers as before. */
  readonly askedHealed: string;
  heals(seen: S, normal: Normal<S>): boolean;
}

export interface Normal<S> {
  readonly before: S;
  readonly baseline: Baseline;
}

export async function prepareMeasured<F, S>(links: readonly Link[], fault: F, measured: (fault: F) => Measured<S>): Promise<Prepared> {
  let asked = measured(fault);
  const probers = await Promise.all(links.map((link) => link.prober()));
  const exchanges = await openProbers(probers.map((prober) => ({ prober: async () => prober })));
  const baseline = await baselineOf(exchanges);
  const before = await Promise.all(probers.map((prober) => untilQuiet(() => asked.look(prober), asked.refuse)));
  const looks = () => Promise.all(probers.map((prober, index) => asked.look(prober, before[index])));
  const holdsOnAll = (seen: readonly S[], holds: (seen: S, normal: Normal<S>) => boolean) =>
    seen.every((one, index) => holds(one, { before: before[index] as S, baseline }));
  return {
    close: exchanges.close,
    async inject() {
      const toxics: Disturbance[] = [];
      const inForce = await onAll(
        links.map((link) => async () => {
          const one = await link.poison(asked.toxic);
          toxics.push(one);
          return one;
        }),
      );
      return {
        ...inForce,
        change: async (to) => {
          const next = measured(to as F);
          await Promise.all(toxics.map((one) => one.change?.(next.toxic)));
          asked = next;
        },
        // A look at a share makes hundreds of connections, each of which keeps its port for a minute: one after the other without a pause, they would run out.
        prove: (limitMs) =>
          until(
            async () => {
              const seen = await looks();
              return proof(holdsOnAll(seen, asked.bites), asked.asked, asked.told(seen, before));
            },
            limitMs,
            'as long as looks',
          ),
        proveHealed: (limitMs) =>
          until(
            async () => {
              const seen = await looks();
              const answers = await exchanges.askAll(PATIENCE_MS);
              const holds = holdsOnAll(seen, asked.heals) && asBefore(answers, baseline);
              return proof(holds, `${asked.askedHealed}, answers as before`, `${asked.told(seen, before)}; ${tally(answers)}`);
            },
            limitMs,
            'as long as looks',
          ),
      };
    },
  };
}

/**
 * What is normal on a link, from the first look that does not refuse. A machine whose processors are elsewhere for some tens of milliseconds makes every exchange of one look slow and says
 * nothing of the link; a link that is slow by itself is slow in each. Throws what the last look was refused for when `limitMs` are over.
 */
export async function untilQuiet<S>(look: () => Promise<S>, refuse: ((seen: S) => void) | undefined, limitMs = QUIET_LIMIT_MS): Promise<S> {
  const limit = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    try {
      refuse?.(seen);
      return seen;
    } catch (refusal) {
      if (!(refusal instanceof InvalidRunError) || performance.now() >= limit) throw refusal;
      await sleep(BETWEEN_LOOKS_MS);
    }
  }
}
