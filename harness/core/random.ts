/**
 * Random choices that a seed repeats: the same seed gives the same schedule, byte for byte.
 *
 * Each use takes a stream of its own by name (`random.fork('keys')`), so that one more draw in one
 * place does not shift the draws of another.
 */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform whole number in [0, below). */
  below(below: number): number;
  /** An independent stream, the same for the same name. */
  fork(name: string): Random;
}

/** Seeds are whole numbers in [0, 2^32). */
export const SEED_LIMIT = 2 ** 32;

/** sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, period at least 2^32, seeded by hashing. */
export function seeded(seed: number, stream = ''): Random {
  let a = hash(stream, 0x9e3779b9 ^ seed) | 0;
  let b = hash(stream, 0x243f6a88 ^ (seed >>> 1)) | 0;
  let c = seed | 0;
  let counter = 1;
  // Kept as signed 32-bit numbers: as unsigned ones half of them would not be small integers to V8, and each draw would allocate.
  const draw = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  // Twelve draws mix the seed into the whole state before the first number is handed out.
  for (let i = 0; i < 12; i++) draw();
  return {
    next: () => draw() / SEED_LIMIT,
    below: (below) => Math.floor((draw() / SEED_LIMIT) * below),
    fork: (name) => seeded(seed, `${stream}/${name}`),
  };
}

/** FNV-1a over UTF-16 units, finished with murmur3's mixer so that near names part. */
function hash(text: string, start: number): number {
  let h = start >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
