import { describe, expect, it } from 'vitest';
import { columns, fitted, oneLine, wrapped } from './text.ts';

describe('text for a terminal', () => {
  it('takes the power from characters that move the cursor or reorder the line', () => {
    expect(oneLine('a\u001b[2Jb\u202ec\u009bd\n  e')).toBe('a\ufffd[2Jb\ufffdc\ufffdd   e');
  });

  it('counts columns, not characters', () => {
    expect(columns('✓ met')).toBe(5);
    expect(columns('漢字')).toBe(4);
    expect(columns('e\u0301')).toBe(1);
  });

  it('wraps between words, keeps a figure and its unit together, and breaks only a word that is too long', () => {
    expect(wrapped('back within 5 s after', 13)).toEqual(['back within', '5 s after']);
    expect(wrapped('abcdefghij kl', 4)).toEqual(['abcd', 'efgh', 'ij', 'kl']);
    expect(wrapped('', 10)).toEqual(['']);
  });

  it('never makes a line wider than asked', () => {
    for (const width of [1, 2, 7, 20]) {
      for (const line of wrapped('every 漢字 of these lines has 300 ms to-be-no-wider', width)) expect(columns(line)).toBeLessThanOrEqual(Math.max(width, 2));
    }
  });

  it('cuts what does not fit and shows that it did', () => {
    expect(fitted('latency 1s', 10)).toBe('latency 1s');
    expect(fitted('latency 1s', 8)).toBe('latency…');
    expect(fitted('latency', 0)).toBe('');
  });
});
