import { describe, expect, it } from 'vitest';
import type { Report } from '../run/types.ts';
import { comparisonJson, comparisonTable } from './comparison.ts';
import { comparisonPage } from './comparison-page.ts';
import { runFixture } from './run.fixture.ts';
import { columns } from './text.ts';

const runs = [runFixture('as-it-happened'), runFixture('eject')];
const reports = runs.map((run) => run.report);
const [first] = reports as [Report];
const rowOf = (text: string, name: string) => text.split('\n').find((line) => line.startsWith(`${name} `)) ?? '';

describe('the comparison table', () => {
  const text = comparisonTable(reports, { colour: false, width: 130 });

  it('has objectives as rows and variants as columns, by sign and word', () => {
    expect(rowOf(text, 'objective')).toMatch(/^objective +as-it-happened +eject$/);
    expect(rowOf(text, 'goodput')).toMatch(/^goodput +✕ missed, as expected: 3\d.*✓ met, as expected: /);
    expect(rowOf(text, 'the run')).toMatch(/✓ as expected +✓ as expected$/);
    expect(text).not.toContain('\u001b');
  });

  it('says where a variant has no such objective', () => {
    expect(rowOf(text, 'sockets')).toMatch(/✓ met, as expected: 4\.3x +not judged$/);
  });

  it('tells two runs of one variant apart by their seeds', () => {
    const twice = comparisonTable([first, { ...first, seed: 43 }], { colour: false, width: 130 });
    expect(rowOf(twice, 'objective')).toContain('as-it-happened (seed 42)');
    expect(rowOf(twice, 'objective')).toContain('as-it-happened (seed 43)');
  });

  it('is no wider than the terminal', () => {
    const narrow = comparisonTable([...reports, ...reports], { colour: false, width: 80 });
    for (const line of narrow.split('\n')) expect(columns(line)).toBeLessThanOrEqual(80);
  });
});

describe('comparison.json', () => {
  it('holds every figure by objective and run, and the sentence', () => {
    const data = JSON.parse(comparisonJson(reports, 'a moral'));
    expect(data.sentence).toBe('a moral');
    expect(data.runs.map((run: { variant: string }) => run.variant)).toEqual(['as-it-happened', 'eject']);
    const goodput = data.objectives.find((one: { name: string }) => one.name === 'goodput');
    expect(goodput.results.map((result: { status: string }) => result.status)).toEqual(['missed', 'met']);
    expect(goodput.results[0].figures.goodputShare).toBeCloseTo(
      first.results.find((one) => one.name === 'goodput')?.verdict.figures['goodputShare'] ?? Number.NaN,
    );
  });
});

describe('comparison.html', () => {
  const text = comparisonPage(runs);

  it('draws a curve of goodput and one of p99 for each run over one axis', () => {
    expect(text.match(/<path class="line/g)).toHaveLength(4);
    expect(text).toContain('<h3>Goodput</h3>');
    expect(text).toContain('<h3>p99 of the healthy shards</h3>');
  });

  it('tells the moral with its figures, and the faults once when all runs had the same', () => {
    expect(text).toMatch(/one slow node of four: goodput 3\d(\.\d)?% for everybody/);
    expect(text.match(/>fault: latency 1s on proxy-\* -&gt; mc-3</g)).toHaveLength(2);
  });

  it('escapes what the scenario says of itself', () => {
    const hostile = runs.map((run) => ({ ...run, plan: { ...run.plan, story: '<script>x</script>', moral: '<img src=x>' } }));
    expect(comparisonPage(hostile)).not.toMatch(/<script|<img/);
  });

  it('goes without a network and without scripts', () => {
    expect(text).not.toMatch(/<script|<link|<img|@import|url\((?!#)/);
  });
});
