import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Sample, SampleReader } from './samples.ts';

const RECORDED = readFileSync(join(import.meta.dirname, '../recorded/every-ending.csv'), 'utf8');
const HEADER = RECORDED.slice(0, RECORDED.indexOf('\n') + 1);

function read(...pieces: string[]): Sample[] {
  const samples: Sample[] = [];
  const reader = new SampleReader('load', (sample) => samples.push(sample));
  for (const piece of pieces) reader.read(piece);
  return samples;
}

describe("k6's samples", () => {
  it('are read from what k6 1.8.1 wrote: 18 requests of 16 iterations, 4 drops, a check', () => {
    const counts = Object.groupBy(read(RECORDED), ({ kind }) => kind);
    expect(Object.fromEntries(Object.entries(counts).map(([kind, those]) => [kind, those.length]))).toEqual({
      request: 18,
      connect: 12,
      iteration: 16,
      dropped: 4,
      unchecked: 1,
    });
    expect(counts.request?.slice(0, 4)).toEqual([
      { kind: 'request', vu: 1, endMs: 1_795_283_033_427.233, tookMs: 4.835084, status: 200, code: 0, error: '' },
      { kind: 'request', vu: 2, endMs: 1_795_283_033_523.85, tookMs: 0.762709, status: 200, code: 0, error: '', operation: 'search' },
      { kind: 'request', vu: 1, endMs: 1_795_283_033_622.714, tookMs: 0.613308, status: 200, code: 0, error: '', operation: 'buy' },
      { kind: 'request', vu: 1, endMs: 1_795_283_033_623.292, tookMs: 0.511668, status: 200, code: 0, error: '', operation: 'search' },
    ]);
    expect(counts.iteration?.[0]).toEqual({ kind: 'iteration', vu: 1, endMs: 1_795_283_033_427.322, tookMs: 5.442834 });
    expect(counts.dropped?.[0]).toEqual({ kind: 'dropped', atMs: 1_795_283_034_621.932 });
  });

  it('are the same wherever the pieces are cut', () => {
    const whole = read(RECORDED);
    for (let at = 0; at < RECORDED.length; at += 7) expect(read(RECORDED.slice(0, at), RECORDED.slice(at))).toEqual(whole);
    expect(read(...RECORDED)).toEqual(whole);
  });

  it('may hold commas, quotes and ends of lines', () => {
    const samples = read(
      HEADER,
      'http_req_duration,1000000,2.5,,"a, ""b""\nand, c",1000,load,0,"operation=x,y",vu=3\n',
      'checks,1000000,0.000000,"says, ""no""",,,load,,,vu=3\n',
    );
    expect(samples).toEqual([
      { kind: 'request', vu: 3, endMs: 1_000, tookMs: 2.5, status: 0, code: 1_000, error: 'a, "b"\nand, c', operation: 'x,y' },
      { kind: 'unchecked', vu: 3, check: 'says, "no"' },
    ]);
  });

  it('may be cut in the middle of a field that goes on in the next line', () => {
    const rows = `${HEADER}http_req_duration,1000000,2.5,,"a\nb\nc",1000,load,0,,vu=3\niteration_duration,1000000,2.5,,,,load,,,vu=3\n`;
    for (let at = 0; at < rows.length; at++) expect(read(rows.slice(0, at), rows.slice(at))).toMatchObject([{ error: 'a\nb\nc' }, { kind: 'iteration' }]);
  });

  it('are none of setup, nor of another scenario', () => {
    const rows = ['', 'other'].map((scenario) => `http_req_duration,1000000,2.5,,,,${scenario},200,,vu=1\n`);
    expect(read(HEADER, ...rows)).toEqual([]);
  });

  it('are refused in one line when they are none of k6', () => {
    expect(() => read('hello\n')).toThrow("k6 wrote no column 'metric_name': 'hello'");
    expect(() => read(HEADER, 'iteration_duration,soon,2.5,,,,load,,,vu=1\n')).toThrow("k6 wrote a sample that cannot be read: 'iteration_duration,soon");
  });
});
