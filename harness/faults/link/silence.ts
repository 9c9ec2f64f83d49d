/**
 * silence: bytes over a link vanish in both directions, without FIN or RST.
 *
 * On the wire: connections stay open and new ones are accepted (Toxiproxy answers the handshake), but nothing comes through. Bytes sent meanwhile are lost, not late. Answers are lost first and
 * questions 50 ms later, so that each direction can be seen by itself. A close of either end does come through.
 *
 * It does not: end unnoticed. Toxiproxy closes the connections that it held silent when it is healed.
 *
 * Proof: while answers alone are lost, an exchange stays without one, and a word at which the far end closes is still heard there. Once questions are lost, too, exchanges on a kept and on a new
 * connection stay without an answer for 300 ms, and such a word is not heard any more. Of a far end that knows no such word (a node with a login) it cannot be told whether questions are lost, too.
 * After healing exchanges are answered.
 *
 * Needs: nothing but the Toxiproxy that each link goes through, and a far end that answers a probe.
 */
import type { Answer, Link, LinkProber } from '../../cluster/types.ts';
import { onAll, PATIENCE_MS, tally } from '../probing.ts';
import { linkFault } from './kind.ts';

export interface Silence {
  readonly kind: 'silence';
  readonly link: string;
}

/** Swallows all bytes over the links that `link` names ('proxy-* -> mc-3'). */
export const silence = (link: string): Silence => ({ kind: 'silence', link });

/** What a word that is heard may take on a busy machine; as soon as the close that it brings about comes, it is waited for no more. */
const HEARD_MS = 2_000;
/** An exchange, and a word that is heard, take some milliseconds; what takes longer than these was lost. Short, so that all of the fault is there and proven 150 ms after a probe's patience. */
const ANSWERS_MS = 50;
const WORD_MS = 60;

export const silenceKind = linkFault<Silence>({
  kind: 'silence',
  summary: 'bytes over a link vanish, without FIN or RST',
  example: silence('proxy-* -> mc-3'),
  alters: ['answers'],
  phrase: () => 'silence',
  provingMs: () => ANSWERS_MS + 2 * PATIENCE_MS + WORD_MS,
  probed: () => {
    const links: Link[] = [];
    /** Of each link, whether answers were lost and questions were not, while it was told to lose answers alone. */
    const answersLost: boolean[] = [];
    let questionsLost: boolean[] = [];
    return {
      patienceMs: PATIENCE_MS,
      disturb: async (link) => {
        links.push(link);
        const lose = (stream: 'upstream' | 'downstream') => link.poison({ type: 'timeout', stream, attributes: { timeout: 0 } });
        const downstream = await lose('downstream');
        const both = await onAll([
          async () => downstream,
          async () => {
            answersLost.push(await probing(link, losesAnswersAlone));
            return lose('upstream');
          },
        ]);
        return { undo: both.heal, missing: both.missing };
      },
      asked: `no answer within ${PATIENCE_MS} ms, in each direction`,
      bites: async ({ all }) => {
        questionsLost = await Promise.all(links.map((link) => probing(link, losesQuestions)));
        return all.every(({ kind }) => kind === 'silent') && answersLost.every(Boolean) && questionsLost.every(Boolean);
      },
      told: ({ all }) =>
        `${tally(all)}; of ${links.length} links, answers alone were lost on ${count(answersLost)} at first, and questions on ${count(questionsLost)} now`,
    };
  },
});

const count = (those: readonly boolean[]) => those.filter(Boolean).length;

async function probing<T>(link: Link, look: (prober: LinkProber) => Promise<T>): Promise<T> {
  const prober = await link.prober();
  try {
    return await look(prober);
  } finally {
    await prober.close();
  }
}

/** How a word ended at which the far end closes; undefined where it knows none. The close itself is lost in neither direction. */
async function word(prober: LinkProber, patienceMs: number): Promise<Answer['kind'] | undefined> {
  return prober.partsByWord ? (await prober.part('new', patienceMs)).kind : undefined;
}

async function losesAnswersAlone(prober: LinkProber): Promise<boolean> {
  const [exchange, heard = 'closed'] = await Promise.all([prober.ask('new', ANSWERS_MS), word(prober, HEARD_MS)]);
  return exchange.kind === 'silent' && heard === 'closed';
}

async function losesQuestions(prober: LinkProber): Promise<boolean> {
  return ((await word(prober, WORD_MS)) ?? 'silent') === 'silent';
}
