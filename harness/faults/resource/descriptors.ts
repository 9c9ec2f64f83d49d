/**
 * descriptors: each process of a node may hold no more than so many descriptors: files and connections together.
 *
 * On the wire: established connections go on; what comes to it new is taken by its kernel and then waits in the queue without a word, or is closed at once, as the program has it. memcached stops
 * listening until one of its connections ends. What the node itself opens towards others fails, too. By the soft limit of every process under the node's first, set in place of each process's own user.
 *
 * It does not: close anything, or change the hard limit; a program that raises its own limit again gets out of it.
 *
 * Proof: with connections of ours, held one after the other, the process with most descriptors comes to hold as many as were asked for and no more (but for those with higher numbers, which it opened before); the next is not answered, and a connection from
 * before is; and the kernel tells that limit of each process. Healed: as many can be opened that it holds more, and each process has the
 * soft limit that it had before (one that has come since, that of one that was there). For that moment nobody else gets a new connection.
 *
 * Ends by itself: the program within the node that has set the limit sets it back when our words stop. When it is killed with all else, the limit stays until the node is started again.
 *
 * Needs: perl in the node's image.
 */
import { z } from 'zod';
import type { Node, Prober } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import { PATIENCE_MS } from '../probing.ts';
import { numberIn, resourceFault } from './kind.ts';

export interface Descriptors {
  readonly kind: 'descriptors';
  readonly node: string;
  readonly limit: number;
}

/** Leaves each process of the nodes that `node` names ('mc-1', 'proxy-*') no more than `limit` descriptors. */
export const descriptors = (node: string, limit: number): Descriptors => ({ kind: 'descriptors', node, limit });

const MOST = 1_000_000;
/** Those that a look opens and holds; more would take longer than a look may. */
const MOST_OPENED = 512;
/** So many more than are open already, for the limit to be told from half of it, which is below that. */
const LEAST_ROOM = 4;
/** A program may refuse when it lacks the two that a request through it would take, or may still be about to close one. */
const NEAR = 2;

/** Of the process that holds most of those that a limit counts. */
interface Holding {
  readonly open: number;
  /** Of these, numbered from the limit on: they were opened before it was set, and take nothing of it. */
  readonly beyond: number;
  /** Of all processes, by id. */
  readonly softOf: ReadonlyMap<number, number>;
  readonly softs: readonly number[];
}

export const descriptorsKind = resourceFault<Descriptors>({
  kind: 'descriptors',
  summary: 'each process of a node may hold no more than so many descriptors',
  example: descriptors('mc-1', 100),
  fields: { limit: z.int().min(8).max(MOST) },
  alters: ['descriptors', 'connects'],
  needs: ['descriptors', 'connects', 'answers'],
  phrase: ({ limit }) => `descriptors ${limit}`,
  provingMs: () => 1_500,
  asked: ({ limit }) => ({ bites: `${limit} descriptors, and no answer beyond`, gone: `more than ${limit} descriptors, all answered, limits as before` }),
  taking: ({ limit }, node) => {
    let before: Prober | undefined;
    let beyondBefore = 0;
    let softBefore: ReadonlyMap<number, number> = new Map();
    const look = async () => {
      const { open, beyond } = await holding(node, limit);
      const wanted = limit - (open - beyond) + LEAST_ROOM;
      return filled(node, limit, Math.min(MOST_OPENED, Math.max(wanted, LEAST_ROOM)));
    };
    return {
      before: async () => {
        before = await node.prober();
        if ((await before.ask('kept', 2_000)).kind !== 'answered') return 'does not answer before the fault';
        const { softs, softOf, ...held } = await holding(node, limit);
        softBefore = softOf;
        const open = held.open - held.beyond;
        beyondBefore = held.beyond;
        if (softs.some((soft) => soft <= limit))
          return `may hold no more than ${Math.min(...softs)} descriptors already, so a limit of ${limit} could not be told`;
        if (limit < open + LEAST_ROOM) return `holds ${open} descriptors already; write a limit of ${open + LEAST_ROOM} or more`;
        if (limit > open + MOST_OPENED)
          return `holds ${open} descriptors, and a limit is told by filling it up with ${MOST_OPENED} at the most; write ${open + MOST_OPENED} or less`;
        return undefined;
      },
      disturb: () => node.limitDescriptors(limit),
      bites: async () => {
        const { answered, refused, open, beyond, softs } = await look();
        const kept = (await before?.ask('kept', PATIENCE_MS))?.kind;
        const holds = refused && kept === 'answered' && beyond <= beyondBefore && open - beyond >= limit - NEAR && softs.every((soft) => soft === limit);
        return {
          holds,
          told: `${open} descriptors held; ${answered} new connections answered${refused ? ', the next not' : ''}, the one from before ${kept}; limits ${softs.join(', ')}`,
        };
      },
      isGone: async () => {
        const { answered, refused, open, softs, softOf } = await look();
        // A program that has stopped listening begins again when a connection ends; this one is of use no more.
        if (refused) await before?.close();
        return {
          holds: !refused && open > limit && areAsBefore(softOf, softBefore),
          told: `${open} descriptors held; ${answered} new connections answered${refused ? ', the next not' : ''}; limits ${softs.join(', ')}`,
        };
      },
      close: async () => before?.close(),
    };
  },
});

/** A process that has come since has it from one that was there. */
function areAsBefore(softOf: ReadonlyMap<number, number>, before: ReadonlyMap<number, number>): boolean {
  const known = new Set(before.values());
  return [...softOf].every(([pid, soft]) => (before.has(pid) ? before.get(pid) === soft : known.has(soft)));
}

async function holding(node: Node, limit: number): Promise<Holding> {
  const { processes } = await node.measure('descriptors', String(limit));
  if (!Array.isArray(processes) || processes.length === 0) throw new InvalidRunError(`the descriptors of ${node.name} are not told`);
  const all = processes.map((one) => ({
    pid: numberIn(one, 'pid'),
    open: numberIn(one, 'open'),
    beyond: numberIn(one, 'beyond'),
    soft: numberIn(one, 'soft'),
  }));
  const [{ open, beyond }] = all.toSorted((a, b) => b.open - b.beyond - (a.open - a.beyond)) as [(typeof all)[0]];
  return { open, beyond, softOf: new Map(all.map(({ pid, soft }) => [pid, soft])), softs: all.map(({ soft }) => soft) };
}

/** Opens connections and holds them until one is not answered, or there are `most`; what the node holds then. */
async function filled(node: Node, limit: number, most: number): Promise<Holding & { answered: number; refused: boolean }> {
  const probers: Prober[] = [];
  let [answered, refused] = [0, false];
  try {
    while (!refused && answered < most) {
      const prober = await node.prober();
      probers.push(prober);
      refused = (await prober.ask('kept', PATIENCE_MS)).kind !== 'answered';
      if (!refused) answered++;
    }
    return { ...(await holding(node, limit)), answered, refused };
  } finally {
    await Promise.all(probers.map((prober) => prober.close()));
  }
}
