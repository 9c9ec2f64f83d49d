/**
 * evict: a cache loses a share of what it holds in one moment, as when its memory is taken for something else.
 *
 * On the wire: the node is asked for all of its keys, straight and in its own words, and a share of them is deleted. Which ones is decided by the keys themselves (by a hash of each), so that a cache with the same keys
 * loses the same ones. From then on a get of those is a miss.
 *
 * It does not: free memory that was short, or go for what was used longest ago; end a process or a connection. It is a matter of a moment: healing takes nothing back, and the time of the step is the time for
 * which what follows counts as during the fault. What clients store again meanwhile is there again.
 *
 * Proof: of 1,000 keys that were stored for it before, straight at the node, the asked share is gone, give or take a tenth of it and two; the same share of all others was deleted, and at a first look
 * right behind it at least three quarters of these are gone, which lies half way to half of them; how many are not listed later is told, since clients store them again. Healed is a cache that keeps what is stored anew, and answers as before.
 *
 * Ends by itself: it is over when it has begun.
 *
 * Needs: a cache that lists its keys, which its builder says; memcached does without a login.
 */
import { seeded } from '../../core/random.ts';
import { formatShare, type Share, share as toShare } from '../../core/units.ts';
import { shareOf } from '../fields.ts';
import { cacheFault } from './kind.ts';

export interface Evict {
  readonly kind: 'evict';
  readonly node: string;
  readonly share: Share;
}

/** Deletes a share of what the caches that `node` names hold: `evict('mc-1', '30%')`. */
export const evict = (node: string, share: Share): Evict => ({ kind: 'evict', node, share });

const LEAST_SHARE = 0.01;
/**
 * Of other keys that were deleted so many have to be gone at the first look, half way from all of them to half: it comes as long after it as two answers of the cache take, some tens of milliseconds with thousands
 * of keys, in which clients store a few of them again.
 */
const LEAST_GONE = 0.75;

export const evictKind = cacheFault<Evict>({
  kind: 'evict',
  summary: 'a cache loses a share of what it holds in one moment, for good',
  example: evict('mc-1', '30%'),
  fields: { share: shareOf(LEAST_SHARE) },
  phrase: ({ share }) => `eviction of ${share} of what is in`,
  marks: 1_000,
  // Marks are a group of their own, so their share is exact; where a full cache drops some of them by itself, it is a few. At 1% it is 7 to 13 of 1,000, and half of the dose 5.
  goneOf: ({ share }, marks) => {
    const asked = Math.round(toShare(share) * marks);
    const slack = 0.1 * asked + 2;
    return { least: Math.ceil(asked - slack), most: Math.floor(asked + slack) };
  },
  asked: ({ share }) => `${share} of the marks gone`,
  takeAway: async ({ share }, { contents, node, marks }) => {
    const own = new Set(marks);
    const others = (await contents.list()).filter((key) => !own.has(key));
    const going = chosen(others, toShare(share));
    // In one order, so that what is not carried out is missed among the marks, too.
    await contents.drop(ranked([...chosen(marks, toShare(share)), ...going]));
    const goneAtOnce = going.length - (await contents.count(going));
    return async () => {
      const there = new Set(await contents.list());
      const gone = going.filter((key) => !there.has(key)).length;
      const part = others.length === 0 ? '' : ` (${formatShare(going.length / others.length)})`;
      return {
        holds: goneAtOnce >= LEAST_GONE * going.length,
        told: `of ${others.length} other keys of ${node.name}, ${going.length}${part} were deleted, ${goneAtOnce} of them were gone at once, and ${gone} are not there now`,
      };
    };
  },
});

/** This share of the keys, to the nearest whole key: those with the lowest hash. */
function chosen(keys: readonly string[], share: number): string[] {
  return ranked(keys).slice(0, Math.round(share * keys.length));
}

function ranked(keys: readonly string[]): string[] {
  return keys
    .map((key) => ({ key, rank: seeded(0, key).next() }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ key }) => key);
}
