import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { seeded } from '../../harness/core/random.ts';
import { describe as describeArrivals } from '../../harness/load/demand/arrivals.ts';
import { pacerOf } from '../../harness/load/demand/pacer.ts';
import { oneLine } from '../../harness/run/oneline.ts';
import { type Demand, type DemandOptions, demandFields, demandOf, refuseMisfits } from './demand.ts';
import { exactly } from './fields.ts';

const schema = exactly(demandFields).superRefine(refuseMisfits);
const demand = (options: DemandOptions): Demand => demandOf(schema.parse(options));
const arrivals = (rate: unknown) => demand({ rate } as DemandOptions).arrivals;

const folder = mkdtempSync(join(tmpdir(), 'replay-'));
afterAll(() => rmSync(folder, { recursive: true }));
function fileOf(text: string): string {
  const path = join(folder, `${Math.abs(text.length)}-${text.slice(0, 8).replace(/\W/g, '_')}.txt`);
  writeFileSync(path, text);
  return path;
}

describe('demand', () => {
  it('is a constant rate over 2000 keys of 100 bytes, each with the same chance, unless told otherwise', () => {
    expect(demand({ rate: '2000/s' })).toEqual({
      arrivals: { kind: 'segments', spacing: 'even', segments: [{ kind: 'hold', ratePerSecond: 2_000 }] },
      keys: 2_000,
      keyChoice: { kind: 'uniform' },
      values: { kind: 'fixed', bytes: 100 },
    });
  });

  it('takes holds, ramps and bursts in a row, of which the last may be without end', () => {
    const given = demand({
      rate: [
        { hold: '1000/s', for: '10s' },
        { ramp: '1000/s', to: '5000/s', for: '1.5s' },
        { burst: 500, every: '250ms' },
      ],
      arrivals: 'poisson',
    });
    expect(given.arrivals).toEqual({
      kind: 'segments',
      spacing: 'poisson',
      segments: [
        { kind: 'hold', ratePerSecond: 1_000, forMs: 10_000 },
        { kind: 'ramp', fromPerSecond: 1_000, toPerSecond: 5_000, forMs: 1_500 },
        { kind: 'burst', hits: 500, everyMs: 250 },
      ],
    });
    expect(arrivals([{ burst: 1, every: '10s', for: '5s' }])).toMatchObject({ segments: [{ kind: 'burst', hits: 1, everyMs: 10_000, forMs: 5_000 }] });
    expect(arrivals([{ ramp: '1/s', to: '2/s' }])).toMatchObject({ segments: [{ kind: 'ramp', fromPerSecond: 1, toPerSecond: 2 }] });
  });

  it('reads a recording from a list, or from a file in which # begins a comment', () => {
    expect(arrivals({ replay: [0, 1.5, 1.5] })).toEqual({ kind: 'replay', dueMs: [0, 1.5, 1.5] });
    const path = fileOf('\uFEFF# recorded on a Friday\r\n0\r\n1.5 # the second\n\n  1.5\n2e1\n');
    expect(arrivals({ replay: path })).toEqual({ kind: 'replay', dueMs: [0, 1.5, 1.5, 20] });
    expect(arrivals({ replay: relative(process.cwd(), path) })).toEqual({ kind: 'replay', dueMs: [0, 1.5, 1.5, 20] });
  });

  it.each<[DemandOptions['keyChoice'], Demand['keyChoice']]>([
    ['uniform', { kind: 'uniform' }],
    ['sequential', { kind: 'sequential' }],
    [{ zipf: 0.99 }, { kind: 'zipf', exponent: 0.99 }],
    [
      { hot: 100, share: '90%' },
      { kind: 'hot', hot: 100, hotShare: 0.9 },
    ],
  ])('takes the key choice %j', (keyChoice, expected) => {
    expect(demand({ rate: '1/s', keyChoice: keyChoice as 'uniform' }).keyChoice).toEqual(expected);
  });

  it.each<[DemandOptions['valueBytes'], Demand['values']]>([
    [0, { kind: 'fixed', bytes: 0 }],
    [
      { from: 0, to: 1_000_000 },
      { kind: 'between', fromBytes: 0, toBytes: 1_000_000 },
    ],
    [{ lognormal: { median: 300, sigma: 1.2, most: 100_000 } }, { kind: 'lognormal', medianBytes: 300, sigma: 1.2, mostBytes: 100_000 }],
    [
      [
        { bytes: 100, share: '90%' },
        { bytes: 10_000, share: '10%' },
      ],
      {
        kind: 'mixed',
        parts: [
          { bytes: 100, share: 0.9 },
          { bytes: 10_000, share: 0.1 },
        ],
      },
    ],
  ])('takes values of %j bytes', (valueBytes, expected) => {
    expect(demand({ rate: '1/s', valueBytes: valueBytes as number }).values).toEqual(expected);
  });

  it('comes through JSON as it is, and means the same there', () => {
    const given = demand({
      rate: [
        { hold: '100/s', for: '1s' },
        { burst: 5, every: '1s' },
      ],
      keyChoice: { zipf: 1 },
      valueBytes: { from: 1, to: 2 },
    });
    const read = JSON.parse(JSON.stringify(given)) as Demand;
    expect(read).toEqual(given);
    const pacer = pacerOf(read.arrivals, 3_000, seeded(1));
    expect(pacer(104)).toBe(1_000);
    expect(pacer(105)).toBe(2_000);
    expect(describeArrivals(read.arrivals)).toBe('100/s for 1 s, then bursts of 5 each 1 s');
  });

  const SEGMENT = "{ hold: '1000/s', for: '10s' }";
  it.each<[string, object, string]>([
    ['a missing rate', { rate: undefined }, "rate: missing; write a rate, such as '2000/s'"],
    ['a rate without unit', { rate: '2000' }, "rate: '2000' is not a rate; write a number above zero and '/s'"],
    ['a rate of zero', { rate: '0/s' }, "rate: '0/s' is not a rate"],
    ['a negative rate', { rate: '-1/s' }, "rate: '-1/s' is not a rate"],
    ['a bare number as rate', { rate: 2_000 }, "rate: 2000 is not a rate; write '2000/s', a list of segments"],
    ['a rate that is not a number', { rate: Number.NaN }, 'rate: NaN is not a rate'],
    ['an unknown kind of rate', { rate: { hold: '1/s' } }, 'rate: { hold } is not a rate'],
    ['no segment', { rate: [] }, `rate: no segment; write one or more, such as ${SEGMENT}`],
    ['too many segments', { rate: Array.from({ length: 1_001 }, () => ({ hold: '1/s', for: '1s' })) }, 'rate: more than 1000 segments'],
    ['another segment', { rate: [{ pause: '1s' }] }, `rate[0]: { pause } is not a segment; write ${SEGMENT}`],
    ['nothing as a segment', { rate: [null] }, 'rate[0]: null is not a segment'],
    ['an endless segment in the middle', { rate: [{ hold: '1/s' }, { hold: '2/s' }] }, 'rate[0].for: missing; only the last segment can do without'],
    ['a segment of no time', { rate: [{ hold: '1/s', for: '0ms' }] }, "rate[0].for: '0ms' is too short; write '1ms' or more"],
    ['a length without unit', { rate: [{ hold: '1/s', for: '10' }] }, "rate[0].for: '10' is not a duration"],
    ['an infinite length', { rate: [{ hold: '1/s', for: Number.POSITIVE_INFINITY }] }, 'rate[0].for: Infinity; write a duration'],
    ['a hold of zero', { rate: [{ hold: '1/s', for: '1s' }, { hold: '0/s' }] }, "rate[1].hold: '0/s' is not a rate"],
    ['a hold with more', { rate: [{ hold: '1/s', until: '1s' }] }, "rate[0]: unknown key 'until'; known: hold, for"],
    ['a hold that ramps', { rate: [{ hold: '1/s', ramp: '1/s' }] }, "rate[0]: unknown key 'ramp'; known: hold, for"],
    ['a ramp to nowhere', { rate: [{ ramp: '1/s', for: '1s' }] }, "rate[0].to: missing; write a rate, such as '2000/s'"],
    ['a burst without every', { rate: [{ burst: 500, for: '1s' }] }, "rate[0].every: missing; write a duration, such as '250ms'"],
    ['a burst at no distance', { rate: [{ burst: 500, every: '0s' }] }, "rate[0].every: '0s' is too short; write '1ms' or more"],
    ['a burst of nothing', { rate: [{ burst: 0, every: '1s' }] }, 'rate[0].burst: 0 is not allowed; write a whole number from 1 to 1000000'],
    ['half a hit', { rate: [{ burst: 1.5, every: '1s' }] }, 'rate[0].burst: 1.5 is not allowed; write a whole number from 1 to 1000000'],
    ['bursts beyond all rates', { rate: [{ burst: 2_000, every: '1ms' }] }, 'rate[0].burst: 2000 each 1ms is 2000000/s; 1000000/s at most'],
    ['an unknown way to arrive', { arrivals: 'uniform' }, "arrivals: 'uniform' is not allowed; write 'even' or 'poisson'"],
    ['a spacing of recorded times', { rate: { replay: [0] }, arrivals: 'poisson' }, "arrivals: 'poisson' is not allowed beside a replay"],
    ['a replay of nothing', { rate: { replay: [] } }, 'rate.replay: no times; write one or more'],
    ['a replay without times', { rate: { replay: undefined } }, 'rate.replay: missing; write the path of a file or a list of times'],
    ['a replay of a number', { rate: { replay: 5 } }, 'rate.replay: 5 is not allowed; write the path of a file or a list of times'],
    ['a replay with more', { rate: { replay: [0], speed: 2 } }, "rate: unknown key 'speed'; known: replay"],
    ['a replay that falls', { rate: { replay: [0, 5, 4] } }, 'rate.replay: time 3 of 3: 4 is less than the one before it, 5; times must not fall'],
    ['a replay from before', { rate: { replay: [-1] } }, 'rate.replay: time 1 of 1: -1 is not a time; write ms from 0 to 86400000'],
    ['a replay of NaN', { rate: { replay: [0, Number.NaN] } }, 'rate.replay: time 2 of 2: NaN is not a time'],
    ['a replay for ever', { rate: { replay: [Number.POSITIVE_INFINITY] } }, 'rate.replay: time 1 of 1: Infinity is not a time'],
    ['a replay of words', { rate: { replay: ['0'] } }, "rate.replay: time 1 of 1: '0' is not a time"],
    ['a replay with gaps', { rate: { replay: [undefined, 1] } }, 'rate.replay: time 1 of 2: undefined is not a time'],
    ['too long a replay', { rate: { replay: Array.from({ length: 1_000_001 }, () => 0) } }, 'rate.replay: 1000001 times; 1000000 at most'],
    ['a missing file', { rate: { replay: 'no/such.txt' } }, `rate.replay: cannot read 'no/such.txt' from ${process.cwd()}: ENOENT`],
    ['a folder', { rate: { replay: folder } }, `rate.replay: '${folder}' is not a file`],
    ['a device', { rate: { replay: '/dev/zero' } }, "rate.replay: '/dev/zero' is not a file"],
    ['no key', { keys: 0 }, 'keys: 0 is not allowed; write a whole number from 1 to 1000000'],
    ['too many keys', { keys: 1_000_001 }, 'keys: 1000001 is not allowed; write a whole number from 1 to 1000000'],
    [
      'another key choice',
      { keyChoice: 'random' },
      "keyChoice: 'random' is not allowed; write 'uniform', 'sequential', { zipf: 0.99 } or { hot: 100, share: '90%' }",
    ],
    ['an exponent of zero', { keyChoice: { zipf: 0 } }, 'keyChoice.zipf: 0 is not allowed; write a number above 0, up to 5, such as 0.99'],
    ['too steep an exponent', { keyChoice: { zipf: 5.1 } }, 'keyChoice.zipf: 5.1 is not allowed'],
    ['an exponent that is not a number', { keyChoice: { zipf: Number.NaN } }, 'keyChoice.zipf: NaN is not allowed; write a number above 0, up to 5'],
    ['an exponent as text', { keyChoice: { zipf: '1' } }, "keyChoice.zipf: '1' is not allowed; write a number above 0, up to 5"],
    ['hot keys without share', { keyChoice: { hot: 5 } }, "keyChoice.share: missing; write a share, such as '90%'"],
    ['a share of nothing', { keyChoice: { hot: 5, share: '0%' } }, "keyChoice.share: '0%' is not allowed; write more than zero, such as '90%'"],
    ['more than all', { keyChoice: { hot: 5, share: '101%' } }, "keyChoice.share: '101%' is not a share"],
    ['no hot key', { keyChoice: { hot: 0, share: '90%' } }, 'keyChoice.hot: 0 is not allowed; write a whole number from 1 to 999999'],
    ['only hot keys', { keys: 100, keyChoice: { hot: 100, share: '90%' } }, 'keyChoice.hot: 100 of 100 keys is not allowed; let fewer be hot than there are'],
    ['more hot keys than the default has', { keyChoice: { hot: 2_000, share: '90%' } }, 'keyChoice.hot: 2000 of 2000 keys is not allowed'],
    ['too long values', { valueBytes: 1_000_001 }, 'valueBytes: 1000001 is not allowed; write a whole number from 0 to 1000000'],
    ['values as text', { valueBytes: '100' }, "valueBytes: '100' is not allowed; write a number of bytes, { from: 100, to: 1000 }"],
    ['values from more to less', { valueBytes: { from: 5, to: 4 } }, 'valueBytes.from: 5 is more than to, which is 4'],
    ['values from somewhere', { valueBytes: { from: 5 } }, 'valueBytes.to: missing; write a whole number from 0 to 1000000'],
    ['a median of nothing', { valueBytes: { lognormal: { median: 0, sigma: 1, most: 10 } } }, 'valueBytes.lognormal.median: 0 is not allowed'],
    [
      'a median beyond the most',
      { valueBytes: { lognormal: { median: 11, sigma: 1, most: 10 } } },
      'valueBytes.lognormal.median: 11 is more than most, which is 10',
    ],
    [
      'no deviation',
      { valueBytes: { lognormal: { median: 1, sigma: 0, most: 10 } } },
      'valueBytes.lognormal.sigma: 0 is not allowed; write a number above 0, up to 5',
    ],
    ['no length', { valueBytes: [] }, 'valueBytes: no length; write one or more'],
    ['lengths of half the values', { valueBytes: [{ bytes: 1, share: '50%' }] }, 'valueBytes: shares 50% add up to 50%, not to 100%'],
    ['a length without share', { valueBytes: [{ bytes: 1 }] }, "valueBytes[0].share: missing; write a share, such as '90%'"],
    [
      'a length with half a share',
      {
        valueBytes: [
          { bytes: 1, share: '100%' },
          { bytes: 2, share: '5' },
        ],
      },
      "valueBytes[1].share: '5' is not a share",
    ],
    ['an unknown option', { keyChoise: 'uniform' }, "unknown key 'keyChoise'; known: rate, arrivals, keys, keyChoice, valueBytes"],
  ])('refuses %s in one line that names the key', (_, change, words) => {
    const result = schema.safeParse({ rate: '2000/s', ...change });
    if (result.success) throw new Error('nothing was refused');
    const line = oneLine(result.error, 'options');
    expect(line).toContain(words);
    expect(line).not.toContain('\n');
    // One mistake is told once.
    expect(line).not.toMatch(/\(and \d+ more\)$/);
  });

  it('leaves the hot keys to tenants where there are any, who have keys of their own', () => {
    const shared = exactly({ ...demandFields, tenants: z.array(z.string()).optional() }).superRefine(refuseMisfits);
    const given = { rate: '2000/s', keys: 100, keyChoice: { hot: 100, share: '90%' } };
    expect(shared.safeParse(given).success).toBe(false);
    expect(shared.safeParse({ ...given, tenants: ['a'] }).success).toBe(true);
  });

  it.each<[string, string, string]>([
    ['a word in line 7', '1\n2\n3\n4\n5\n# six\nseven\n8\n', "line 7: 'seven' is not a time; write ms from 0 to 86400000"],
    ['a negative time', '-1\n', "line 1: '-1' is not a time"],
    ['two numbers in a line', '1 2\n', "line 1: '1 2' is not a time"],
    ['a number in hexadecimal', '0x10\n', "line 1: '0x10' is not a time"],
    ['infinity', 'Infinity\n', "line 1: 'Infinity' is not a time"],
    ['a time beyond a day', '86400001\n', 'line 1: 86400001 is not a time'],
    ['a time that falls', '5\n# and then\n4\n', 'line 3: 4 is less than the one before it, 5; times must not fall'],
    ['comments only', '# nothing\n', 'has no times; write one a line'],
    ['one more than a million', '0\n'.repeat(1_000_001), 'line 1000001: more than 1000000 times'],
  ])('refuses a file with %s', (_, text, words) => {
    const path = fileOf(text);
    const result = schema.safeParse({ rate: { replay: path } });
    if (result.success) throw new Error('nothing was refused');
    const line = oneLine(result.error, 'options');
    expect(line).toMatch(/^rate\.replay: '/);
    expect(line).toContain(path);
    expect(line).toContain(words);
  });
});
