/**
 * latency: every answer over a link comes later.
 *
 * On the wire: Toxiproxy holds each chunk of bytes from the far end for the delay. It does not touch the TCP
 * handshake, and it does not slow requests on their way out. Proof: exchanges on a kept and on a new connection take
 * at least the delay longer than before, and at most a quarter (or 50 ms, where that is more) beyond it.
 */
import { z } from 'zod';
import { matchingLinks } from '../core/names.ts';
import { type Duration, formatMs, milliseconds } from '../core/units.ts';
import type { FaultKind } from './fault.ts';
import { atLeastMs, linkTarget } from './fields.ts';
import { answeredMs, baselineOf, fastEnough, healAll, median, openProbers, proof, until } from './probing.ts';

export interface Latency {
  readonly kind: 'latency';
  readonly link: string;
  readonly delay: Duration;
}

/** Delays each answer over the links that `link` names ('proxy-* -> mc-3') by `delay`. */
export const latency = (link: string, delay: Duration): Latency => ({ kind: 'latency', link, delay });

/** Above the delay, a probe may take a quarter longer or 50 ms, whichever is more: two busy cores add tens of milliseconds. */
const TOLERANCE_SHARE = 0.25;
const TOLERANCE_MS = 50;

export const latencyKind: FaultKind<Latency> = {
  kind: 'latency',
  summary: 'answers over a link come later',
  schema: z.strictObject({ kind: z.literal('latency'), link: linkTarget, delay: atLeastMs(1, 60_000) }) as z.ZodType<Latency>,
  target: (fault) => ({ kind: 'link', pattern: fault.link }),
  describe: (fault) => `latency ${fault.delay} on ${fault.link}`,
  excludes: ['silence', 'down'],
  affects: (fault, cluster) => [...new Set(matchingLinks(fault.link, cluster.links).map((link) => link.to))],

  async prepare(fault, cluster) {
    const delayMs = milliseconds(fault.delay);
    const links = matchingLinks(fault.link, cluster.links);
    const probers = await openProbers(links);
    const baseline = await baselineOf(probers);
    const patienceMs = delayMs * 2 + 2_000;
    const asked = `each answer ${formatMs(delayMs)} later`;
    return {
      close: probers.close,
      async inject() {
        const heals = await Promise.all(
          links.map((link) => link.poison({ type: 'latency', stream: 'downstream', attributes: { latency: delayMs, jitter: 0 } })),
        );
        return {
          heal: () => healAll(heals),
          prove: () =>
            until(async () => {
              const answers = await probers.askAll(patienceMs);
              const added = answeredMs(answers).map((ms) => ms - baseline.medianMs);
              const holds =
                added.length === answers.length && added.every((ms) => ms >= delayMs - 1 && ms <= delayMs + Math.max(TOLERANCE_MS, delayMs * TOLERANCE_SHARE));
              return proof(
                holds,
                asked,
                `+${formatMs(median(added))} (${added.length} of ${answers.length} probes answered; ${formatMs(baseline.medianMs)} before)`,
              );
            }),
          proveHealed: () =>
            until(async () => {
              const answers = await probers.askAll(patienceMs);
              const ms = answeredMs(answers);
              return proof(
                ms.length === answers.length && fastEnough(ms, baseline),
                'answers as before',
                `${formatMs(median(ms))} (${formatMs(baseline.medianMs)} before)`,
              );
            }),
        };
      },
    };
  },
};
