import { describe, expect, it } from 'vitest';
import { connections, goodput, isolation, type Objective, percentile, recovery, ripple } from '../slo/index.ts';
import { type Fate, faultMarks, HEALED_MS, healthy, INJECTED_MS, isDuring, synthetic } from '../timeline/synthetic.fixture.ts';
import type { Timeline } from '../timeline/types.ts';
import { judge } from './judge.ts';
import type { Expectation, Plan } from './types.ts';

const TITLE = 'latency 1s on proxy-* -> mc-3';
const marks = faultMarks(INJECTED_MS, HEALED_MS);
const slowNode: Fate = { afterMs: 800, failed: 'timeout' };

const promises: Record<string, Objective> = {
  steady: percentile(99, { under: '25ms', when: 'before' }),
  goodput: goodput({ atLeast: '95%', when: 'during', grace: '1s' }),
  isolation: isolation({ p99Under: '25ms', grace: '1s' }),
  recovery: recovery({ within: '5s', from: 'healed', to: 'baseline' }),
};
const symptoms: Record<string, Objective> = { ripple: ripple({ from: 'mc-3', atLeast: '20x' }) };

function planOf({ misses = [], reported = false, ...rest }: { misses?: string[]; reported?: boolean } & Partial<Plan> = {}): Plan {
  const expectations = [
    ...(reported ? Object.entries(symptoms) : []).map(([name, objective]): Expectation => ({ name, role: 'symptom', objective, expected: 'met' })),
    ...Object.entries(promises).map(
      ([name, objective]): Expectation => ({ name, role: 'promise', objective, expected: misses.includes(name) ? 'missed' : 'met' }),
    ),
  ];
  const program = { node: 'client', program: 'containers/client/main.ts', settings: {} };
  return {
    format: 1,
    scenario: 'slow-node',
    variant: reported ? 'as-it-happened' : 'eject',
    title: 'twemproxy as it comes',
    story: 'one slow node',
    source: 'an account of it',
    reported,
    seed: 7,
    tags: ['nightly'],
    durationMs: 20_000,
    cluster: {
      title: 'four nodes',
      nodes: [],
      links: [],
      ready: program,
      tools: { toxiproxyImage: 'x', hand: { image: 'x', program: 'x', sources: [] }, reaper: { image: 'x', program: 'x', sources: [] } },
    },
    load: [
      {
        name: 'main',
        node: 'client',
        title: '2000/s',
        program,
        ratePerSecond: 2_000,
        connections: 50,
        longestRequestMs: 1_250,
        shards: ['mc-1', 'mc-2', 'mc-3', 'mc-4'],
      },
    ],
    steps: [
      {
        atMs: INJECTED_MS,
        untilMs: HEALED_MS,
        fault: { kind: 'latency', link: 'proxy-* -> mc-3', delay: '1s' },
        title: TITLE,
        targets: ['proxy-1 -> mc-3', 'proxy-2 -> mc-3'],
        affects: ['mc-3'],
      },
    ],
    expectations,
    ...rest,
  };
}

const well = synthetic({ marks });
const asReported = synthetic({ marks, fate: (dueMs) => (isDuring(dueMs) ? slowNode : healthy) });

