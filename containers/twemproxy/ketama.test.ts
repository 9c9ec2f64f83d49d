import { describe, expect, it } from 'vitest';
import { ketama } from './ketama.ts';

/**
 * Observed at twemproxy 0.5.0 (Debian's nutcracker) in front of four memcached, `127.0.0.1:<port>:1 mc-1` to `mc-4`: 2,000 keys were
 * set through the proxy, then each memcached was asked directly which of them it held. All 2,000 lay where this ring says;
 * these are every fifty-fifth or so.
 */
const OBSERVED_WITH_FOUR: readonly (readonly [key: string, server: string])[] = [
  ['k0', 'mc-1'],
  ['user/aq-x', 'mc-1'],
  ['user/ht-x', 'mc-1'],
  ['client:6208496', 'mc-1'],
  ['k1053', 'mc-1'],
  ['client:10294700', 'mc-1'],
  ['client:13216811', 'mc-1'],
  ['user/1ib-x', 'mc-1'],
  ['k153', 'mc-2'],
  ['user/an-x', 'mc-2'],
  ['k609', 'mc-2'],
  ['user/lz-x', 'mc-2'],
  ['user/te-x', 'mc-2'],
  ['user/11h-x', 'mc-2'],
  ['user/17w-x', 'mc-2'],
  ['k1701', 'mc-2'],
  ['client:14404661', 'mc-2'],
  ['user/2e-x', 'mc-3'],
  ['user/75-x', 'mc-3'],
  ['k351', 'mc-3'],
  ['client:3904067', 'mc-3'],
  ['user/gq-x', 'mc-3'],
  ['user/oz-x', 'mc-3'],
  ['user/rz-x', 'mc-3'],
  ['k1182', 'mc-3'],
  ['client:11363765', 'mc-3'],
  ['user/1cn-x', 'mc-3'],
  ['user/1hq-x', 'mc-3'],
  ['k96', 'mc-4'],
  ['client:4070366', 'mc-4'],
  ['k819', 'mc-4'],
  ['user/r5-x', 'mc-4'],
  ['k1254', 'mc-4'],
  ['k1380', 'mc-4'],
  ['k1491', 'mc-4'],
  ['client:13478138', 'mc-4'],
];

/**
 * Observed in the same way with twenty-five servers, where twemproxy's single-precision arithmetic gives each server 156 points:
 * with 160, these would lie elsewhere (as 53 of the 2,000 did).
 */
const OBSERVED_WITH_TWENTY_FIVE: readonly (readonly [key: string, server: string])[] = [
  ['client:1599638', 'mc-1'],
  ['client:3428927', 'mc-1'],
  ['client:6469823', 'mc-1'],
  ['user/11z-x', 'mc-1'],
  ['client:10936139', 'mc-1'],
  ['client:13216811', 'mc-1'],
  ['user/15-x', 'mc-2'],
  ['client:3666497', 'mc-2'],
];

const servers = (count: number) => Array.from({ length: count }, (_, i) => `mc-${i + 1}`);

describe('ketama', () => {
  it.each([
    [4, OBSERVED_WITH_FOUR],
    [25, OBSERVED_WITH_TWENTY_FIVE],
  ])('puts keys where a real twemproxy put them, with %d servers', (count, observed) => {
    const names = servers(count);
    const owner = ketama(names);
    expect(observed.map(([key]) => [key, names[owner(key)]])).toEqual(observed);
  });

  it('keeps every key of the servers that stay when one is added', () => {
    const ringOfFour = ketama(servers(4));
    const ringOfFive = ketama(servers(5));
    const keys = Array.from({ length: 1_000 }, (_, i) => `key-${i}`);
    const moved = keys.filter((key) => ringOfFour(key) !== ringOfFive(key));
    expect(moved.every((key) => ringOfFive(key) === 4)).toBe(true);
    // A fifth of the keys moves, give or take what 160 points a server leave to chance.
    expect(moved.length).toBeGreaterThan(100);
    expect(moved.length).toBeLessThan(300);
  });

  it('sends everything to the only server', () => {
    expect(ketama(['mc-1'])('any')).toBe(0);
  });
});
