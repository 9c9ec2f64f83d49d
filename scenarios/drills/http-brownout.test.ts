import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aftershock, type Finished, temporaryFolder } from '../../harness/cli/spawned.fixture.ts';
import type { Report } from '../../harness/run/types.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

interface Run {
  readonly folder: string;
  readonly report: Report;
}

describe('http-brownout', () => {
  let finished: Finished;
  let runs: readonly Run[];
  const of = (variant: string) => runs.find(({ report }) => report.variant === variant) as Run;
  const figure = ({ report }: Run, name: string, key: string) => report.results.find((one) => one.name === name)?.verdict.figures[key] ?? Number.NaN;

  beforeAll(async () => {
    finished = await aftershock(['run', 'http-brownout', '--variant', 'too-few', '--variant', 'enough', '--json', '--out', folder.path]).finished;
    runs = (JSON.parse(finished.stdout) as { runs: readonly Run[] }).runs;
  });

  it('comes out as expected with too few workers and with enough', () => {
    expect(runs.map(({ report }) => `${report.variant}: ${report.outcome} ${report.reasons.join()}`)).toEqual([
      'too-few: as expected ',
      'enough: as expected ',
    ]);
    expect(finished.code).toBe(0);
  });

  it('loses what finds no worker, five of eight, and nothing else', () => {
    const few = of('too-few');
    expect(Object.keys(few.report.totals.failed)).toEqual(['dropped']);
    expect(figure(few, 'goodput', 'goodputShare')).toBeGreaterThan(0.3);
    expect(figure(few, 'goodput', 'goodputShare')).toBeLessThan(0.5);
    expect(figure(of('enough'), 'goodput', 'goodputShare')).toBeGreaterThan(0.99);
  });

  it('counts as many answers as the service', () => {
    for (const run of runs) {
      const log = readFileSync(join(run.folder, 'logs', 'web-1.log'), 'utf8');
      const served = Number([...log.matchAll(/"requests":(\d+)/g)].at(-1)?.[1]);
      expect(run.report.totals.answered).toBe(served);
      expect(run.report.totals.due).toBe(3_200);
    }
  });
});

it('a scenario whose script is not there is refused before anything starts', async () => {
  const file = folder.file(
    'scriptless.ts',
    `import { drill, percentile } from 'aftershock';
import { httpService, k6Load } from 'aftershock/containers';
export default drill({
  id: 'scriptless', story: 'nobody wrote the script', duration: '5s',
  load: [k6Load({ script: 'scenarios/k6/nope.ts', rate: '10/s', preAllocatedVUs: 1, deadline: '1s', entry: 'web-1' })],
  steps: [], slos: { steady: percentile(90, { under: '1s', when: 'before' }) },
  variants: { only: { title: 'one', cluster: httpService() } },
});
`,
  );
  const { code, stderr } = await aftershock(['run', file, '--out', folder.path]).finished;
  expect(code).toBe(2);
  expect(stderr.trim()).toMatch(/^aftershock: \S+scriptless\.ts: k6Load: script: there is no file 'scenarios\/k6\/nope\.ts' \(looked for [^\n]+\)$/);
});
