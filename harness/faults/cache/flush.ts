/**
 * flush: a cache loses all that it holds in one moment, as by a flush_all that somebody typed.
 *
 * On the wire: one command, straight to the node, in its own words (flush_all, FLUSHALL); from then on every get of what was stored before is a miss, and what stands behind the cache is asked instead.
 *
 * It does not: end a process or a connection, or make any answer late. It is a matter of a moment: healing takes nothing back, what was lost stays lost, and the time of the step is the time for which what
 * follows counts as during the fault.
 *
 * Proof: keys that were stored for it before, straight at the node, are gone, all 20 of them, and the node's own counter of flushes has gone up. Healed is a cache that keeps what is stored anew, and answers
 * as before.
 *
 * Ends by itself: it is over when it has begun.
 *
 * Needs: a cache that speaks of what it holds, which its builder says; memcached does without a login.
 */
import { cacheFault } from './kind.ts';

export interface Flush {
  readonly kind: 'flush';
  readonly node: string;
}

/** Empties the caches that `node` names ('mc-1', 'mc-*'). */
export const flush = (node: string): Flush => ({ kind: 'flush', node });

export const flushKind = cacheFault<Flush>({
  kind: 'flush',
  summary: 'a cache loses all that it holds in one moment, for good',
  example: flush('mc-1'),
  phrase: () => 'flush of',
  marks: 20,
  goneOf: (_fault, marks) => ({ least: marks, most: marks }),
  asked: () => 'all marks gone, flushed once more by its own counter',
  takeAway: async (_fault, { contents, node }) => {
    const before = await contents.counters();
    await contents.flush();
    return async () => {
      const now = await contents.counters();
      const times = now.flushes - before.flushes;
      return { holds: times >= 1, told: `${node.name} flushed ${times} time${times === 1 ? '' : 's'}, ${before.items} items before` };
    };
  },
});