describe('a run that can be judged', () => {
  it('is as expected when every promise is kept', () => {
    const report = judge(planOf(), well);
    expect(report).toMatchObject({
      outcome: 'as expected',
      exitCode: 0,
      reasons: [],
      headline: 'eject: all 4 promises as expected',
      seed: 7,
      tags: ['nightly'],
      scenario: 'slow-node',
    });
    expect(report.results.map((result) => [result.name, result.verdict.status, result.asExpected])).toEqual([
      ['steady', 'met', true],
      ['goodput', 'met', true],
      ['isolation', 'met', true],
      ['recovery', 'met', true],
    ]);
  });

  it('is as expected when the reported variant shows its symptoms and misses what it is said to miss', () => {
    expect(judge(planOf({ reported: true, misses: ['goodput', 'isolation'] }), asReported)).toMatchObject({
      outcome: 'as expected',
      exitCode: 0,
      headline: 'as-it-happened: 2 promises missed, as reported; 1 symptom shown',
    });
  });

  it('is not as expected when a promise is missed', () => {
    const report = judge(planOf(), asReported);
    expect(report).toMatchObject({ outcome: 'not as expected', exitCode: 1 });
    expect(report.headline).toBe('eject: goodput missed (0%); isolation missed (803 ms)');
  });

  it('is not as expected when an incident does not come about again', () => {
    expect(judge(planOf({ reported: true, misses: ['goodput'] }), well)).toMatchObject({
      outcome: 'not as expected',
      exitCode: 1,
      headline: 'as-it-happened: symptom ripple not shown (1x); goodput met, but expected to be missed (100%)',
    });
  });

  it('tells of notes without holding them against the run', () => {
    const findings = [{ at: 1, severity: 'note', text: 'probes did not close' }] as const;
    expect(judge(planOf(), { ...well, findings })).toMatchObject({ outcome: 'as expected', notes: ['probes did not close'] });
  });

  it('adds up what happened', () => {
    const {
      totals,
      generator,
      marks: told,
    } = judge(planOf(), {
      ...asReported,
      generator: asReported.generator.map((window, index) =>
        index === 3 ? { ...window, late: 4, p99LatenessMs: 30, maxLatenessMs: 31, maxLoopDelayMs: 29 } : window,
      ),
    });
    expect(totals).toEqual({ durationMs: 20_000, due: 40_000, answered: 28_000, good: 28_000, failed: { timeout: 12_000 }, misses: 0 });
    expect(generator).toEqual({ late: 4, p99LatenessMs: 0.2, maxLatenessMs: 31, maxLoopDelayMs: 29 });
    expect(told).toEqual(marks);
  });

  it('gives the same report again, also through JSON', () => {
    const report = judge(planOf(), asReported);
    expect(judge(planOf(), asReported)).toEqual(report);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe('a run that cannot be judged', () => {
  const isInvalid = (timeline: Timeline, reason: string, plan = planOf()) => {
    const report = judge(plan, timeline);
    expect(report).toMatchObject({ outcome: 'invalid', exitCode: 4, headline: expect.stringContaining(`${plan.variant}: invalid: `) });
    expect(report.reasons).toContain(reason);
  };

  it('has a finding against it, such as a torn journal', () => {
    const text = 'journal.ndjson is torn after record 812';
    isInvalid({ ...well, findings: [{ at: 20_000, severity: 'invalid', text }] }, text);
    expect(judge(planOf(), { ...well, findings: [{ at: 0, severity: 'invalid', text }] })).toMatchObject({ headline: `eject: invalid: ${text}`, notes: [] });
  });

  it('has a fault that was not seen to bite or to end', () => {
    isInvalid(
      { ...well, marks: faultMarks(INJECTED_MS, HEALED_MS, { holds: false }) },
      `${TITLE} was not seen to bite: asked each answer 1 s later, saw +0.2 ms`,
    );
    isInvalid({ ...well, marks: marks.map(({ proof: _, ...mark }) => mark) }, `${TITLE} was not seen to end: there is no proof of it`);
  });

  it('has a fault without a mark of its injection or healing, also where there are those of another step', () => {
    isInvalid({ ...well, marks: marks.slice(0, 3) }, `${TITLE} was never healed`);
    isInvalid({ ...well, marks: marks.map((mark) => ({ ...mark, step: 1 })) }, `${TITLE} was never injected`);
  });

  it('does not tell twice what a finding has told of a fault', () => {
    const text = `${TITLE} was not seen to bite: asked for a second, saw nothing`;
    expect(
      judge(planOf(), { ...well, marks: faultMarks(INJECTED_MS, HEALED_MS, { holds: false }), findings: [{ at: 9_000, severity: 'invalid', text }] }).reasons,
    ).toEqual([text]);
  });

  it('has a verdict that is unknown, whatever was expected', () => {
    const plan = planOf({ expectations: [{ name: 'pile', role: 'symptom', objective: connections({ at: 'proxy-*', growBy: '3x' }), expected: 'met' }] });
    isInvalid(well, "pile is unknown: sockets were never counted at 'proxy-*'", plan);
    isInvalid(
      { ...well, marks: [] },
      'goodput is unknown: goodput needs 100 requests during the fault, after 1 s; there were 0',
      planOf({ steps: [], misses: ['goodput'] }),
    );
  });

  it('has a generator that was late for more than one request of a hundred', () => {
    const lateBy = (late: number) => synthetic({ marks, generator: () => ({ late }) });
    isInvalid(lateBy(3), "load 'main' was starved: it came to 1.5% of its requests more than 10 ms late, and 1% is allowed");
    expect(judge(planOf(), lateBy(2)).outcome).toBe('as expected');
  });

  it('has a generator that was late in one phase, although not over the whole run', () => {
    // 3 of 200 in each window is 1.5%; over a third of the run it is 0.5% of all.
    const lateBetween = (fromMs: number, toMs: number, late = 3) => synthetic({ marks, generator: (at) => ({ late: at >= fromMs && at < toMs ? late : 0 }) });
    const reason = (when: string) => `load 'main' was starved ${when}: it came to 1.5% of its requests more than 10 ms late, and 1% is allowed`;
    isInvalid(lateBetween(0, 8_000), reason('before the fault'));
    isInvalid(lateBetween(7_000, 15_000), reason('during the fault'));
    isInvalid(lateBetween(14_000, 20_000), reason('after the fault'));
    expect(judge(planOf(), lateBetween(8_000, 14_000, 2)).outcome).toBe('as expected');
    // Too few requests after the fault: 20 windows of 4.
    const sparse = synthetic({ marks: faultMarks(INJECTED_MS, 18_000), ratePerSecond: 40, generator: (at) => ({ late: at === 19_000 ? 1 : 0 }) });
    expect(judge(planOf(), sparse).reasons.join()).not.toContain('starved');
  });

  it('has a generator that stood still in more than one window of twenty', () => {
    const stalledIn = (windows: number) => synthetic({ marks, generator: (at) => (at >= 9_000 && at < 9_000 + windows * 100 ? { p99LatenessMs: 51 } : {}) });
    isInvalid(stalledIn(11), "load 'main' was starved: in 5.5% of its windows it was more than 50 ms late (p99), and 5% is allowed");
    expect(judge(planOf(), stalledIn(10)).outcome).toBe('as expected');
  });

  it('has a load of whose schedule nothing is known', () => {
    isInvalid({ ...well, generator: [] }, "nothing is known of how load 'main' kept its schedule");
  });

  it('has no requests at all', () => {
    isInvalid({ ...well, windows: [], completions: [] }, 'no request was due in the whole run');
  });

  it('has requests of which nobody knows how they ended', () => {
    const windows = well.windows.map((window, index) => (index === 0 ? { ...window, due: window.due + 1 } : window));
    isInvalid({ ...well, windows }, '40001 requests were due and 40000 are told to have ended');
  });

  it('has requests that were lost between the generator and the files', () => {
    isInvalid({ ...well, windows: well.windows.slice(1) }, 'the generators offered 40000 requests and the windows hold 39950');
  });

  it('does not count idle windows in favour of a generator', () => {
    const idle = Array.from({ length: 400 }, (_, index) => ({
      at: 20_000 + index * 100,
      load: 'main',
      due: 0,
      late: 0,
      p99LatenessMs: 0,
      maxLatenessMs: 0,
      maxLoopDelayMs: 0,
      connections: 50,
      connects: 0,
      sent: 0,
    }));
    const stalled = synthetic({ marks, generator: (at) => (at < 1_100 ? { p99LatenessMs: 51 } : {}) });
    isInvalid(
      { ...stalled, generator: [...stalled.generator, ...idle] },
      "load 'main' was starved: in 5.5% of its windows it was more than 50 ms late (p99), and 5% is allowed",
    );
  });

  it('counts its reasons in the headline', () => {
    expect(judge(planOf(), { ...well, windows: [], completions: [], generator: [] }).headline).toBe(
      'eject: invalid: no request was due in the whole run (and 4 other reasons)',
    );
  });
});

describe('a run that was stopped', () => {
  it('is aborted, and neither passes nor fails', () => {
    const report = judge(planOf(), { ...synthetic({ marks: marks.slice(0, 2), durationMs: 9_000 }), aborted: 'interrupted (SIGINT)' });
    expect(report).toMatchObject({ outcome: 'aborted', exitCode: 4 });
    expect(report.headline).toContain('eject: aborted: the run was stopped 9 s into its load: interrupted (SIGINT)');
    expect(report.reasons.length).toBeGreaterThan(1);
  });
});
