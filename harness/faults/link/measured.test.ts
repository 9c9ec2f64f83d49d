import { describe, expect, it } from 'vitest';
import { InvalidRunError } from '../../core/errors.ts';
import { bandwidth, bandwidthKind } from './bandwidth.ts';
import { directionShows, exchangesFor, isDose, lanesFor, refuseSlow } from './delays.ts';
import { latency, latencyKind } from './latency.ts';
import { limitData, limitDataKind } from './limit-data.ts';
import { untilQuiet } from './measured.ts';
import { piecesOf, slicer, slicerKind } from './slicer.ts';
import { slowClose, slowCloseKind } from './slow-close.ts';

const LINK = 'proxy-1 -> mc-1';
const asked = { delayMs: 10, jitterMs: 5, share: 0.15, stream: 'downstream' } as const;
const answered = (ms: number) => ({ kind: 'answered', ms }) as const;
const closed = (ms: number) => ({ kind: 'closed', ms, reset: false }) as const;
const baseline = { medianMs: 0.5, maxMs: 2 };
/** Of `count` exchanges this share takes from `fromMs` to `toMs`, evenly; the others half a millisecond. */
const row = (count: number, share: number, fromMs: number, toMs: number) =>
  Array.from({ length: count }, (_, i) => answered(i < count * share ? fromMs + ((toMs - fromMs) * i) / (count * share) : 0.5));

describe('a share of requests', () => {
  it('is told from half of it, from twice it, and from all', () => {
    expect(exchangesFor(asked)).toBe(726);
    expect([0.075, 0.15, 0.3, 1].map((share) => isDose(row(726, share, 5, 15), baseline, asked))).toEqual([false, true, false, false]);
  });

  it('is told from half the delay and from half the jitter', () => {
    expect(isDose(row(726, 0.15, 2.5, 7.5), baseline, asked)).toBe(false);
    expect(isDose(row(726, 0.15, 7.5, 12.5), baseline, asked)).toBe(false);
  });

  it('is not looked for where a machine is that slow by itself', () => {
    expect(() => refuseSlow(row(726, 0.01, 5, 15), asked)).not.toThrow();
    expect(() => refuseSlow(row(726, 0.05, 5, 15), asked)).toThrow('5% of 726 probes took 5 ms or longer before the fault');
  });

  it('takes more connections where each exchange is long, so that a look stays short', () => {
    expect([10, 100, 1_000].map((delayMs) => lanesFor({ ...asked, delayMs }))).toEqual([4, 22, 64]);
  });
});

describe('what is normal', () => {
  /** Looks that see one of these after the other, the last of them for ever. */
  const seeing = (...seen: readonly number[]) => {
    let looks = 0;
    return { look: async () => seen[Math.min(looks++, seen.length - 1)] as number, count: () => looks };
  };
  const refuse = (ms: number) => {
    if (ms >= 20) throw new InvalidRunError(`took ${ms} ms before the fault`);
  };

  it('is what a quiet machine shows, not what one shows that stood still for a moment', async () => {
    const { look, count } = seeing(35, 21, 2, 30);
    expect(await untilQuiet(look, refuse)).toBe(2);
    expect(count()).toBe(3);
  });

  it('is refused on a link that is slow in every look, for as long as there is time', async () => {
    const { look, count } = seeing(35, 25);
    await expect(untilQuiet(look, refuse, 120)).rejects.toThrow('took 25 ms before the fault');
    expect(count()).toBeGreaterThan(1);
  });
});

it.each([
  [20, 20, true],
  [20, 34, true],
  [20, 40, false],
  [20, 60, false],
  [5, 10, true],
  [5, 11, false],
  [300, 340, true],
  [300, 600, false],
])('a delay of %i ms that was asked for is told from one of %i', (delayMs, seenMs, holds) => {
  const all = { delayMs, jitterMs: 0, share: 1, stream: 'downstream' } as const;
  expect(isDose([answered(seenMs + 0.5), answered(seenMs + 0.4), answered(seenMs + 3)], baseline, all)).toBe(holds);
});

it('shows its direction by words that are late, or are not', () => {
  const [late, punctual] = [Array.from({ length: 3 }, () => closed(12)), [closed(12), closed(1), closed(12)]];
  const all = { ...asked, share: 1 };
  expect([late, punctual].map((words) => directionShows(words, all))).toEqual([false, true]);
  expect([late, punctual].map((words) => directionShows(words, { ...all, stream: 'upstream' }))).toEqual([true, false]);
  expect(directionShows([closed(1), { kind: 'silent', ms: 2_000 }], all)).toBe(false);
});

it('counts the pieces that bytes are cut into', () => {
  expect([1_600, 1_601, 100, 101, 10].map((bytes) => piecesOf(bytes, 100, 0))).toEqual([16, 17, 1, 2, 1]);
  expect(piecesOf(1_600, 100, 30, () => 0.5)).toBe(16);
});

describe('bad input', () => {
  const said = (schema: { safeParse(one: unknown): { success: boolean; error?: { issues: readonly { message: string }[] } | undefined } }, fault: unknown) =>
    schema.safeParse(fault).error?.issues[0]?.message;

  it('is told in a line that names what is allowed', () => {
    expect(said(latencyKind.schema, latency(LINK, '10ms', { jitter: '8ms' }))).toBe(
      "'8ms' is out of range; write 2ms to 5ms, so that the delay is 5ms or more",
    );
    expect(said(latencyKind.schema, latency(LINK, '10ms', { share: '1%' }))).toBe("'1%' is out of range; write 5% to 100%");
    expect(said(latencyKind.schema, { ...latency(LINK, '10ms'), stream: 'both' })).toMatch(/upstream/);
    expect(said(bandwidthKind.schema, bandwidth(LINK, '1KB/s'))).toBe("'1KB/s' is out of range; write 4KB/s to 10MB/s");
    expect(said(bandwidthKind.schema, bandwidth(LINK, '100KB' as '1KB/s'))).toBe(
      "'100KB' is not a rate; write bytes (B, KB or MB) and '/s', such as '100KB/s'",
    );
    expect(said(limitDataKind.schema, limitData(LINK, '2MB'))).toBe("'2MB' is out of range; write 1B to 1MB");
    expect(said(slowCloseKind.schema, slowClose(LINK, '10ms'))).toMatch(/out of range/);
    expect(said(slicerKind.schema, slicer(LINK, { averageBytes: 100, spread: 50 }))).toBe('50 is out of range; write less than half of averageBytes, 50');
    expect(said(slicerKind.schema, slicer(LINK, { averageBytes: 100.5 }))).toBe('write a whole number of bytes');
  });

  it('is not said of what is right', () => {
    for (const [schema, fault] of [
      [latencyKind.schema, latency(LINK, '10ms', { jitter: '5ms', share: '15%', stream: 'upstream' })],
      [bandwidthKind.schema, bandwidth(LINK, '1.5MB/s')],
      [limitDataKind.schema, limitData(LINK, '64KB')],
      [slowCloseKind.schema, slowClose(LINK, '5s')],
      [slicerKind.schema, slicer(LINK, { averageBytes: 100, spread: 20, delay: '2ms' })],
    ] as const)
      expect(said(schema, fault)).toBeUndefined();
  });
});
