import { describe, expect, it } from 'vitest';
import { isStarved } from '../timeline/starved.ts';
import { faultMarks, HEALED_MS, INJECTED_MS, isDuring, synthetic } from '../timeline/synthetic.fixture.ts';
import type { Gauge, GeneratorWindow, Timeline } from '../timeline/types.ts';
import type { Plan } from './types.ts';
import { reasonsAgainst } from './validity.ts';

const marks = faultMarks(INJECTED_MS, HEALED_MS);
const plan = { load: [{ name: 'main', shards: ['mc-1'] }], steps: [] } as unknown as Plan;

/** The generator came late to 3 of 200 requests in each window of the fault, and told this of itself. */
const starved = (told: Partial<GeneratorWindow> = {}, gauges: readonly Gauge[] = []): Timeline =>
  synthetic({ marks, gauges, generator: (at) => (isDuring(at) ? { late: 3, p99LatenessMs: 12, ...told } : { cpuShare: 0.2 }) });

/** Readings of the host every 200 ms: these during the fault, and an idle host before and after it. */
const hostDuring = (values: Readonly<Record<string, number>>): Gauge[] =>
  Array.from({ length: 100 }, (_, index) => index * 200 + 50).flatMap((at) =>
    Object.entries({ 'host.idle': 0.9, 'host.steal': 0, 'host.runQueue': 0, ...(isDuring(at) && values) }).map(([name, value]) => ({
      at,
      node: 'client-1',
      name,
      value,
    })),
  );

const LATE = "load 'main' was starved during the fault: it came to 1.4% of its requests more than 10 ms late, and 1% is allowed";
const reasonsOf = (timeline: Timeline) => reasonsAgainst(plan, timeline).filter((reason) => reason.includes('during the fault'));

describe('a window', () => {
  it('is starved where more than one of a hundred requests was looked at late', () => {
    expect(isStarved({ due: 200, late: 2 })).toBe(false);
    expect(isStarved({ due: 200, late: 3 })).toBe(true);
    expect(isStarved({ due: 20, late: 1 })).toBe(true);
    expect(isStarved({ due: 0, late: 0 })).toBe(false);
  });
});

describe('a reason against a starved run', () => {
  it('says no more than it knows', () => {
    expect(reasonsOf(starved())).toEqual([LATE]);
  });

  it("names the generator's own core where that was full", () => {
    expect(reasonsOf(starved({ cpuShare: 0.97 }))).toEqual([`${LATE}, probably because its own core was full (97% busy; more processes would share the load)`]);
    // A window of 100 ms can hold more than its share, for the clocks are not read at its very ends.
    expect(reasonsOf(starved({ cpuShare: 1.04 }))[0]).toContain('full (100% busy');
    expect(reasonsOf(starved({ cpuShare: 0.89 }))).toEqual([`${LATE}; what was read does not tell why: its own core was 89% busy`]);
  });

  it('names the event loop where it stood for as long as makes requests late, in most of the windows', () => {
    expect(reasonsOf(starved({ maxLoopDelayMs: 45 }))).toEqual([`${LATE}, probably because its event loop stood for 45 ms`]);
    expect(reasonsOf(starved({ maxLoopDelayMs: 9 }))).toEqual([LATE]);
    const once = synthetic({ marks, generator: (at) => (isDuring(at) ? { late: 3, maxLoopDelayMs: at === 10_000 ? 45 : 1 } : {}) });
    expect(reasonsOf(once)).toEqual([LATE]);
  });

  it('names a busy host, with its queue, from the readings of those windows alone', () => {
    expect(reasonsOf(starved({}, hostDuring({ 'host.idle': 0.02, 'host.runQueue': 7, 'host.cpuPressure': 0.8 })))).toEqual([
      // Readings reach a little beyond the fault, to where the host was idle.
      expect.stringMatching(/, probably because the host was busy \([2-9](\.\d)?% idle, [67] tasks running or waiting, some task waited 80% of the time\)$/),
    ]);
    expect(reasonsOf(starved({}, hostDuring({ 'host.idle': 0.4 })))[0]).toMatch(/; what was read does not tell why: the host was 4[01](\.\d)?% idle$/);
  });

  it('names stolen time', () => {
    expect(reasonsOf(starved({}, hostDuring({ 'host.idle': 0.4, 'host.steal': 0.2 })))[0]).toMatch(
      /, probably because the host lost its processors to another machine \(1\d(\.\d)?% stolen\)$/,
    );
  });

  it('names all that fits, in one sentence', () => {
    const [reason] = reasonsOf(starved({ cpuShare: 0.95, maxLoopDelayMs: 30 }, hostDuring({ 'host.idle': 0.01 })));
    expect(reason).toMatch(/own core was full .* and the host was busy .* and its event loop stood for 30 ms$/);
  });

  it('comes with the rule on stalls, too', () => {
    const timeline = synthetic({ marks, generator: (at) => (isDuring(at) ? { p99LatenessMs: 60, cpuShare: 0.99 } : {}) });
    expect(reasonsAgainst(plan, timeline)).toEqual([
      "load 'main' was starved: in 30% of its windows it was more than 50 ms late (p99), and 5% is allowed, probably because its own core was full (99% busy; more processes would share the load)",
    ]);
  });
});

