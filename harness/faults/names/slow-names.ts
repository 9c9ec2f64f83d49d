/**
 * slow-names: whoever asks for a name has to wait for the right answer.
 *
 * On the wire: the cluster's name service answers questions for the name so much later. A program that looks names up by getaddrinfo connects that much later. In Node only two look-ups of a whole
 * process are under way at a time (half of libuv's four threads), so that no more than 2 / `by` new connections a second can be made, and every look-up beyond waits in line, whatever name
 * it is for: with 2 s, one a second, and of fifty connections that are opened together the last is 50 s late.
 *
 * It does not: slow down connections that stand, or what is dialled over a link. It is no slower than 3 s, since the engine's own name service, which stands between, gives up after 4.
 *
 * Proof: of questions that are asked in the place of those who are lied to, each is answered rightly, and later than it was before the fault by at least nine tenths of the delay and by no more than
 * a quarter more of it and 100 ms; others, and other names, are answered rightly and as promptly as before.
 *
 * Needs: a cluster in which that hop is dialled by name (`byName`).
 *
 * Ends by itself: 8 s after the last word of its run, by the name service.
 */
import { type Duration, milliseconds } from '../../core/units.ts';
import { wholeMs } from '../fields.ts';
import { isTrue, namesFault } from './kind.ts';

export interface SlowNames {
  readonly kind: 'slow-names';
  readonly of: string;
  readonly name: string;
  readonly by: Duration;
}

/** The nodes of `of` are answered `by` later when they ask for the names of the nodes of `name`. */
export const slowNames = (of: string, { name, by }: { readonly name: string; readonly by: Duration }): SlowNames => ({ kind: 'slow-names', of, name, by });

/** Half of it, and twice as much, are told from it: 0.5 x by < 0.9 x by always, and 2 x by > 1.25 x by + 100 ms from 134 ms on. */
const LEAST_MS = 200;
const MOST_MS = 3_000;
/** A promptly answered question takes up to 4 ms here, and timers are late by some milliseconds on a busy machine. */
const most = (byMs: number) => byMs * 1.25 + 100;

export const slowNamesKind = namesFault<SlowNames>({
  kind: 'slow-names',
  summary: 'a name is answered late, for some who ask',
  example: slowNames('client-1', { name: 'mc-1', by: '2s' }),
  fields: { by: wholeMs(LEAST_MS, MOST_MS) },
  needs: ['timing'],
  provingMs: ({ by }) => 500 + most(milliseconds(by)),
  phrase: ({ name, by }) => `${name} resolves ${by} late`,
  lie: ({ by }) => ({ kind: 'late', byMs: milliseconds(by) }),
  // What comes later than that is not waited for.
  patienceMs: ({ by }) => most(milliseconds(by)),
  asked: ({ name, by }) => `the right answer for ${name}, ${by} later`,
  bites: (asked, { by }) => isTrue(asked) && asked.resolved.ms >= 0.9 * milliseconds(by),
});
