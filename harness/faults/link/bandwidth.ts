/**
 * bandwidth: a link lets through only so many bytes a second.
 *
 * On the wire: Toxiproxy hands on the bytes from the far end at the rate, each connection at a rate of its own; what comes faster waits at the far end, whose writes stall once the buffers
 * between them are full. A small answer alone is as fast as ever.
 *
 * It does not: slow what goes to the far end, nor share the rate between connections, nor lose anything.
 *
 * Proof: a transfer of some known size, on a kept and on a new connection, moves at the rate that was asked for, within a quarter; before it, the same moved at twice that at least. Healed: at one and a half times
 * the rate at least, and at a quarter of what it was before.
 *
 * Needs: a far end with long answers, as caches have them, for rates above some 300KB/s: of short ones a probe cannot have enough, and the run is invalid.
 */
import type { Drawn, LinkProber } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import { type ByteRate, bytesPerSecond, formatBytes } from '../../core/units.ts';
import { byteRate } from '../fields.ts';
import { measuredLinkFault } from './kind.ts';

export interface Bandwidth {
  readonly kind: 'bandwidth';
  readonly link: string;
  readonly rate: ByteRate;
}

/** Lets each connection over the links that `link` names ('proxy-* -> mc-3') bring no more than `rate` ('100KB/s', of 1,000 bytes each) from the far end. */
export const bandwidth = (link: string, rate: ByteRate): Bandwidth => ({ kind: 'bandwidth', link, rate });

/** A transfer is to take so long: what the exchange takes by itself, a few milliseconds, is then a hundredth of it. */
const TRANSFER_MS = 500;
/** Toxiproxy waits before it hands on, to within a millisecond for each tenth of a second, and on busy cores longer. Half and twice the rate lie twice as far away. */
const TOLERANCE = 0.25;
/**
 * Of the rate before the fault, so much has to be there again. Without a limit half a second's bytes come within milliseconds, which a busy machine makes two or three times as many for one look; looks are repeated until
 * one is as fast, so that a limit is told from none where the link was more than four times as fast as it.
 */
const AS_BEFORE = 0.25;
/** What answers add up to differs by a few digits from draw to draw. */
const AS_MUCH = 0.9;

interface Transfers {
  /** Of one answer. */
  readonly length: number;
  readonly kept: Drawn;
  readonly fresh: Drawn;
}

const rateOf = ({ bytes, ms }: Drawn) => (bytes * 1_000) / ms;

async function look(prober: LinkProber, rate: number, before?: Transfers): Promise<Transfers> {
  const patienceMs = 4 * TRANSFER_MS + 4_000;
  const length = before?.length ?? (await prober.draw('kept', { count: 1, patienceMs })).bytes;
  const count = Math.max(1, Math.round((rate * TRANSFER_MS) / 1_000 / length));
  const [kept, fresh] = await Promise.all([prober.draw('kept', { count, patienceMs }), prober.draw('new', { count, patienceMs })]);
  return { length, kept, fresh };
}

const both = ({ kept, fresh }: Transfers, holds: (one: Drawn) => boolean) => [kept, fresh].every((one) => one.kind === 'answered' && holds(one));

/** Where the rate was lowered meanwhile, less is drawn than before, and an exchange by itself takes most of its time: its rate says only that the limit is gone. */
function isAsFast(now: Drawn, before: Drawn, asked: number): boolean {
  const least = now.bytes >= AS_MUCH * before.bytes ? Math.max(1.5 * asked, AS_BEFORE * rateOf(before)) : 1.5 * asked;
  return now.kind === 'answered' && rateOf(now) > least;
}

export const bandwidthKind = measuredLinkFault<Bandwidth, Transfers>({
  kind: 'bandwidth',
  summary: 'a link lets through only so many bytes a second',
  example: bandwidth('proxy-* -> mc-3', '100KB/s'),
  // Below, an answer takes longer than a proof; above, what asks is the bottleneck.
  fields: { rate: byteRate('4KB/s', '10MB/s') },
  ramps: true,
  alters: ['throughput', 'timing'],
  needs: ['throughput'],
  phrase: ({ rate }) => `bandwidth ${rate}`,
  // One answer of two kilobytes is the least that is moved.
  provingMs: ({ rate }) => TRANSFER_MS + 500 + Math.ceil(2_500_000 / bytesPerSecond(rate)),
  measured: ({ rate }) => {
    // Toxiproxy counts in whole kilobytes.
    const asked = Math.max(1_000, 1_000 * Math.round(bytesPerSecond(rate) / 1_000));
    return {
      toxic: { type: 'bandwidth', stream: 'downstream', attributes: { rate: asked / 1_000 } },
      look: (prober, before) => look(prober, asked, before),
      refuse: (before) => {
        const slowest = Math.min(rateOf(before.kept), rateOf(before.fresh));
        if (!both(before, (one) => rateOf(one) >= 2 * asked))
          throw new InvalidRunError(`a probe moved ${formatBytes(slowest)} a second before the fault, so a limit of ${rate} could not be told from it`);
      },
      asked: `${formatBytes(asked)} a second`,
      bites: (seen) => both(seen, (one) => Math.abs(rateOf(one) / asked - 1) <= TOLERANCE),
      told: (seen, before) => {
        const rates = (all: readonly Transfers[]) =>
          all.flatMap(({ kept, fresh }) => [kept, fresh]).map((one) => (one.kind === 'answered' ? formatBytes(rateOf(one)) : one.kind));
        return `${rates(seen).join(', ')} a second, ${rates(before).join(', ')} before`;
      },
      askedHealed: `more than ${formatBytes(1.5 * asked)} a second, about as before`,
      heals: (seen, { before }) => isAsFast(seen.kept, before.kept, asked) && isAsFast(seen.fresh, before.fresh, asked),
    };
  },
});
