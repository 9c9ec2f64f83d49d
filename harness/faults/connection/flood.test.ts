import { describe, expect, it } from 'vitest';
import type { FloodForm } from '../../cluster/flood-form.ts';
import { faultSchema } from '../index.ts';
import type { Arrived } from './arrivals.ts';
import { bites, type Look } from './dose.ts';
import { type FloodOptions, flood, floodKind } from './flood.ts';

describe('a flood', () => {
  it.each<[FloodOptions, string]>([
    [{ connections: 1_000, rate: '200/s' }, 'flood of 1000 idle connections at 200/s on edge'],
    [{ behaviour: 'herd', connections: 500, every: '2s' }, 'flood of a herd of 500 each 2s on edge'],
    [{ behaviour: 'half-closed', rate: '50/s' }, 'flood of 50/s half-closed connections on edge'],
  ])('is told in words: %j', (options, words) => {
    const fault = flood('edge', options);
    expect(faultSchema.parse(fault)).toEqual(fault);
    expect(floodKind.describe(fault)).toBe(words);
  });

  it.each<[object, string, string]>([
    [{}, 'connections', 'missing; write a whole number from 1 to 28000'],
    [{ connections: 28_001 }, 'connections', '28001 is not allowed; write a whole number from 1 to 28000'],
    [{ behaviour: 'flood' }, 'behaviour', "'flood' is not a behaviour; write 'idle', 'never-reading', 'slow-sender', 'herd', 'churn' or 'half-closed'"],
    [{ behaviour: 'churn' }, 'rate', "missing; write how many connections a second, such as '500/s'"],
    [{ behaviour: 'churn', rate: '1/s', connections: 3 }, 'connections', "not for 'churn', which opens so many a second; leave it out"],
    [{ behaviour: 'herd', connections: 3 }, 'every', "missing; write when the herd comes again, such as '2s'"],
    [{ behaviour: 'herd', connections: 3, every: '100ms' }, 'every', "'100ms' is too short for a herd, whose rounds are told apart; write '500ms' or more"],
    [{ behaviour: 'herd', connections: 3, every: '1s', rate: '1/s' }, 'rate', "not for 'herd', which comes all at once; leave it out"],
    [{ connections: 3, every: '1s' }, 'every', "not for 'idle'; only for 'herd' and 'slow-sender'"],
    [{ connections: 3, rate: '200' }, 'rate', "'200' is not a rate; write a number above zero and '/s', such as '2000/s' (1000000/s at most)"],
  ])('refuses %j in one line', (options, path, message) => {
    const issues = faultSchema.safeParse({ kind: 'flood', on: 'edge', ...options }).error?.issues ?? [];
    expect(issues.map((issue) => [issue.path.join('.'), issue.message])).toContainEqual([path, message]);
  });

  it('lasts at least as long as it takes to open all of it', () => {
    expect(floodKind.provingMs(flood('edge', { connections: 1_000, rate: '200/s' }))).toBe(6_000);
    expect(floodKind.provingMs(flood('edge', { behaviour: 'herd', connections: 1_000, every: '5s' }))).toBe(12_000);
  });
});

describe('what is seen of a flood', () => {
  const counts = (atMs: number, opening: number, closing = 0, bearing = 0): Arrived => ({ atMs, opening, closing, bearing });
  const look = (of: Partial<Look>): Look => ({
    seen: { standing: 0, halfClosed: 0, unread: 0 },
    told: { open: 1, turnedAway: 0 },
    now: counts(1_000, 0),
    before: counts(0, 0),
    ...of,
  });
  const standing = (count: number, turnedAway: number, unread = 0) =>
    look({ seen: { standing: count, halfClosed: 0, unread }, told: { open: count, turnedAway }, now: counts(1_000, count + turnedAway) });

  it.each<[string, FloodForm, Look, boolean]>([
    ['all of it stands', { kind: 'idle', connections: 1_000 }, standing(1_000, 0), true],
    ['a few are on their way', { kind: 'idle', connections: 1_000 }, standing(900, 0), true],
    ['half of it stands', { kind: 'idle', connections: 1_000 }, standing(500, 0), false],
    ['half of it stands, the rest was turned away', { kind: 'idle', connections: 1_000 }, standing(500, 500), true],
    [
      'all of it stands, and half of it is not answered',
      { kind: 'idle', connections: 1_000 },
      look({ seen: { standing: 1_000, halfClosed: 0, unread: 0 }, told: { open: 500, turnedAway: 0 }, now: counts(1_000, 1_000) }),
      false,
    ],
    [
      'half of it has come, and the rest is only said to be turned away',
      { kind: 'idle', connections: 1_000 },
      look({ seen: { standing: 1, halfClosed: 0, unread: 0 }, told: { open: 1, turnedAway: 999 }, now: counts(1_000, 500) }),
      false,
    ],
    [
      'nearly all of it has come, and was turned away but for one',
      { kind: 'idle', connections: 1_000 },
      look({ seen: { standing: 1, halfClosed: 0, unread: 0 }, told: { open: 1, turnedAway: 999 }, now: counts(1_000, 950) }),
      true,
    ],
    ['all of it was turned away', { kind: 'idle', connections: 1_000 }, standing(0, 1_000), false],
    ['half of what stands has bytes that wait', { kind: 'never-reading', connections: 100 }, standing(100, 0, 50), false],
    ['all of what stands has bytes that wait', { kind: 'never-reading', connections: 100 }, standing(100, 0, 95), true],
    ['churn at half of the rate', { kind: 'churn', ratePerSecond: 100 }, look({ now: counts(1_000, 50) }), false],
    ['churn at nearly all of it', { kind: 'churn', ratePerSecond: 100 }, look({ now: counts(1_000, 80) }), true],
    ['churn of which no rate is known', { kind: 'churn', ratePerSecond: 100 }, look({ now: counts(1_000, 5_000), before: undefined }), false],
    ['connections without a FIN', { kind: 'half-closed', ratePerSecond: 100 }, look({ now: counts(1_000, 100, 0) }), false],
    ['connections with a FIN', { kind: 'half-closed', ratePerSecond: 100 }, look({ now: counts(1_000, 100, 100) }), true],
    ['half a herd, in its third round', { kind: 'herd', connections: 100, everyMs: 500 }, look({ now: counts(1_300, 150), before: counts(900, 100) }), false],
    ['a herd in its first round', { kind: 'herd', connections: 100, everyMs: 500 }, look({ now: counts(400, 100), before: counts(0, 0) }), false],
    ['a herd in its second round', { kind: 'herd', connections: 100, everyMs: 500 }, look({ now: counts(800, 200), before: counts(450, 100) }), true],
  ])('%s', (_, form, seen, holds) => {
    expect(bites(form, seen)).toBe(holds);
  });

  it('slow senders send at their pace', () => {
    const form: FloodForm = { kind: 'slow-sender', connections: 100, everyMs: 100 };
    const sent = (bearing: number) =>
      look({ seen: { standing: 100, halfClosed: 0, unread: 0 }, told: { open: 100, turnedAway: 0 }, now: counts(1_000, 100, 0, bearing) });
    expect(bites(form, sent(1_000))).toBe(true);
    expect(bites(form, sent(500))).toBe(false);
  });
});
