/**
 * slicer: what comes over a link comes in small pieces.
 *
 * On the wire: what Toxiproxy reads from the far end at once it cuts in two until no piece is longer than the average and the spread, and it waits the delay after each: an answer of 2,000 bytes
 * in pieces of 100 takes 20 delays or more. The pieces are between half the average and the average long, or by as much as the spread shorter or longer.
 *
 * It does not: cut what goes to the far end, nor what is no longer than a piece, which waits all the same.
 *
 * Proof: a long answer over a kept and over a new connection comes in as many pieces as that cutting makes of it, within a quarter, and takes as many delays. A far end without a long answer
 * of its own is asked many short ones at once.
 *
 * Needs: nothing but the Toxiproxy that each link goes through, and a far end that answers a probe.
 */

import { z } from 'zod';
import type { Drawn, LinkProber } from '../../cluster/types.ts';
import { type Duration, formatMs, milliseconds } from '../../core/units.ts';
import { wholeMs } from '../fields.ts';
import { measuredLinkFault } from './kind.ts';

export interface Slicer {
  readonly kind: 'slicer';
  readonly link: string;
  readonly averageBytes: number;
  readonly spread: number;
  readonly delay: Duration;
}

/** Cuts what comes over the links that `link` names ('edge -> proxy-1') into pieces of `averageBytes`, by up to `spread` (none when left out) shorter or longer, each `delay` (1ms) after the last. */
export const slicer = (link: string, options: { readonly averageBytes: number; readonly spread?: number; readonly delay?: Duration }): Slicer => ({
  kind: 'slicer',
  link,
  averageBytes: options.averageBytes,
  spread: options.spread ?? 0,
  delay: options.delay ?? '1ms',
});

/** Of two kilobytes there are then four pieces at least, and half the dose makes half of them. */
const MOST_BYTES = 500;
const LEAST_BYTES = 16;
/** What a row of short answers adds up to about: at 16 bytes each. */
const SHORT_ANSWERS = 125;
const LONG_BYTES = 2_400;
const TOLERANCE = 0.25;
/** Toxiproxy's timers fire to within a millisecond; two busy cores wake it late. */
const LATE_MS = 3;

interface Drawings {
  readonly kept: Drawn;
  readonly fresh: Drawn;
}

/** How many pieces are made of so many bytes at once: each is cut in two, at the middle give or take the spread, until it is short enough. */
export function piecesOf(bytes: number, averageBytes: number, spread: number, random: () => number = Math.random): number {
  if (bytes - averageBytes <= spread) return 1;
  const middle = Math.floor(bytes / 2) + (spread > 0 ? Math.floor(random() * spread * 2) - spread : 0);
  return piecesOf(middle, averageBytes, spread, random) + piecesOf(bytes - middle, averageBytes, spread, random);
}

/** The same on average: the spread makes it differ from one time to the next. */
function expectedPieces(bytes: number, averageBytes: number, spread: number): number {
  const times = spread > 0 ? 200 : 1;
  let sum = 0;
  for (let i = 0; i < times; i++) sum += piecesOf(bytes, averageBytes, spread);
  return sum / times;
}

async function look(prober: LinkProber, patienceMs: number): Promise<Drawings> {
  const row = { count: prober.drawsWhole ? 1 : SHORT_ANSWERS, patienceMs };
  const [kept, fresh] = await Promise.all([prober.draw('kept', row), prober.draw('new', row)]);
  return { kept, fresh };
}

const lists = ({ kept, fresh }: Drawings) => [kept, fresh];

export const slicerKind = measuredLinkFault<Slicer, Drawings>({
  kind: 'slicer',
  summary: 'what comes over a link comes in small pieces',
  example: slicer('edge -> proxy-1', { averageBytes: 100, delay: '2ms' }),
  fields: {
    averageBytes: z
      .int({ error: 'write a whole number of bytes' })
      .min(LEAST_BYTES)
      .max(MOST_BYTES)
      .describe(`a whole number of bytes from ${LEAST_BYTES} to ${MOST_BYTES}`),
    spread: z.int({ error: 'write a whole number of bytes' }).min(0).max(MOST_BYTES).describe('a whole number of bytes, less than half of averageBytes'),
    delay: wholeMs(1, 100),
  },
  check: ({ averageBytes, spread }) =>
    spread < averageBytes / 2 ? undefined : { key: 'spread', message: `${spread} is out of range; write less than half of averageBytes, ${averageBytes / 2}` },
  alters: ['timing', 'throughput'],
  needs: ['throughput'],
  phrase: ({ averageBytes, spread, delay }) => `slicer ${averageBytes}${spread > 0 ? ` ± ${spread}` : ''} bytes each ${delay}`,
  provingMs: ({ averageBytes, spread, delay }) => Math.ceil(expectedPieces(LONG_BYTES, averageBytes, spread) * (milliseconds(delay) + LATE_MS)) + 500,
  measured: ({ averageBytes, spread, delay }) => {
    const delayMs = milliseconds(delay);
    const mostMs = expectedPieces(LONG_BYTES, averageBytes, spread) * (delayMs + 10) + 3_000;
    const bites = ({ kind, bytes, pieces, ms }: Drawn) => {
      const expected = expectedPieces(bytes, averageBytes, spread);
      // Behind the last piece nobody waits.
      const leastMs = (expected * (1 - TOLERANCE) - 1) * delayMs;
      const timed = ms >= leastMs && ms <= (expected * (1 + TOLERANCE) + 1) * (delayMs + LATE_MS) + 50;
      return kind === 'answered' && Math.abs(pieces / expected - 1) <= TOLERANCE && timed;
    };
    return {
      toxic: { type: 'slicer', stream: 'downstream', attributes: { average_size: averageBytes, size_variation: spread, delay: 1_000 * delayMs } },
      look: (prober) => look(prober, mostMs),
      asked: `pieces of ${averageBytes}${spread > 0 ? ` ± ${spread}` : ''} bytes, ${formatMs(delayMs)} between two`,
      bites: (seen) => lists(seen).every(bites),
      told: (seen, before) => {
        const told = (all: readonly Drawings[]) =>
          all
            .flatMap(lists)
            .map(({ kind, bytes, pieces, ms }) => (kind === 'answered' ? `${bytes} bytes in ${pieces} within ${formatMs(ms)}` : kind))
            .join(', ');
        return `${told(seen)}; before: ${told(before)}`;
      },
      askedHealed: 'long answers in few pieces',
      heals: (seen, { before }) =>
        lists(seen).every(
          (one, index) =>
            one.kind === 'answered' &&
            one.pieces <= Math.max(3, 2 * (lists(before)[index]?.pieces ?? 0)) &&
            one.pieces <= expectedPieces(one.bytes, averageBytes, spread) / 2,
        ),
    };
  },
});
