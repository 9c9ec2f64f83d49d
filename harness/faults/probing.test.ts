import { describe, expect, it } from 'vitest';
import { asBefore, median, onAll } from './probing.ts';

const answered = (ms: number) => ({ kind: 'answered', ms }) as const;

describe('onAll', () => {
  const there = async () => undefined;

  it('takes back what was done when one target fails, and throws its failure', async () => {
    const healed: string[] = [];
    const act = (name: string) => async () => ({
      undo: async () => {
        healed.push(name);
      },
      missing: there,
    });
    const failing = async () => {
      throw new Error('no');
    };
    await expect(onAll([act('a'), failing, act('b')])).rejects.toThrow('no');
    expect(healed).toEqual(['a', 'b']);
  });

  it('heals once, however often it is asked to', async () => {
    let heals = 0;
    const { heal } = await onAll([
      async () => ({
        undo: async () => {
          heals++;
        },
        missing: there,
      }),
    ]);
    await heal();
    await heal();
    expect(heals).toBe(1);
  });

  it('heals every target even when one of them fails, and then says so', async () => {
    let healed = false;
    const { heal } = await onAll([
      async () => ({
        undo: async () => {
          throw new Error('stuck');
        },
        missing: there,
      }),
      async () => ({
        undo: async () => {
          healed = true;
        },
        missing: there,
      }),
    ]);
    await expect(heal()).rejects.toThrow('stuck');
    expect(healed).toBe(true);
  });

  it('is missing when it is missing at one of its targets, and nobody knows when nobody knows of one', async () => {
    const done = (missing: () => Promise<string | undefined>) => async () => ({ undo: there, missing });
    expect(await (await onAll([done(there), done(there)])).missing()).toBeUndefined();
    expect(await (await onAll([done(there), done(async () => 'gone from b')])).missing()).toBe('gone from b');
    const dumb = async () => {
      throw new Error('no answer');
    };
    await expect((await onAll([done(there), done(dumb)])).missing()).rejects.toThrow('no answer');
  });
});

describe('asBefore', () => {
  const baseline = { medianMs: 10, maxMs: 12 };

  it('allows three times the baseline, and no more', () => {
    expect(asBefore([answered(28), answered(29), answered(30)], baseline)).toBe(true);
    expect(asBefore([answered(31), answered(31), answered(31)], baseline)).toBe(false);
  });

  it('does not let one that is still ill hide among others that are well', () => {
    expect(asBefore([answered(1), answered(1), answered(1_000)], baseline)).toBe(false);
  });

  it('wants every probe answered', () => {
    expect(asBefore([answered(1), answered(1), { kind: 'silent', ms: 300 }], baseline)).toBe(false);
  });
});

describe('median', () => {
  it('is the middle one, and no number of nothing', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([])).toBeNaN();
  });
});
