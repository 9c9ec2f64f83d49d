import { describe, expect, it } from 'vitest';
import { reportJson, stableJson } from './json.ts';
import { runFixture } from './run.fixture.ts';

describe('report.json', () => {
  it('reads back as the report that was written', () => {
    const { report } = runFixture('eject');
    expect(JSON.parse(reportJson(report))).toEqual(JSON.parse(JSON.stringify(report)));
  });

  it('gives the same bytes whatever order keys were set in, with the outcome near the top', () => {
    const { report } = runFixture('eject');
    const reversed = Object.fromEntries(Object.entries(report).toReversed());
    expect(stableJson(reversed)).toBe(reportJson(report));
    expect(
      reportJson(report)
        .split('\n')
        .slice(1, 6)
        .map((line) => line.trim().split('"')[1]),
    ).toEqual(['format', 'scenario', 'variant', 'seed', 'outcome']);
  });

  it('keeps the order of lists, and ends with a line break', () => {
    expect(stableJson({ b: [2, 1], a: { d: 1, c: 2 } })).toBe('{\n  "a": {\n    "c": 2,\n    "d": 1\n  },\n  "b": [\n    2,\n    1\n  ]\n}\n');
  });
});
