import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constantRate } from './pacer.ts';

describe('constantRate', () => {
  it('offers rate x time requests, the first at zero and the last before the end', () => {
    const pacer = constantRate(2_000, 10_000);
    expect(pacer(0)).toBe(0);
    expect(pacer(1)).toBe(0.5);
    expect(pacer(19_999)).toBe(9_999.5);
    expect(pacer(20_000)).toBeUndefined();
  });

  it('does not drift, however odd the rate and late the hit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 3_600 }), (rate, seconds) => {
        expect(constantRate(rate, Number.POSITIVE_INFINITY)(rate * seconds)).toBe(seconds * 1_000);
      }),
    );
  });

  it('has nothing due in no time', () => {
    expect(constantRate(1, 0)(0)).toBeUndefined();
  });
});
