import { describe, expect, it } from 'vitest';
import type { Measurement } from './bench.ts';
import { versionIn } from './peers.ts';
import { report } from './report.ts';
import { short, spreadText, table } from './table.ts';
import { type Target, targetTable, verdictOf } from './targets.ts';

const target = (changes: Partial<Target>): Target => ({
  what: 'throughput',
  reach: '1.4 x memtier',
  bound: 1.4,
  side: 'at least',
  measured: { median: 1.4, least: 1.1, most: 1.5, count: 5 },
  ...changes,
});

describe('a target', () => {
  it('is reached at its bound', () => {
    expect(verdictOf(target({}))).toBe('reached');
    expect(verdictOf(target({ side: 'at most' }))).toBe('reached');
  });

  it('is not reached below, or beyond where less is better', () => {
    expect(verdictOf(target({ bound: 1.41 }))).toBe('not reached');
    expect(verdictOf(target({ bound: 1.39, side: 'at most' }))).toBe('not reached');
  });

  it('is never reached unmeasured', () => {
    expect(verdictOf(target({ measured: undefined }))).toBe('not measured');
    expect(targetTable([target({ measured: undefined, why: 'memtier not found' })])).toContain('| - | 0 | not measured: memtier not found |');
  });

  it('stands in a table with its spread', () => {
    expect(targetTable([target({ bound: 2 })])).toContain('| throughput | 1.4 x memtier | 1.40 (1.10 to 1.50) | 5 | **not reached** |');
  });
});

describe('the report', () => {
  const measurement: Measurement = {
    name: 'flood',
    title: 'Opening connections',
    uses: ['wrk', 'wrk2'],
    measure: async () => [],
    tell: (samples) => ({ targets: [target({})], text: `${samples.length} samples` }),
  };
  const machine = { cores: 2, processor: 'EPYC', kernel: '6.18', system: 'Debian 12', busyCores: 0.5 };
  const head = { measurement: 'flood', at: '2026-11-21T17:00:00.000Z', rounds: 5, seconds: 2, node: '24.21.0', machine, peers: { wrk: '4.1.0' } };
  const text = report(
    [{ measurement, stored: { head, samples: [] } }],
    [
      { name: 'wrk', command: 'wrk', source: { debian: 'wrk' } },
      { name: 'k6', command: 'k6', source: { go: 'go.k6.io/k6' } },
      { name: 'wrk2', command: 'wrk2', source: { byHand: 'github.com/giltene/wrk2' } },
    ],
  );

  it('counts verdicts', () => {
    expect(text).toContain('1 of 1 targets reached, 0 not reached, 0 not measured.');
  });

  it('says on which machine, and that it was not quiet', () => {
    expect(text).toContain('2026-11-21 17:00 UTC, up to 5 rounds of 2 s; EPYC, 2 cores, Debian 12, Linux 6.18, Node 24.21.0; **not quiet before: 0.5 cores');
  });

  it('names peers that were not found', () => {
    expect(text).toContain('| wrk | 4.1.0 |');
    expect(text).not.toContain('k6');
    expect(text).toContain('| wrk2 | not found; it comes from github.com/giltene/wrk2');
  });
});

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.012345, '0.0123'],
    [1.234, '1.23'],
    [12.34, '12.3'],
    [99.95, '100'],
    [123_456.7, '123,457'],
    [Number.NaN, '-'],
  ])('%s reads %s', (value, text) => {
    expect(short(value)).toBe(text);
  });

  it('of several rounds show their extremes', () => {
    expect(spreadText({ median: 2, least: 1, most: 3, count: 3 })).toBe('2 (1 to 3)');
    expect(spreadText({ median: 2, least: 2, most: 2, count: 1 })).toBe('2');
    expect(spreadText(undefined)).toBe('-');
  });

  it('stand to the right, texts to the left', () => {
    expect(table(['a', 'b'], [['x', '1']])).toBe('| a | b |\n| --- | ---: |\n| x | 1 |');
  });
});

describe('a version', () => {
  it.each([
    ['memcached 1.6.18\n', '1.6.18'],
    ['wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer\n', '4.1.0-3+b2'],
    ['k6 v1.8.1 (go1.26.8, linux/amd64)', '1.8.1'],
    ['Version: v12.13.0\nCommit: \n', '12.13.0'],
    ['memslap v1.1 (libmemcached v1.1.4)', '1.1'],
    ['something else', 'something else'],
  ])('is found in %j', (text, version) => {
    expect(versionIn(text)).toBe(version);
  });
});
