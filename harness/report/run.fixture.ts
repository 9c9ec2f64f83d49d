/**
 * A whole run for tests of the reports: one slow node of four, from 10 s to 25 s of 35 s, once as it happened (everybody suffers) and
 * once with ejection (over after a second and a half). Made up, but of the shape that real runs have.
 */
import { seeded } from '../core/random.ts';
import { latency } from '../faults/link/latency.ts';
import type { Expectation, JudgedExpectation, Plan, Report } from '../run/types.ts';
import { connections, goodput, isolation, judgeObjective, percentile, recovery } from '../slo/index.ts';
import { type Fate, faultMarks, SHARDS, synthetic } from '../timeline/synthetic.fixture.ts';
import type { Gauge, Timeline } from '../timeline/types.ts';
import { ERROR_KINDS } from '../timeline/types.ts';

export const INJECTED_MS = 10_012;
export const HEALED_MS = 25_020;
const EJECTED_MS = INJECTED_MS + 1_500;

export type RunVariant = 'as-it-happened' | 'eject';

export interface RunFixture {
  readonly plan: Plan;
  readonly report: Report;
  readonly timeline: Timeline;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
}

const EXPECTATIONS = (variant: RunVariant): Expectation[] => {
  const missed = variant === 'as-it-happened' ? 'missed' : 'met';
  const promise = { role: 'promise' as const };
  return [
    { ...promise, name: 'steady', objective: percentile(99, { under: '25ms', when: 'before' }), expected: 'met' },
    { ...promise, name: 'goodput', objective: goodput({ atLeast: '95%', when: 'during', grace: '2s' }), expected: missed },
    { ...promise, name: 'isolation', objective: isolation({ p99Under: '25ms', grace: '2s' }), expected: missed },
    { ...promise, name: 'recovery', objective: recovery({ within: '5s', from: 'healed', to: 'baseline' }), expected: 'met' },
    ...(variant === 'eject'
      ? [
          {
            ...promise,
            name: 'adapts',
            objective: recovery({ within: '5s', from: 'injected', to: 'baseline', among: 'healthy shards' }),
            expected: 'met' as const,
          },
        ]
      : []),
    ...(variant === 'as-it-happened'
      ? [{ name: 'sockets', role: 'symptom' as const, objective: connections({ at: 'proxy-*', growBy: '3x' }), expected: 'met' as const }]
      : []),
  ];
};

export function planOf(variant: RunVariant): Plan {
  const node = (name: string, role: string, rest: Partial<Plan['cluster']['nodes'][number]> = {}) => ({
    name,
    role,
    image: `aftershock/${role}:1`,
    command: [role],
    memoryMiB: 64,
    ...rest,
  });
  const program = { node: 'client-1', program: 'containers/client/program.ts', settings: {} };
  const proxies = ['proxy-1', 'proxy-2'];
  return {
    format: 1,
    scenario: 'slow-node',
    variant,
    title: variant === 'eject' ? 'twemproxy ejects a silent server' : 'twemproxy waits for ever',
    story: 'mc-3 answers a second late; healthy shards must not notice for longer than a second',
    source: 'https://example.org/post-mortems/slow-node',
    scale: 'Four backends instead of hundreds: a client connection stands behind one slow key whatever their number.',
    reported: variant === 'as-it-happened',
    seed: 42,
    tags: ['incident'],
    durationMs: 35_000,
    cluster: {
      title: '4 memcached, 2 twemproxy',
      nodes: [
        node('client-1', 'client'),
        ...proxies.map((name) => node(name, 'proxy', { port: 22_121, watchSockets: true })),
        ...SHARDS.map((name) => node(name, 'cache', { port: 11_211 })),
      ],
      links: proxies.flatMap((from) => [{ from: 'client-1', to: from, port: 22_121 }, ...SHARDS.map((to) => ({ from, to, port: 11_211 }))]),
      ready: program,
      tools: {
        toxiproxyImage: 'aftershock/toxiproxy:1',
        hand: { image: 'aftershock/hand:1', program: 'containers/hand/program.ts', sources: [] },
        reaper: { image: 'aftershock/hand:1', program: 'containers/hand/program.ts', sources: [] },
      },
    },
    load: [
      {
        name: 'cache',
        node: 'client-1',
        title: '2000/s over 50 connections, 90% get',
        program,
        ratePerSecond: 2_000,
        connections: 50,
        longestRequestMs: 1_250,
        shards: SHARDS,
      },
    ],
    steps: [
      {
        atMs: 10_000,
        untilMs: 25_000,
        fault: latency('proxy-* -> mc-3', '1s'),
        title: 'latency 1s on proxy-* -> mc-3',
        targets: proxies.map((name) => `${name} -> mc-3`),
        affects: ['mc-3'],
      },
    ],
    expectations: EXPECTATIONS(variant),
    moral: 'one slow node of four: goodput {as-it-happened.goodput} for everybody; with ejection {eject.goodput}, normal again after {eject.adapts}',
  };
}

