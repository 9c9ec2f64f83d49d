/**
 * latency: what comes over a link comes later; all of it, or a share.
 *
 * On the wire: Toxiproxy holds each chunk of bytes from the far end ('downstream'), or to it ('upstream'), for the delay, give or take a jitter of which every value is as likely.
 * With a share it draws for each chunk that comes: on a connection with one request at a time that is a draw for each request, independent of all others. Bytes keep their order, so on a
 * connection with many requests under way those behind a slow one wait with it; they count as part of the share, and some of them are delayed by less.
 *
 * It does not: touch the TCP handshake or a close, nor delay both directions. Of a long answer, which comes in several chunks, each chunk is drawn for.
 *
 * Proof: exchanges on kept and on new connections take the delay longer than before, none sooner, none a quarter (or 50 ms) longer, and half of them not three quarters (or 5 ms) longer. With a jitter their spread is measured over 60 exchanges
 * and more; with a share how many of them are slow, over so many that half the share is told from it. Where the far end closes at a word, the word says which direction is slow: it is late on
 * its way there, and the close that it brings about is not late on its way back.
 *
 * Needs: for a share, a Toxiproxy that was built here (`npm run setup` does so where there is Go): the published one can only make some connections slow for good.
 */
import { z } from 'zod';
import { toxicsOf } from '../../cluster/images.ts';
import type { Answer, LinkProber } from '../../cluster/types.ts';
import { type Duration, formatMs, formatShare, milliseconds, type Share, share } from '../../core/units.ts';
import { shareOf, wholeMs } from '../fields.ts';
import { answeredMs, median } from '../probing.ts';
import { type Asked, directionShows, exchangesFor, isDose, lanesFor, lookMs, refuseSlow, slowShare, wordsFor } from './delays.ts';
import { measuredLinkFault } from './kind.ts';

export interface Latency {
  readonly kind: 'latency';
  readonly link: string;
  readonly delay: Duration;
  readonly jitter?: Duration;
  /** Of requests. */
  readonly share?: Share;
  /** 'downstream', the answers, when left out. */
  readonly stream?: 'downstream' | 'upstream';
}

/**
 * Delays what comes over the links that `link` names ('proxy-* -> mc-3') by `delay`: answers, or questions ('upstream'); each by as much as `jitter` more or less; all of them, or a `share`.
 */
export const latency = (link: string, delay: Duration, options: Pick<Latency, 'jitter' | 'share' | 'stream'> = {}): Latency => ({
  kind: 'latency',
  link,
  delay,
  ...options,
});

const LEAST_MS = 5;
const LONGEST_MS = 60_000;
/** Less would take ten thousand exchanges to be told from half of it. */
const LEAST_SHARE = 0.05;

function askedOf({ delay, jitter = '0ms', share: part = '100%', stream = 'downstream' }: Latency): Asked {
  // On its way from one dose to another it may be asked for a part of a millisecond, which Toxiproxy does not know.
  return { delayMs: Math.round(milliseconds(delay)), jitterMs: Math.round(milliseconds(jitter)), share: share(part), stream };
}

export interface SeenDelays {
  readonly kept: readonly Answer[];
  readonly fresh: readonly Answer[];
  /** How long words took that have the far end close; none where it knows no such word. */
  readonly words: readonly Answer[];
}

async function look(prober: LinkProber, asked: Asked): Promise<SeenDelays> {
  const patienceMs = 2 * (asked.delayMs + asked.jitterMs) + 2_000;
  const count = exchangesFor(asked);
  const row = (connection: 'kept' | 'new') => prober.askRow(connection, { count, lanes: lanesFor(asked), patienceMs });
  const giveWords = () => (prober.partsByWord ? wordsFor(asked, () => prober.part('new', patienceMs)) : Promise.resolve([]));
  // Rows would be in each other's way, but for the shortest: those go together, so that a proof takes no longer than the delay.
  if (asked.share < 1) return { kept: await row('kept'), fresh: await row('new'), words: await giveWords() };
  const [kept, fresh, words] = await Promise.all([row('kept'), row('new'), giveWords()]);
  return { kept, fresh, words };
}

