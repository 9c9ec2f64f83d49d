/**
 * How long the value of each key is: it belongs to the key, so that whoever stores it again stores as much.
 */
import type { Random } from '../../core/random.ts';

export type Values =
  | { readonly kind: 'fixed'; readonly bytes: number }
  /** Every length from one to the other, both included, with the same chance. */
  | { readonly kind: 'between'; readonly fromBytes: number; readonly toBytes: number }
  /** Half of the keys are below the median; the logarithm of the length has the standard deviation `sigma`. What would be longer than `mostBytes` is cut to it. */
  | { readonly kind: 'lognormal'; readonly medianBytes: number; readonly sigma: number; readonly mostBytes: number }
  /** Each key is of one of these lengths, by chance; the shares add up to 1. */
  | { readonly kind: 'mixed'; readonly parts: readonly { readonly bytes: number; readonly share: number }[] };

/** The longest that any of them can be, bytes. */
export function mostBytes(values: Values): number {
  switch (values.kind) {
    case 'fixed':
      return values.bytes;
    case 'between':
      return values.toBytes;
    case 'lognormal':
      return values.mostBytes;
    case 'mixed':
      return Math.max(...values.parts.filter(({ share }) => share > 0).map(({ bytes }) => bytes));
  }
}

/** How long they are on the average, bytes; of `lognormal` at the most, since it is cut. */
export function meanBytes(values: Values): number {
  switch (values.kind) {
    case 'fixed':
      return values.bytes;
    case 'between':
      return (values.fromBytes + values.toBytes) / 2;
    case 'lognormal':
      return Math.min(values.mostBytes, values.medianBytes * Math.exp(values.sigma ** 2 / 2));
    case 'mixed':
      return values.parts.reduce((sum, { bytes, share }) => sum + bytes * share, 0);
  }
}

/**
 * The length of each key's value, bytes, by key. A function of the key and the seed alone: the same with more keys, and in every process that
 * starts from the same seed, whatever was drawn from `random` before.
 */
export function sizesOf(values: Values, keys: number, random: Random): Uint32Array {
  const draw = drawOf(values, random.fork('value sizes'));
  const sizes = new Uint32Array(keys);
  for (let key = 0; key < keys; key++) sizes[key] = draw();
  return sizes;
}

/** Draws one length after the other. Each takes the same number of random numbers, so that a key's place in the stream is its own. */
function drawOf(values: Values, random: Random): () => number {
  switch (values.kind) {
    case 'fixed':
      return () => values.bytes;
    case 'between':
      return () => values.fromBytes + random.below(values.toBytes - values.fromBytes + 1);
    case 'lognormal':
      return () => Math.min(values.mostBytes, Math.round(values.medianBytes * Math.exp(values.sigma * normal(random))));
    case 'mixed':
      return () => mixed(values.parts, random.next());
  }
}

function mixed(parts: readonly { readonly bytes: number; readonly share: number }[], draw: number): number {
  let reached = 0;
  for (const { bytes, share } of parts) {
    reached += share;
    if (draw < reached) return bytes;
  }
  // Shares such as 10 x 10% can come out a little below 1.
  return parts.findLast(({ share }) => share > 0)?.bytes ?? 0;
}

/** Mean 0, standard deviation 1 (Box and Muller, 1958), from two random numbers. */
function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log1p(-random.next()));
  return radius * Math.cos(2 * Math.PI * random.next());
}
