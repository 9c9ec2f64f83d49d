import { describe, expect, it } from 'vitest';
import { WallClock } from './wall-clock.ts';

/** A machine whose clocks go on by 0.05 ms with each look at the wall clock, of which it tells whole milliseconds; `standMs` is for the looks that stand. */
function machine(standMs: readonly number[] = []) {
  const state = { monotonicMs: 1_000, aheadMs: 500_000.25 };
  let looks = 0;
  const wallMs = () => {
    state.monotonicMs += 0.05;
    const told = Math.floor(state.monotonicMs + state.aheadMs);
    // The process stands between a look at one clock and a look at the other.
    state.monotonicMs += standMs[looks++] ?? 0;
    return told;
  };
  return { state, clock: () => new WallClock(wallMs, () => state.monotonicMs) };
}

describe('the wall clock', () => {
  it('is known to less than a millisecond, although it tells whole ones', () => {
    const { clock } = machine();
    const known = clock();
    expect(known.toMonotonic(known.toWall(1_234.5))).toBeCloseTo(1_234.5);
    expect(Math.abs(known.toWall(0) - 500_000.25)).toBeLessThan(0.06);
  });

  it('is known as well when the machine stands still in the middle of a look', () => {
    // Every look of the first moments stands for 7 ms.
    const early = machine(Array.from({ length: 6 }, () => 7)).clock();
    expect(Math.abs(early.toWall(0) - 500_000.25)).toBeLessThan(0.06);
    // A moment that is known to half a millisecond is kept, although all that follow are worse.
    const late = machine([0.4, 0.4, 0.4, 0.4, ...Array.from({ length: 60 }, () => 7)]).clock();
    expect(Math.abs(late.toWall(0) - 500_000.25)).toBeLessThan(0.5);
  });

  it('may be slewed, and is told to have been set when it jumps', () => {
    const { state, clock } = machine();
    const known = clock();
    state.aheadMs += 0.5;
    expect(known.look()).toBe(0);
    expect(Math.abs(known.toWall(0) - 500_000.75)).toBeLessThan(0.06);
    state.aheadMs -= 40;
    expect(known.look()).toBeCloseTo(-40, 0);
    expect(known.look()).toBe(0);
  });
});