export const latencyKind = measuredLinkFault<Latency, SeenDelays>({
  kind: 'latency',
  summary: 'what comes over a link comes later; all of it, or a share',
  example: latency('proxy-* -> mc-3', '1s'),
  fields: {
    delay: wholeMs(LEAST_MS, LONGEST_MS),
    jitter: wholeMs(2, LONGEST_MS).optional(),
    share: shareOf(LEAST_SHARE).optional(),
    stream: z.enum(['downstream', 'upstream']).optional(),
  },
  check: (fault) => {
    const { delayMs, jitterMs } = askedOf(fault);
    return delayMs - jitterMs >= LEAST_MS
      ? undefined
      : { key: 'jitter', message: `'${fault.jitter}' is out of range; write 2ms to ${delayMs - LEAST_MS}ms, so that the delay is ${LEAST_MS}ms or more` };
  },
  ramps: true,
  alters: ['timing'],
  phrase: ({ delay, jitter, share: part, stream }) =>
    [`latency ${delay}`, jitter && `± ${jitter}`, stream === 'upstream' && 'upstream', part && `for ${part}`]
      .filter((word) => typeof word === 'string')
      .join(' '),
  provingMs: (fault) => Math.ceil(lookMs(askedOf(fault))) + 500,
  lacksFor: async ({ share: part }, engine, { toxiproxyImage }) =>
    part === undefined || (await toxicsOf(engine, toxiproxyImage)).includes('slow_share')
      ? undefined
      : "this Toxiproxy is the published one, which knows no share of requests; with Go on the PATH, 'npm run setup' builds one that does",
  measured: (fault) => {
    const asked = askedOf(fault);
    const { delayMs, jitterMs, stream } = asked;
    const isAll = asked.share === 1;
    const what = stream === 'upstream' ? 'question' : 'answer';
    return {
      toxic:
        fault.share === undefined
          ? { type: 'latency', stream, attributes: { latency: delayMs, jitter: jitterMs } }
          : { type: 'slow_share', stream, attributes: { latency: delayMs, jitter: jitterMs, share: Math.round(asked.share * 1e6) } },
      look: (prober) => look(prober, asked),
      asked: `${isAll ? `each ${what}` : `${formatShare(asked.share)} of ${what}s`} ${formatMs(delayMs)}${jitterMs > 0 ? ` ± ${formatMs(jitterMs)}` : ''} later`,
      refuse: ({ kept, fresh }) => refuseSlow([...kept, ...fresh], asked),
      bites: ({ kept, fresh, words }, { baseline }) => isDose(kept, baseline, asked) && isDose(fresh, baseline, asked) && directionShows(words, asked),
      told: (seen, before) => {
        const answers = seen.flatMap(({ kept, fresh }) => [...kept, ...fresh]);
        const ms = answeredMs(answers);
        const slow = ms.filter((one) => one >= delayMs - jitterMs - 1);
        const normally = formatMs(median(answeredMs(before.flatMap(({ kept, fresh }) => [...kept, ...fresh]))));
        if (isAll && jitterMs === 0) return `answers after ${formatMs(median(ms))}, ${normally} before (${ms.length} of ${answers.length} probes answered)`;
        const sorted = slow.toSorted((a, b) => a - b);
        const at = (part: number) => formatMs(sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN);
        return `${formatShare(slow.length / answers.length)} of ${answers.length} answers after ${at(0.5)} (a tenth by ${at(0.1)}, nine tenths by ${at(0.9)}), ${normally} before`;
      },
      askedHealed: isAll ? 'no delay' : `no ${what}s slow`,
      heals: ({ kept, fresh }) => slowShare([...kept, ...fresh], asked) <= (isAll ? 0 : asked.share / 4),
    };
  },
});
