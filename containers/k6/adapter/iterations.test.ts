import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Iteration, Iterations } from './iterations.ts';
import { type Sample, SampleReader } from './samples.ts';

const REQUEST = { kind: 'request', vu: 1, endMs: 110, tookMs: 8, status: 200, code: 0, error: '' } as const;

function listen(samples: readonly Sample[]) {
  const told = { ended: [] as Iteration[], dropped: [] as number[], sent: [] as number[], connected: [] as number[], trouble: [] as string[] };
  const iterations = new Iterations(
    { operations: ['search', 'buy'], other: 'iteration', timeoutMs: 300 },
    {
      ended: (iteration) => told.ended.push(iteration),
      dropped: (atMs) => told.dropped.push(atMs),
      sent: (atMs) => told.sent.push(atMs),
      connected: (atMs) => told.connected.push(atMs),
      trouble: (why) => told.trouble.push(why),
    },
  );
  for (const sample of samples) iterations.take(sample);
  return { ...told, iterations };
}

function recorded(): Sample[] {
  const samples: Sample[] = [];
  new SampleReader('load', (sample) => samples.push(sample)).read(readFileSync(join(import.meta.dirname, '../recorded/every-ending.csv'), 'utf8'));
  return samples;
}

describe('an iteration', () => {
  it('ends as its requests did: every ending that k6 was recorded with', () => {
    const { ended, dropped, sent, connected, trouble, iterations } = listen(recorded());
    expect(ended.map(({ operation, failed }) => `${operation} ${failed ?? 'answered'}`)).toEqual([
      'iteration answered',
      'search answered',
      'buy answered',
      'iteration server',
      'iteration refused',
      'iteration closed',
      'iteration closed',
      'iteration garbled',
      'iteration garbled',
      'iteration server',
      ...Array.from({ length: 6 }, () => 'iteration timeout'),
    ]);
    expect([dropped.length, sent.length, connected.length]).toEqual([4, 18, 12]);
    expect(connected.every((atMs) => sent.includes(atMs))).toBe(true);
    expect(trouble).toEqual([]);
    expect(iterations.underWay).toBe(0);
  });

  it('begins when k6 started it, and ends with its last answer, not with what the script does behind it', () => {
    const { ended, sent } = listen([REQUEST, { ...REQUEST, endMs: 130, tookMs: 15 }, { kind: 'iteration', vu: 1, endMs: 1_130, tookMs: 1_030 }]);
    expect(ended).toEqual([{ startMs: 100, endMs: 130, operation: 'iteration' }]);
    expect(sent).toEqual([102, 115]);
  });

  it('is not mixed up with that of another VU', () => {
    const { ended } = listen([
      { ...REQUEST, vu: 2, status: 500, code: 1_500 },
      REQUEST,
      { kind: 'iteration', vu: 1, endMs: 111, tookMs: 10 },
      { kind: 'iteration', vu: 2, endMs: 112, tookMs: 10 },
    ]);
    expect(ended.map(({ failed }) => failed)).toEqual([undefined, 'server']);
  });

  it('is told to be under way when k6 ends before it does', () => {
    expect(listen([REQUEST]).iterations.underWay).toBe(1);
  });

  it('keeps count of who has a connection', () => {
    const refused = { status: 0, code: 1_212, error: '' };
    expect(listen([REQUEST, { ...REQUEST, vu: 2, status: 500, code: 1_500 }]).iterations.connections).toBe(2);
    expect(listen([REQUEST, { ...REQUEST, ...refused }]).iterations.connections).toBe(0);
  });

  it.each<[string, Sample[], string]>([
    ['makes no request', [{ kind: 'iteration', vu: 1, endMs: 111, tookMs: 10 }], 'an iteration of the script made no HTTP request'],
    ['asks for what cannot be asked for', [{ ...REQUEST, status: 0, code: 1_020, error: 'invalid URL' }], 'cannot be asked for: invalid URL'],
    ['names an unknown operation', [{ ...REQUEST, operation: 'sell' }], "the tag operation 'sell', which k6Load does not know; known: search, buy"],
    ['does not hand on its timeout', [{ ...REQUEST, tookMs: 701 }], 'a request took 701 ms, and its timeout is 300 ms: the script must hand it on'],
  ])('that %s is trouble', (_, samples, why) => {
    expect(listen(samples).trouble).toEqual([expect.stringContaining(why)]);
  });

  it('may take half as long again as its timeout, and a quarter of a second, on a busy machine', () => {
    expect(listen([{ ...REQUEST, tookMs: 699 }]).trouble).toEqual([]);
  });
});
