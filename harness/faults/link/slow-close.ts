/**
 * slow-close: a close comes late over a link.
 *
 * On the wire: when the far end closes a connection (FIN), Toxiproxy keeps the near end's open for the delay. Whoever still uses it meanwhile writes into nothing, and waits for an answer that
 * nobody will give.
 *
 * It does not: hold back bytes, nor closes that the near end begins.
 *
 * Proof: a kept and a new connection are ended by the far end at a word (where it knows none, by us), and the end is seen after the delay, none sooner, and none a quarter (or 50 ms) later.
 *
 * Needs: a far end that closes at a word (memcached, twemproxy and HAProxy before them do), for the direction to be told.
 */
import type { Answer, LinkProber } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import { type Duration, formatMs, milliseconds } from '../../core/units.ts';
import { wholeMs } from '../fields.ts';
import { tally } from '../probing.ts';
import { measuredLinkFault } from './kind.ts';

export interface SlowClose {
  readonly kind: 'slow-close';
  readonly link: string;
  readonly delay: Duration;
}

/** Brings the closes of far ends of the links that `link` names ('proxy-* -> mc-3') later by `delay`. */
export const slowClose = (link: string, delay: Duration): SlowClose => ({ kind: 'slow-close', link, delay });

/** Two busy cores take some of these by themselves. */
const LEAST_MS = 50;
const MOST_PART = 0.25;
const MOST_MS = 50;

interface Ends {
  readonly kept: Answer;
  readonly fresh: Answer;
}

async function look(prober: LinkProber, delayMs: number): Promise<Ends> {
  const patienceMs = 2 * delayMs + 2_000;
  const [kept, fresh] = await Promise.all([prober.part('kept', patienceMs), prober.part('new', patienceMs)]);
  return { kept, fresh };
}

const both = ({ kept, fresh }: Ends, holds: (ms: number) => boolean) => [kept, fresh].every((one) => one.kind === 'closed' && holds(one.ms));

export const slowCloseKind = measuredLinkFault<SlowClose, Ends>({
  kind: 'slow-close',
  summary: 'a close comes late over a link',
  example: slowClose('proxy-* -> mc-3', '5s'),
  fields: { delay: wholeMs(LEAST_MS, 60_000) },
  alters: ['connects'],
  phrase: ({ delay }) => `slow-close ${delay}`,
  provingMs: ({ delay }) => milliseconds(delay) + 500,
  measured: ({ delay }) => {
    const delayMs = milliseconds(delay);
    return {
      toxic: { type: 'slow_close', stream: 'downstream', attributes: { delay: delayMs } },
      look: (prober) => look(prober, delayMs),
      refuse: (before) => {
        if (!both(before, (ms) => ms < delayMs / 2))
          throw new InvalidRunError(
            `closes took ${formatMs(before.kept.ms)} and ${formatMs(before.fresh.ms)} before the fault, so ${delay} could not be told from it`,
          );
      },
      asked: `each close ${formatMs(delayMs)} later`,
      bites: (seen) => both(seen, (ms) => ms >= delayMs - 1 && ms <= delayMs + Math.max(MOST_MS, delayMs * MOST_PART)),
      told: (seen, before) => {
        const ends = (all: readonly Ends[]) => all.flatMap(({ kept, fresh }) => [kept, fresh]);
        return `${tally(ends(seen))} after ${ends(seen)
          .map(({ ms }) => formatMs(ms))
          .join(', ')}; ${ends(before)
          .map(({ ms }) => formatMs(ms))
          .join(', ')} before`;
      },
      askedHealed: 'no close late',
      heals: (seen) => both(seen, (ms) => ms < delayMs / 2),
    };
  },
});
