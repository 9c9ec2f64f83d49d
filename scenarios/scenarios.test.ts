/**
 * One pair of variants for each mechanism, and the yardstick of recovery times, on real containers. The whole catalogue is
 * `npx aftershock run --all`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aftershock, type Finished, temporaryFolder } from '../harness/cli/spawned.fixture.ts';
import { loadScenario, scenarioFiles } from '../harness/run/scenario.ts';
import type { JudgedExpectation, Report } from '../harness/run/types.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

interface Output {
  readonly runs: readonly { readonly folder: string; readonly report: Report }[];
  readonly comparisons: readonly { readonly folder: string; readonly sentence: string }[];
}

function named(report: Report | undefined, name: string): JudgedExpectation {
  const result = report?.results.find((one) => one.name === name);
  if (!result) throw new Error(`no ${name} in the report`);
  return result;
}

describe('slow-node', () => {
  let finished: Finished;
  let output: Output;
  const of = (variant: string) => output.runs.find(({ report }) => report.variant === variant)?.report;

  beforeAll(async () => {
    finished = await aftershock(['run', 'slow-node', '--variant', 'as-it-happened', '--variant', 'eject', '--json', '--out', folder.path]).finished;
    output = JSON.parse(finished.stdout) as Output;
  });

  it('comes out as expected in both variants', () => {
    expect(output.runs.map(({ report }) => `${report.variant}: ${report.outcome} ${report.reasons.join()}`)).toEqual([
      'as-it-happened: as expected ',
      'eject: as expected ',
    ]);
    expect(finished.code).toBe(0);
  });

  it('as it happened: everybody suffers, and connections pile up at the proxies', () => {
    const report = of('as-it-happened');
    expect(named(report, 'goodput').verdict.figures['goodputShare']).toBeLessThan(0.5);
    expect(named(report, 'ripple').verdict.figures['factor']).toBeGreaterThanOrEqual(20);
    expect(named(report, 'connections').verdict.figures['factor']).toBeGreaterThanOrEqual(3);
    expect(named(report, 'isolation').verdict.status).toBe('missed');
  });

  it('with ejection: nobody on a healthy node notices for longer than a second', () => {
    const report = of('eject');
    expect(named(report, 'goodput').verdict.figures['goodputShare']).toBeGreaterThanOrEqual(0.95);
    expect(named(report, 'isolation').verdict.status).toBe('met');
    expect(named(report, 'adapts').verdict.figures['baselineMs']).toBeLessThan(3_000);
  });

  it('says it in one sentence', () => {
    expect(output.comparisons[0]?.sentence).toMatch(
      /^one slow node of four: goodput [\d.]+% for everybody; with ejection 9\d(\.\d+)?%, normal again after [\d.]+ m?s$/,
    );
  });
});

describe('scripted-outage', () => {
  it.each([1, 2, 3])('tells the end of an outage to 150 ms of what the engine itself says (%i of 3)', async () => {
    const finished = await aftershock(['run', 'scripted-outage', '--json', '--out', folder.path]).finished;
    const [{ folder: result, report }] = (JSON.parse(finished.stdout) as Output).runs as [Output['runs'][number]];
    expect(report.outcome, report.reasons.join()).toBe('as expected');
    const measuredMs = named(report, 'answers').verdict.figures['firstSuccessMs'];
    expect(Math.abs((measuredMs ?? Number.NaN) - engineOutageMs(result))).toBeLessThanOrEqual(150);
  });
});

/** From pause to unpause on the engine's own clock. */
function engineOutageMs(result: string): number {
  const journal = readFileSync(join(result, 'journal.ndjson'), 'utf8');
  const at = (action: string) => Number(new RegExp(`"action":"${action}","node":"mc-1","engineMs":([\\d.]+)`).exec(journal)?.[1]);
  return at('unpause') - at('pause');
}

it('every scenario that comes with the project loads', async () => {
  const ids = [...scenarioFiles().keys()];
  expect(ids.length).toBeGreaterThanOrEqual(2);
  for (const id of ids) expect((await loadScenario(id)).id).toBe(id);
});

describe('a proxy that is killed in a whole tier', () => {
  const file = folder.file(
    'lost-proxy.ts',
    // 500 requests a second that take 20 ms and more are ten under way at any moment, half of them at the proxy that dies. Without the 20 ms it is
    // less than one, and a kill that meets none harms nobody.
    `import { drill, errors, kill, latency, percentile, recovery } from 'aftershock';
import { cache, cacheClients } from 'aftershock/containers';
export default drill({
  id: 'lost-proxy', story: 'one of two proxies dies, and its clients go to the other', duration: '12s',
  load: [cacheClients({ rate: '500/s', connections: 20, mix: { get: '90%', set: '10%' }, backends: 2, deadline: '1s', timeout: '250ms', onTimeout: 'reconnect' })],
  steps: [
    { at: '3s', for: '3s', fault: latency('client-1 -> edge', '20ms') },
    { at: '4s', for: '3s', fault: kill('proxy-1') },
  ],
  slos: {
    steady: percentile(90, { under: '50ms', when: 'before' }),
    unharmed: errors({ atMost: '0%', when: 'during' }),
    recovery: recovery({ within: '2s', from: 'healed', to: 'baseline', holds: '1s' }),
  },
  variants: { two: { title: 'two proxies', cluster: cache({ backends: 2, proxies: 2 }), misses: ['unharmed'] } },
});
`,
  );

  it('is no surprise to the run that asked for it, and what it cost counts as lost during the fault', async () => {
    const finished = await aftershock(['run', file, '--json', '--out', folder.path]).finished;
    const [{ report }] = (JSON.parse(finished.stdout) as Output).runs as [Output['runs'][number]];
    expect(report.reasons).toEqual([]);
    expect(report.outcome).toBe('as expected');
    // The requests under way when it died failed, and belong to a promise.
    expect(named(report, 'unharmed').verdict.status).toBe('missed');
  });
});
