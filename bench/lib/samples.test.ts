import { describe, expect, it } from 'vitest';
import { byRound, type Contestant, interleave, ratio, type Sample } from './samples.ts';
import { spreadOf } from './statistics.ts';

const contestant = (name: string, log: string[], rounds?: number): Contestant => ({
  setting: 's',
  name,
  run: async (round) => {
    log.push(`${name}${round}`);
    return { speed: round };
  },
  ...(rounds === undefined ? {} : { rounds }),
});

const sample = (name: string, round: number, speed: number, setting = 's'): Sample => ({ setting, contestant: name, round, figures: { speed } });

describe('contestants', () => {
  it('take turns, and nobody always follows the same one', async () => {
    const log: string[] = [];
    await interleave([contestant('a', log), contestant('b', log), contestant('c', log)], 3, () => undefined);
    expect(log).toEqual(['a1', 'b1', 'c1', 'b2', 'c2', 'a2', 'c3', 'a3', 'b3']);
  });

  it('may leave after some rounds', async () => {
    const log: string[] = [];
    const samples = await interleave([contestant('a', log), contestant('b', log, 1)], 3, () => undefined);
    expect(log).toEqual(['a1', 'b1', 'a2', 'a3']);
    expect(samples).toHaveLength(4);
  });

  it('do not go on behind one that failed', async () => {
    const failing: Contestant = { setting: 's', name: 'a', run: () => Promise.reject(new Error('gone')) };
    await expect(interleave([failing], 1, () => undefined)).rejects.toThrow('gone');
  });
});

describe('a ratio', () => {
  const samples = [sample('a', 1, 10), sample('a', 2, 40), sample('a', 3, 90), sample('b', 1, 10), sample('b', 2, 20), sample('a', 1, 7, 'other')];

  it('is taken round by round, over the rounds that both have', () => {
    // 10/10 and 40/20; medians of each side would give 40/15.
    expect(ratio(samples, 's', 'a', 'b', 'speed')).toEqual({ median: 1.5, least: 1, most: 2, count: 2 });
  });

  it('is nothing where one of them was never measured', () => {
    expect(ratio(samples, 's', 'a', 'c', 'speed')).toBeUndefined();
  });

  it('keeps settings apart', () => {
    expect([...byRound(samples, 'other', 'a', 'speed')]).toEqual([[1, 7]]);
  });
});

describe('a spread', () => {
  it('has the middle one of an odd number, and the mean of the two middle ones of an even number', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3, count: 3 });
    expect(spreadOf([10, 1, 3, 2])?.median).toBe(2.5);
    expect(spreadOf([])).toBeUndefined();
  });
});
