import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Agenda } from './agenda.ts';

describe('Agenda', () => {
  it('hands out what is due, first things first, and what was entered for one moment in the order of entering', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), fc.integer({ min: 0, max: 20 }), (times, nowMs) => {
        const agenda = new Agenda<number>();
        times.forEach((atMs, index) => {
          agenda.add(atMs, index);
        });
        expect(agenda.nextMs).toBe(times.length > 0 ? Math.min(...times) : Number.POSITIVE_INFINITY);
        const taken: number[] = [];
        for (let item = agenda.take(nowMs); item !== undefined; item = agenda.take(nowMs)) taken.push(item);
        const expected = times
          .map((atMs, index) => ({ atMs, index }))
          .filter(({ atMs }) => atMs <= nowMs)
          .sort((a, b) => a.atMs - b.atMs || a.index - b.index);
        expect(taken).toEqual(expected.map(({ index }) => index));
        expect(agenda.size).toBe(times.length - taken.length);
      }),
      { numRuns: 300 },
    );
  });
});
