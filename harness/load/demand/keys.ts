/**
 * Which key is asked for next: with the same chance, one after the other, or some much more often than others, as with real users.
 */
import type { Random } from '../../core/random.ts';

export type KeyChoice =
  | { readonly kind: 'uniform' }
  /** 0, 1, 2, ... and again from 0. */
  | { readonly kind: 'sequential' }
  /** The key of rank k (from 1) with a chance in proportion to 1 / k^exponent; exponent above 0, up to 5. */
  | { readonly kind: 'zipf'; readonly exponent: number }
  /** `hot` keys share the first `hotShare` of the requests evenly, all others the rest. Fewer are hot than there are. */
  | { readonly kind: 'hot'; readonly hot: number; readonly hotShare: number };

/**
 * Draws keys, whole numbers from 0 to `keys` - 1, without allocating.
 *
 * Zipf and hot choose a rank, and a shuffle of all keys by the seed (Fisher and Yates) says which key has that rank: so neither the numbers of
 * the popular keys lie together nor are they the same ones with each seed, and which shards they are on is up to chance, as with real names.
 *
 * Several processes that make up one load give the same `random` and their own `index` (from 0) of so many: they agree on which keys are popular, draw
 * from streams of their own, and `sequential` deals out the keys among them as `partOf` deals out the hits. What was drawn from `random` before does
 * not matter.
 */
export function keyChooser(choice: KeyChoice, keys: number, random: Random, index = 0, of = 1): () => number {
  const own = random.fork(`draws of ${index}`);
  switch (choice.kind) {
    case 'uniform':
      return () => own.below(keys);
    case 'sequential':
      return sequential(keys, index, of);
    case 'zipf':
      return zipf(choice.exponent, shuffled(keys, random.fork('ranks')), own);
    case 'hot':
      return hotAndCold(choice.hot, choice.hotShare, shuffled(keys, random.fork('ranks')), own);
  }
}

function sequential(keys: number, index: number, of: number): () => number {
  let next = index % keys;
  return () => {
    const key = next;
    next = (next + of) % keys;
    return key;
  };
}

/** One draw says both which kind and which key of it: of its 2^32 steps, a million keys that share 10% of the requests have 430 each. */
function hotAndCold(hot: number, hotShare: number, keyOfRank: Uint32Array, random: Random): () => number {
  const hotRanks = hot / hotShare;
  const coldRanks = (keyOfRank.length - hot) / (1 - hotShare);
  return () => {
    const draw = random.next();
    const rank = draw < hotShare ? Math.floor(draw * hotRanks) : hot + Math.floor((draw - hotShare) * coldRanks);
    return keyOfRank[rank] as number;
  };
}

/**
 * Rejection-inversion (W. Hormann and G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", ACM
 * Transactions on Modeling and Computer Simulation 6(3), 1996): no table of probabilities, and the same time for any number of keys.
 *
 * H(x) is the integral of t^-s from 1 to x. Rank k takes the part of H from H(k - 1/2) to H(k + 1/2), which is never shorter than k^-s because
 * the curve is convex; a draw in its last k^-s is accepted, so each rank has exactly its chance. Rank 1 begins at H(3/2) - 1 and is always accepted. H is written
 * with expm1 and log1p, which keeps it exact near s = 1, where the paper's form divides nothing by nothing.
 *
 * One draw has 32 bits, so the chance of a rank is off by at most 2^-32: at a million keys and s = 0.99 the rarest has 340 x 2^-32.
 */
function zipf(s: number, keyOfRank: Uint32Array, random: Random): () => number {
  const ranks = keyOfRank.length;
  const q = 1 - s;
  const integral = (x: number) => (q === 0 ? Math.log(x) : Math.expm1(q * Math.log(x)) / q);
  const inverse = (area: number) => Math.exp(q === 0 ? area : Math.log1p(q * area) / q);
  const first = integral(1.5) - 1;
  const span = integral(ranks + 0.5) - first;
  // So far below its rank every x is accepted: the distance grows with the rank, and this is the one of rank 2. It saves most of the exact tests.
  const surelyBelow = 2 - inverse(integral(2.5) - 2 ** -s);
  return () => {
    for (;;) {
      const area = first + random.next() * span;
      const x = inverse(area);
      // Rounding can lead out at both ends.
      const rank = Math.min(Math.max(Math.round(x), 1), ranks);
      if (rank - x <= surelyBelow || area >= integral(rank + 0.5) - rank ** -s) return keyOfRank[rank - 1] as number;
    }
  };
}

/** The key of each rank: all keys, in an order of which each is as likely as any other. */
function shuffled(keys: number, random: Random): Uint32Array {
  const list = Uint32Array.from({ length: keys }, (_, key) => key);
  for (let last = keys - 1; last > 0; last--) {
    const other = random.below(last + 1);
    const key = list[last] as number;
    list[last] = list[other] as number;
    list[other] = key;
  }
  return list;
}
