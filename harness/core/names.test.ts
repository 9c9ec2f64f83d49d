import { describe, expect, it } from 'vitest';
import { linkEnds, matches, matchingLinks } from './names.ts';

const LINKS = [
  { from: 'proxy-1', to: 'mc-1' },
  { from: 'proxy-2', to: 'mc-1' },
  { from: 'mc-1', to: 'proxy-2' },
];

describe('a pattern over names', () => {
  it.each([
    ['mc-1', 'mc-1', true],
    ['mc-1', 'mc-10', false],
    ['mc-*', 'mc-10', true],
    ['mc-1|mc-3', 'mc-3', true],
    ['mc-1|mc-3', 'mc-2', false],
    ['mc-1|proxy-*', 'proxy-2', true],
    ['mc-1|mc-3', 'x-mc-3', false],
    ['m.-1', 'mc-1', false],
  ])("'%s' and '%s': %s", (pattern, name, fits) => {
    expect(matches(pattern, name)).toBe(fits);
  });
});

describe('a pattern over links', () => {
  it('names those of one way, or of either', () => {
    expect(matchingLinks('proxy-* -> mc-1', LINKS)).toEqual(LINKS.slice(0, 2));
    expect(matchingLinks('proxy-2 <-> mc-1', LINKS)).toEqual(LINKS.slice(1));
    expect(matchingLinks('mc-1', LINKS)).toEqual([]);
  });

  it('is not what has no arrow, or more than one', () => {
    expect(linkEnds('a -> b')).toEqual({ from: 'a', to: 'b', eitherWay: false });
    expect(linkEnds('a<->b')).toEqual({ from: 'a', to: 'b', eitherWay: true });
    for (const wrong of ['a', 'a - b', 'a -> b -> c', '-> b', 'a <- b', '']) expect(linkEnds(wrong)).toBeUndefined();
  });
});
