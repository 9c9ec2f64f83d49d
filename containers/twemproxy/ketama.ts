/**
 * Which server a key goes to, as twemproxy 0.5.0 decides it with `distribution: ketama`, `hash: fnv1a_64` and servers of equal
 * weight that have names (`host:port:1 name`), while none of them is ejected.
 *
 * The load says with each request whose key it was, and readiness asks every proxy for one key of every shard; both need the answer
 * beforehand and without asking the proxy. Servers must have names: one without is hashed as `host:port`, so that
 * two proxies which reach it by different ports would disagree.
 */
import { createHash } from 'node:crypto';

const POINTS_PER_SERVER = 160;
/** An MD5 sum is 16 bytes: four points of four bytes. */
const POINTS_PER_HASH = 4;

/**
 * The ring of these servers, as a function from key to index in `names`.
 * Keys are ASCII, as memcached's text protocol wants them.
 */
export function ketama(names: readonly string[]): (key: string) => number {
  const points: { at: number; server: number }[] = [];
  names.forEach((name, server) => {
    for (let hash = 0; hash < hashesPerServer(names.length); hash++) {
      const sum = createHash('md5').update(`${name}-${hash}`).digest();
      for (let part = 0; part < POINTS_PER_HASH; part++) points.push({ at: sum.readUInt32LE(part * 4), server });
    }
  });
  points.sort((a, b) => a.at - b.at);
  const at = Uint32Array.from(points, (point) => point.at);
  const server = Uint16Array.from(points, (point) => point.server);
  return (key) => server[firstNotBelow(at, fnv1a64Truncated(key)) % server.length] as number;
}

/**
 * How many MD5 sums each server gets: 160 / 4 = 40 on paper. twemproxy computes it through the server's share of the weight in single
 * precision and cuts off, so that for some numbers of servers it becomes 39.
 */
function hashesPerServer(servers: number): number {
  const share = Math.fround(1 / servers);
  const points = Math.fround(Math.fround(share * POINTS_PER_SERVER) / POINTS_PER_HASH);
  return Math.floor(Math.fround(Math.fround(points * servers) + 1e-10));
}

/** FNV-1a with the 64-bit offset and prime, of which twemproxy keeps only the low 32 bits from the start. */
function fnv1a64Truncated(key: string): number {
  let hash = 0x84222325;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x000001b3);
  return hash >>> 0;
}

/** Index of the first point that is at least `hash`; the number of points when there is none. */
function firstNotBelow(points: Uint32Array, hash: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle] as number) < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}