describe('a generator that never looks at a request late', () => {
  const of = (spec: object) => ({ load: [{ name: 'main', shards: ['mc-1'], ...spec }], steps: [] }) as unknown as Plan;
  const told = (plan: Plan, generator: (at: number) => Partial<GeneratorWindow>) =>
    reasonsAgainst(plan, synthetic({ generator })).map((reason) => reason.replace(/(, probably|; what was read).*/, ''));

  it('is starved where its event loop stood for more than 1% of the time, beyond 10 ms of each stand', () => {
    // A window in ten, 20 ms each: 10 of 1,000 ms.
    expect(told(of({ closedLoop: true }), (at) => ({ maxLoopDelayMs: at % 1_000 === 0 ? 20 : 1 }))).toEqual([]);
    expect(told(of({ closedLoop: true }), (at) => ({ maxLoopDelayMs: at % 1_000 === 0 ? 22 : 1 }))).toEqual([
      "load 'main' was starved: its event loop stood for 1.2% of the time beyond 10 ms, and 1% is allowed",
    ]);
    // Opening connections takes its time: five times as much is allowed there.
    expect(told(of({ shards: ['*'] }), (at) => ({ maxLoopDelayMs: at % 1_000 === 0 ? 60 : 1 }))).toEqual([]);
    expect(told(of({ shards: ['*'] }), (at) => ({ maxLoopDelayMs: at % 1_000 === 0 ? 62 : 1 }))).toHaveLength(1);
    // A stand of 150 ms is told of in each of the three windows that it touches, and is one.
    expect(told(of({}), (at) => ({ maxLoopDelayMs: at >= 5_000 && at < 5_300 ? 150 : 1 }))).toEqual([]);
  });

  it('is starved where it had no time left, unless it is one that asks as fast as it is answered, or opens what is due', () => {
    const busy = (at: number) => ({ busyShare: at % 1_000 < 100 ? 0.98 : 0.5 });
    expect(told(of({}), busy)).toEqual([
      "load 'main' was starved: in 10% of its windows it had no time left, and 5% is allowed: what it had not come to looked like waiting for the system",
    ]);
    expect(told(of({}), (at) => ({ busyShare: at % 1_000 < 100 ? 0.96 : 0.5 }))).toEqual([]);
    expect(told(of({}), (at) => ({ busyShare: at % 2_000 < 100 ? 1 : 0.5 }))).toEqual([]);
    expect(told(of({ closedLoop: true }), busy)).toEqual([]);
    expect(told(of({ shards: ['*'] }), busy)).toEqual([]);
  });
});

describe('a load of several processes', () => {
  const two = { load: [{ name: 'main', processes: 2, shards: ['mc-1'] }], steps: [] } as unknown as Plan;
  const half = synthetic({ marks, generator: () => ({ due: 100 }) });
  const second = (late: number) => half.generator.map((window) => ({ ...window, load: 'main#2', late: isDuring(window.at) ? late : 0 }));

  it('must tell of the schedule of each of them', () => {
    expect(reasonsAgainst(two, { ...half, generator: half.generator.map((window) => ({ ...window, due: window.due * 2 })) })).toEqual([
      "nothing is known of how load 'main#2' kept its schedule",
    ]);
    expect(reasonsAgainst(two, { ...half, generator: [...half.generator, ...second(0)] })).toEqual([]);
  });

  it('is starved when one of them is, although all together are not', () => {
    // 2 of 100 in one, none in the other: 1% of both.
    expect(reasonsAgainst(two, { ...half, generator: [...half.generator, ...second(2)] })).toContainEqual(
      expect.stringContaining("load 'main#2' was starved during the fault: it came to 1.9% of its requests"),
    );
  });
});
