import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { faultMarks, HEALED_MS, INJECTED_MS, synthetic } from '../timeline/synthetic.fixture.ts';
import {
  connections,
  errors,
  goodput,
  isolation,
  judgeObjective,
  type Objective,
  objectiveNames,
  objectiveSchema,
  percentile,
  recovery,
  ripple,
} from './index.ts';

const all: Objective[] = [
  percentile(99.9, { under: '25ms', when: 'before', among: 'healthy shards', orTimesBaseline: '3x', grace: '0s' }),
  errors({ atMost: '0%', when: 'after' }),
  goodput({ atLeast: '95%', when: 'during', grace: '1s' }),
  isolation({ p99Under: '25ms' }),
  recovery({ within: '5s', from: 'healed', to: { p99Under: '25ms', goodputAtLeast: '99%' }, holds: '2s' }),
  recovery({ within: '5s', from: 'healed', to: 'first success' }),
  ripple({ from: 'mc-3', atLeast: '20x' }),
  connections({ at: 'proxy-*', growBy: '3x' }),
];

/** The first complaint, with the key that it is about. */
const complaint = (value: unknown) => {
  const [issue] = objectiveSchema.safeParse(value).error?.issues ?? [];
  return issue && `${issue.path.join('.')}: ${issue.message}`;
};

describe('an objective as data', () => {
  it('is accepted as its builder makes it, for every kind', () => {
    expect([...new Set(all.map((objective) => objective.kind))]).toEqual(objectiveNames);
    for (const objective of all) expect(objectiveSchema.parse(objective)).toEqual(objective);
  });

  it('comes back from JSON as it was, and is judged the same', () => {
    const timeline = synthetic({ marks: faultMarks(INJECTED_MS, HEALED_MS) });
    for (const objective of all) {
      const saved = objectiveSchema.parse(JSON.parse(JSON.stringify(objective)));
      expect(judgeObjective(saved, timeline)).toEqual(judgeObjective(objective, timeline));
    }
  });

  it.each([
    [{ ...goodput({ atLeast: '95%', when: 'during' }), atLeast: '95' }, "atLeast: '95' is not a share; write a percentage from '0%' to '100%'"],
    [{ ...goodput({ atLeast: '95%', when: 'during' }), atLeast: 0.95 }, "atLeast: expected a text with its unit, such as '95%'"],
    [{ ...goodput({ atLeast: '95%', when: 'during' }), when: 'later' }, "when: allowed are 'before', 'during', 'after'"],
    [{ ...goodput({ atLeast: '95%', when: 'during' }), among: 'mc-3' }, "among: allowed are 'all requests', 'healthy shards', 'affected shards'"],
    [{ ...goodput({ atLeast: '95%', when: 'during' }), grase: '1s' }, ": unknown 'grase' in goodput; known: atLeast, when, among, grace"],
    [percentile(100, { under: '25ms', when: 'before' }), 'percent: expected a number above 0 and below 100, such as 99'],
    [
      { ...percentile(99, { under: '25ms', when: 'before' }), under: '25' },
      "under: '25' is not a duration; write a number and a unit (ms, s, m or h), such as '300ms' or '1.5s'",
    ],
    [percentile(99, { under: '0ms', when: 'before' }), "under: '0ms' is not allowed; write more than zero, such as '300ms'"],
    [{ ...recovery({ within: '5s', from: 'healed', to: 'baseline' }), from: 'start' }, "from: allowed are 'injected', 'healed'"],
    [
      { ...recovery({ within: '5s', from: 'healed', to: 'baseline' }), to: 'normal' },
      "to: allowed are 'baseline', 'first success' and limits, such as { p99Under: '25ms', goodputAtLeast: '99%' }",
    ],
    [ripple({ from: 'mc-3', atLeast: '20' as '20x' }), "atLeast: '20' is not a factor; write a number above zero and 'x', such as '3x'"],
    [connections({ at: 'proxy 1', growBy: '3x' }), "at: 'proxy 1' is not a node; write a name or a pattern, such as 'mc-3' or 'mc-*'"],
    [{ kind: 'speed' }, 'kind: unknown kind of objective; known: percentile, errors, goodput, isolation, recovery, ripple, connections'],
  ])('is refused with its key and what is allowed: %j', (value, expected) => {
    expect(complaint(value)).toBe(expected);
  });

  it('is refused when it is no object at all', () => {
    expect(complaint('fast, please')).toContain('expected an objective: percentile(...)');
  });

  it('can be told as a JSON schema', () => {
    expect(JSON.stringify(z.toJSONSchema(objectiveSchema))).toContain('first success');
  });
});

describe('every verdict', () => {
  it('has only finite figures, and is never met without data', () => {
    const empty = { durationMs: 0, windows: [], completions: [], generator: [], gauges: [], marks: [], findings: [] };
    for (const objective of all) expect(judgeObjective(objective, empty)).toMatchObject({ status: 'unknown', because: expect.any(String) });
    const fates = fc.record({
      ratePerSecond: fc.integer({ min: 0, max: 400 }),
      durationMs: fc.integer({ min: 0, max: 6_000 }),
      injectedMs: fc.integer({ min: 0, max: 7_000 }),
      lastsMs: fc.integer({ min: 5, max: 7_000 }),
      bad: fc.constantFrom<'slow' | 'failed' | 'fine'>('slow', 'failed', 'fine'),
    });
    fc.assert(
      fc.property(fates, fc.constantFrom(...all), ({ ratePerSecond, durationMs, injectedMs, lastsMs, bad }, objective) => {
        const timeline = synthetic({
          durationMs,
          ratePerSecond,
          marks: faultMarks(injectedMs, injectedMs + lastsMs),
          fate: (dueMs) => (dueMs < injectedMs || bad === 'fine' ? { afterMs: 2 } : bad === 'slow' ? { afterMs: 900 } : { afterMs: 1, failed: 'closed' }),
        });
        const { figures, status, because } = judgeObjective(objective, timeline);
        expect(Object.values(figures).every(Number.isFinite)).toBe(true);
        if (status === 'unknown') expect(because).toBeTruthy();
      }),
      { numRuns: 200 },
    );
  });
});
