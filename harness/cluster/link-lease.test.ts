import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LinkLease } from './link-lease.ts';

describe('the lease of links', () => {
  let words: string[];
  let lease: LinkLease;
  beforeEach(() => {
    vi.useFakeTimers();
    words = [];
    lease = new LinkLease((word) => words.push(word));
  });
  afterEach(() => vi.useRealTimers());

  it('is taken before the first disturbance, renewed every two seconds while there is one, and given back behind the last', () => {
    vi.advanceTimersByTime(10_000);
    expect(words).toEqual([]);
    const first = lease.take();
    expect(words).toEqual(['arm 7.5']);
    vi.advanceTimersByTime(5_000);
    expect(words).toEqual(['arm 7.5', 'arm 7.5', 'arm 7.5']);
    const second = lease.take();
    first();
    first();
    expect(words).not.toContain('disarm');
    second();
    expect(words.at(-1)).toBe('disarm');
    const told = words.length;
    vi.advanceTimersByTime(20_000);
    expect(words).toHaveLength(told);
    lease.take();
    expect(words.at(-1)).toBe('arm 7.5');
  });
});
