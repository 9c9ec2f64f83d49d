/** What tells a delay from half of it, from another spread, from another share and from the other direction. */
import type { Answer } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import { formatMs, formatShare } from '../../core/units.ts';
import { answeredMs, type Baseline, median } from '../probing.ts';

export interface Asked {
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Of exchanges, 0 to 1. */
  readonly share: number;
  readonly stream: 'upstream' | 'downstream';
}

/**
 * What counts as the delay that was asked for. No answer may come sooner than the delay after its question (a millisecond is left for
 * the clocks' rounding). Above what it took before, the median must lie at three quarters of the delay at least, so that half a dose is never taken
 * for a whole one where an exchange by itself takes as long; and no answer may take a quarter longer, or 50 ms where that is more: two busy
 * cores add tens of milliseconds.
 */
const LEAST_PART = 0.75;
/** Nor is the middle one late by as much again, so that twice a dose is never taken for one; where that is less than scheduling slices add, by 5 ms. */
const MOST_MEDIAN_PART = 1.75;
const MOST_MEDIAN_MS = 5;
const MOST_PART = 0.25;
const MOST_MS = 50;

/**
 * A jitter of j spreads delays evenly over 2 j, and the tenth and the ninth tenth of them lie 1.6 j apart, those of half of it 0.8 j. Each of the two, of n exchanges, is known to within
 * 2 j sqrt(0.09 / n) (one standard deviation), the distance to within 0.11 j at n = 60: 1.3 j is 2.7 of them below the one, and 4.5 above the other.
 */
const LEAST_SPREAD = 1.3;
const JITTER_EXCHANGES = 60;
/** How often the far end is given a word where every one of them would be late; a single late one could be the machine's. */
const WORDS = 3;
/** Exchanges of a look go over so many connections that they take this long together, ms, or over the most. */
const ROW_MS = 500;
/** Few, so that they do not wait for each other. */
const FEWEST_LANES = 4;
const MOST_LANES = 64;

/**
 * How many exchanges a look takes on kept connections, and as many on new ones. A share s and half of it lie four standard deviations each from their middle when both kinds together are
 * 256 (1 - s) / s, as it is for lost packets: 726 of each kind at 15%.
 */
export function exchangesFor({ share, jitterMs }: Asked): number {
  if (share === 1) return jitterMs > 0 ? JITTER_EXCHANGES : 3;
  return Math.max(JITTER_EXCHANGES, Math.ceil((128 * (1 - share)) / share));
}

export function lanesFor(asked: Asked): number {
  const count = exchangesFor(asked);
  return Math.min(count, MOST_LANES, Math.max(FEWEST_LANES, Math.ceil((count * asked.share * asked.delayMs) / ROW_MS)));
}

/** The share of exchanges that took the least delay or longer, of those that were answered. */
export function slowShare(answers: readonly Answer[], { delayMs, jitterMs }: Asked): number {
  const ms = answeredMs(answers);
  return ms.filter((one) => one >= delayMs - jitterMs - 1).length / ms.length;
}

/**
 * Throws InvalidRunError where exchanges took as long by themselves before the fault, so that their length would say nothing of it: one in ten of those that will be slow may, and none where
 * so few are asked that one counts.
 */
export function refuseSlow(before: readonly Answer[], asked: Asked): void {
  const slow = slowShare(before, asked);
  if (slow <= (before.length < JITTER_EXCHANGES ? 0 : asked.share / 10)) return;
  throw new InvalidRunError(
    `${formatShare(slow)} of ${before.length} probes took ${formatMs(asked.delayMs - asked.jitterMs)} or longer before the fault, so the fault could not be told from it`,
  );
}

/** Whether exchanges of one kind show the dose. */
export function isDose(answers: readonly Answer[], baseline: Baseline, asked: Asked): boolean {
  const { delayMs, jitterMs, share } = asked;
  const ms = answeredMs(answers);
  if (ms.length !== answers.length) return false;
  const tolerance = share < 1 ? 4 * Math.sqrt((share * (1 - share)) / ms.length) : 0;
  if (Math.abs(slowShare(answers, asked) - share) > tolerance) return false;
  const slow = ms.filter((one) => one >= delayMs - jitterMs - 1).toSorted((a, b) => a - b);
  const at = (part: number) => slow[Math.floor((slow.length - 1) * part)] ?? Number.NaN;
  const mostMs = delayMs + jitterMs + baseline.medianMs + Math.max(MOST_MS, delayMs * MOST_PART);
  const laterMs = median(slow) - baseline.medianMs;
  if (laterMs > Math.max(delayMs * MOST_MEDIAN_PART, delayMs + MOST_MEDIAN_MS)) return false;
  if (laterMs < delayMs * LEAST_PART || at(slow.length < JITTER_EXCHANGES ? 1 : 0.95) > mostMs) return false;
  return jitterMs === 0 || at(0.9) - at(0.1) >= LEAST_SPREAD * jitterMs;
}

/** Gives the far end so many words that it closes at that the direction shows: twenty of them late are told from none. */
export async function wordsFor(asked: Asked, word: () => Promise<Answer>): Promise<Answer[]> {
  const count = wordCount(asked);
  let given = 0;
  const lanes = Array.from({ length: Math.min(count, lanesFor(asked)) }, async (_, __, answers: Answer[] = []) => {
    while (given++ < count) answers.push(await word());
    return answers;
  });
  return (await Promise.all(lanes)).flat();
}

function wordCount({ share }: Asked): number {
  return share === 1 ? WORDS : Math.ceil(20 / share);
}

/** How long a look takes about, ms: its rows one after the other, and its words. Each exchange takes its share of the delay, and a millisecond or two by itself; the last of a row all of the delay. */
export function lookMs(asked: Asked): number {
  const { delayMs, jitterMs, share } = asked;
  const rowMs = (count: number) => (count / lanesFor(asked)) * (share * delayMs + 2) + delayMs + jitterMs;
  if (share < 1) return 2 * rowMs(exchangesFor(asked)) + rowMs(wordCount(asked));
  return jitterMs > 0 ? rowMs(exchangesFor(asked)) : delayMs;
}

/**
 * Words go upstream, and what they bring about is a close, which no delay holds. So upstream they are as late as questions (half of the share at least, where twenty are expected and half of
 * them is 3.2 standard deviations away), and downstream they are not: one that is not late is enough where each would be.
 */
export function directionShows(words: readonly Answer[], { delayMs, jitterMs, share, stream }: Asked): boolean {
  if (words.length === 0) return true;
  if (words.some(({ kind }) => kind !== 'closed')) return false;
  const late = words.filter(({ ms }) => ms >= delayMs - jitterMs - 1).length;
  if (share === 1) return stream === 'upstream' ? late === words.length : late < words.length;
  return late >= (words.length * share) / 2 === (stream === 'upstream');
}
