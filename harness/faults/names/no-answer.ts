/**
 * no-answer: whoever asks for a name is told that it cannot be answered, that there is no such name, or nothing at all.
 *
 * On the wire: the cluster's name service answers questions for the name with SERVFAIL or NXDOMAIN at once, or with not a word. A program that asks by getaddrinfo, as nearly all do, meets
 * EAI_AGAIN at once after SERVFAIL, ENOTFOUND at once after NXDOMAIN, and EAI_AGAIN after 10 s of silence (two tries of 5 s). Node has two such
 * look-ups of a process under way at a time, so that two that wait for silence keep every other name waiting.
 *
 * It does not: break connections that stand, or touch what is dialled over a link.
 *
 * Proof: questions that are asked in the place of those who are lied to end in the very error that was asked for, or are without an answer for 3.5 s, which is longer than any answer is delayed
 * here; others, and other names, are answered rightly.
 *
 * Needs: a cluster in which that hop is dialled by name (`byName`).
 *
 * Ends by itself: 8 s after the last word of its run, by the name service.
 */
import { z } from 'zod';
import { namesFault } from './kind.ts';

export interface NoAnswer {
  readonly kind: 'no-answer';
  readonly of: string;
  readonly name: string;
  readonly how: 'servfail' | 'nxdomain' | 'silence';
}

/** The nodes of `of` get no address for the names of the nodes of `name`. */
export const noAnswer = (of: string, { name, how }: { readonly name: string; readonly how: NoAnswer['how'] }): NoAnswer => ({
  kind: 'no-answer',
  of,
  name,
  how,
});

/** Longer than the longest delay of slow-names, and shorter than the engine's own name service waits before it answers SERVFAIL in another's place, 4 to 5 s. */
const SILENCE_MS = 3_500;
const ERROR_WITHIN_MS = 1_000;

const HOWS = ['servfail', 'nxdomain', 'silence'] as const;

export const noAnswerKind = namesFault<NoAnswer>({
  kind: 'no-answer',
  summary: 'a name is answered with an error, or not at all, for some who ask',
  example: noAnswer('client-1', { name: 'mc-1', how: 'servfail' }),
  fields: {
    how: z.enum(HOWS, {
      error: (issue) => `${issue.input === undefined ? 'missing' : `'${String(issue.input)}' is not allowed`}; write one of ${HOWS.join(', ')}`,
    }),
  },
  provingMs: ({ how }) => 500 + (how === 'silence' ? SILENCE_MS : 0),
  phrase: ({ name, how }) => `${name} resolves to ${how}`,
  lie: ({ how }) => ({ kind: 'none', how }),
  patienceMs: ({ how }) => (how === 'silence' ? SILENCE_MS : ERROR_WITHIN_MS),
  asked: ({ name, how }) => `${how} when asked for ${name}`,
  bites: ({ resolved }, { how }) => resolved.kind === how,
});