/** `ratePerSecond`: 400 leaves enough for every verdict and keeps tests quick. */
export function runFixture(variant: RunVariant, options: { ratePerSecond?: number } = {}): RunFixture {
  const plan = planOf(variant);
  const timeline: Timeline = {
    ...synthetic({
      durationMs: plan.durationMs,
      ratePerSecond: options.ratePerSecond ?? 400,
      fate: fateOf(variant),
      marks: faultMarks(INJECTED_MS, HEALED_MS),
      gauges: gaugesOf(variant),
      generator: (at) => ({ p99LatenessMs: 0.2 + ((at / 100) % 7) / 20, maxLatenessMs: at === 12_400 ? 6.2 : 0.9 + ((at / 100) % 5) / 4 }),
    }),
  };
  return {
    plan,
    timeline,
    report: reportOf(plan, timeline),
    environment: { date: '2026-11-21T14:02:03.123Z', node: 'v24.21.0', engine: 'Docker 20.10.24', 'engine processors': '2' },
    folder: '/somewhere/results/20261121T140203.123Z-slow-node-eject-42',
  };
}

function fateOf(variant: RunVariant): (dueMs: number, shard: string) => Fate {
  const random = seeded(7, variant);
  return (dueMs, shard) => {
    const noise = random.next();
    const normal = 0.4 + noise * 0.8 + (noise > 0.985 ? noise * 2.4 : 0);
    const untilMs = variant === 'eject' ? EJECTED_MS : HEALED_MS + 700;
    if (dueMs < INJECTED_MS || dueMs >= untilMs) return { afterMs: normal };
    const rising = Math.min(1, (dueMs - INJECTED_MS) / 800);
    if (shard === 'mc-3') return { afterMs: 250 + noise * 400 * rising, failed: noise > 0.93 ? 'closed' : 'timeout' };
    if (noise < 0.55 * rising) return { afterMs: 1_000 + noise * 6, failed: 'abandoned' };
    return { afterMs: normal + rising * 900 * random.next() };
  };
}

/** Every half second; a fault leaves sockets behind that close only when the late answer comes. */
function gaugesOf(variant: RunVariant): Gauge[] {
  return ['proxy-1', 'proxy-2'].flatMap((node, i) =>
    Array.from({ length: 70 }, (_, reading): Gauge[] => {
      const at = reading * 500 + i * 7;
      const isPiling = at > INJECTED_MS + 300 && at < (variant === 'eject' ? EJECTED_MS : HEALED_MS + 800);
      const waiting = isPiling ? 70 + ((reading * 13 + i * 5) % 22) : 0;
      return [
        { at, node, name: 'sockets.total', value: 27 + waiting },
        { at, node, name: 'sockets.CLOSE_WAIT', value: waiting },
      ];
    }).flat(),
  );
}

/** A report as a run makes it, without the checks of validity. */
export function reportOf(plan: Plan, timeline: Timeline): Report {
  const results = plan.expectations.map((expectation): JudgedExpectation => {
    const verdict = judgeObjective(expectation.objective, timeline);
    return { ...expectation, verdict, asExpected: verdict.status === expectation.expected };
  });
  const total = (of: (window: Timeline['windows'][number]) => number) => timeline.windows.reduce((sum, window) => sum + of(window), 0);
  const asExpected = results.every((result) => result.asExpected);
  const missed = results.filter((result) => result.expected === 'missed').length;
  return {
    format: 1,
    scenario: plan.scenario,
    variant: plan.variant,
    title: plan.title,
    story: plan.story,
    ...(plan.source === undefined ? {} : { source: plan.source }),
    seed: plan.seed,
    tags: plan.tags,
    outcome: asExpected ? 'as expected' : 'not as expected',
    exitCode: asExpected ? 0 : 1,
    headline: `${plan.variant}: ${missed > 0 ? `${missed} promises missed, as reported; 1 symptom shown` : `all ${results.length} promises as expected`}`,
    reasons: [],
    notes: [],
    results,
    marks: timeline.marks,
    totals: {
      durationMs: timeline.durationMs,
      due: total((window) => window.due),
      answered: total((window) => window.answered),
      good: total((window) => window.good),
      failed: Object.fromEntries(ERROR_KINDS.map((kind) => [kind, total((window) => window.failed[kind] ?? 0)])),
      misses: 0,
    },
    generator: { late: 0, p99LatenessMs: 0.45, maxLatenessMs: 6.2, maxLoopDelayMs: 1 },
  };
}
