/**
 * latency: every answer over a link comes later.
 *
 * On the wire: Toxiproxy holds each chunk of bytes from the far end for the delay.
 *
 * It does not: touch the TCP handshake, nor slow requests on their way out.
 *
 * Proof: exchanges on a kept and on a new connection take the delay longer than before, no answer sooner, and none a quarter (or 50 ms) longer.
 */
import { type Duration, formatMs, milliseconds } from '../../core/units.ts';
import { wholeMs } from '../fields.ts';
import { answeredMs, type Baseline, median } from '../probing.ts';
import { linkFault } from './kind.ts';

export interface Latency {
  readonly kind: 'latency';
  readonly link: string;
  readonly delay: Duration;
}

/** Delays each answer over the links that `link` names ('proxy-* -> mc-3') by `delay`. */
export const latency = (link: string, delay: Duration): Latency => ({ kind: 'latency', link, delay });

/**
 * What counts as the delay that was asked for. No answer may come sooner than the delay after its question (a millisecond is left for
 * the clocks' rounding). Above what it took before, the median must lie at three quarters of the delay at least, so that half a dose is never taken
 * for a whole one where an exchange by itself takes as long; and no answer may take a quarter longer, or 50 ms where that is more: two busy
 * cores add tens of milliseconds.
 */
const LEAST_SHARE = 0.75;
const MOST_SHARE = 0.25;
const MOST_MS = 50;

function isDose(ms: readonly number[], delayMs: number, { medianMs: baselineMs, maxMs }: Baseline): boolean {
  // Where an exchange took as long by itself before the fault, its length says nothing of the fault.
  if (maxMs >= delayMs) return false;
  const mostMs = delayMs + baselineMs + Math.max(MOST_MS, delayMs * MOST_SHARE);
  return ms.every((one) => one >= delayMs - 1 && one <= mostMs) && median(ms) - baselineMs >= delayMs * LEAST_SHARE;
}

export const latencyKind = linkFault<Latency>({
  kind: 'latency',
  summary: 'answers over a link come later',
  example: latency('proxy-* -> mc-3', '1s'),
  fields: { delay: wholeMs(5, 60_000) },
  alters: ['timing'],
  phrase: (fault) => `latency ${fault.delay}`,
  provingMs: (fault) => milliseconds(fault.delay) + 500,
  probed: (fault) => {
    const delayMs = milliseconds(fault.delay);
    return {
      patienceMs: delayMs * 2 + 2_000,
      disturb: (link) => link.poison({ type: 'latency', stream: 'downstream', attributes: { latency: delayMs, jitter: 0 } }),
      asked: `each answer ${formatMs(delayMs)} later`,
      bites: ({ all, baseline }) => {
        const ms = answeredMs(all);
        return ms.length === all.length && isDose(ms, delayMs, baseline);
      },
      told: ({ all, baseline }) => {
        const ms = answeredMs(all);
        return `answers after ${formatMs(median(ms))}, ${formatMs(baseline.medianMs)} before (${ms.length} of ${all.length} probes answered)`;
      },
    };
  },
});
