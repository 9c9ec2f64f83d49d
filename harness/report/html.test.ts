import { describe, expect, it } from 'vitest';
import type { Report } from '../run/types.ts';
import { synthetic } from '../timeline/synthetic.fixture.ts';
import type { PageInput } from './html.ts';
import { renderPage } from './html.ts';
import { reportOf, runFixture } from './run.fixture.ts';

const happened = runFixture('as-it-happened');
const text = renderPage(happened);
const figures = (page: string) => page.match(/<figure>[\s\S]*?<\/figure>/g) ?? [];
const figureOf = (page: string, heading: string) => figures(page).find((one) => one.includes(`<h3>${heading}`)) ?? '';

/** Every string of a value replaced, keys and kinds aside. */
function poisoned<T>(
  value: T,
  poison: string,
  keep: ReadonlySet<string> = new Set([
    'kind',
    'event',
    'role',
    'expected',
    'status',
    'outcome',
    'among',
    'when',
    'under',
    'grace',
    'p99Under',
    'atLeast',
    'within',
    'holds',
    'from',
    'to',
    'growBy',
  ]),
): T {
  if (typeof value === 'string') return `${poison}${value}${poison}` as T;
  if (Array.isArray(value)) return value.map((one) => poisoned(one, poison, keep)) as T;
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, keep.has(key) ? inner : poisoned(inner, poison, keep)])) as T;
}

describe('the report page', () => {
  it('is one file that loads nothing and runs nothing, and forbids both', () => {
    expect(text).toContain(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`);
    expect(text).not.toMatch(/<script|<link|<img|<iframe|@import|url\((?!#)| on[a-z]+="|javascript:/i);
    expect(text.length).toBeLessThan(300_000);
  });

  it('begins with the verdict: sign, word and sentence', () => {
    const verdict = /<section class="verdict good"[\s\S]*?<\/section>/.exec(text)?.[0] ?? '';
    expect(verdict).toMatch(/>✓<[\s\S]*As expected[\s\S]*2 promises missed, as reported/);
    expect(text.indexOf('class="verdict')).toBeLessThan(text.indexOf('<figure>'));
  });

  it('has a card for each promise and symptom with sign, word, limit, measure and samples', () => {
    const cards = text.match(/<article[\s\S]*?<\/article>/g) ?? [];
    expect(cards).toHaveLength(happened.report.results.length);
    const goodput = cards.find((card) => card.includes('<h3>goodput</h3>')) ?? '';
    expect(goodput).toMatch(/class="card quiet"[\s\S]*✕ missed, as expected[\s\S]*at least 95%/);
    expect(goodput).toMatch(/[\d,]+ samples, beyond the limit by/);
  });

  it('shows healthy and affected shards apart, on the same axis', () => {
    const [healthy, affected] = [figureOf(text, 'Latency of the healthy shards: mc-1, mc-2, mc-4'), figureOf(text, 'Latency of the affected shards: mc-3')];
    const ticks = (figure: string) => figure.match(/text-anchor="end">[^<]*ms</g);
    expect(ticks(healthy)).toEqual(ticks(affected));
    expect(healthy).toContain('isolation: p99 under 25 ms');
    expect(affected).not.toContain('isolation: p99 under');
  });

  it('shows one picture of latency when no fault stood before a shard', () => {
    const timeline = { ...happened.timeline, marks: [] };
    const page = renderPage({ ...happened, timeline });
    expect(figureOf(page, 'Latency')).toContain('<h3>Latency</h3>');
    expect(page).not.toContain('affected shards');
  });

  it('gives every chart a heading, a sentence, a name for those who do not see it, and its numbers as a table', () => {
    expect(figures(text).length).toBe(7);
    for (const one of figures(text)) {
      expect(one).toMatch(/<figcaption><h3>[^<]+<\/h3><p>[^<]+\d[^<]*<\/p>/);
      expect(one).toMatch(/role="img" aria-label="[^"]{20,}"/);
      expect(one).toMatch(/<details>[\s\S]*<caption>[\s\S]*<th scope="col">[\s\S]*<th scope="row">34\.0 s<\/th>/);
    }
  });

  it('tells in its sentences what the verdicts say', () => {
    expect(figureOf(text, 'Goodput')).toMatch(/100% before the fault, 3\d(\.\d)?% during it and 9\d(\.\d)?% after it/);
    expect(figureOf(text, 'Sockets')).toContain('proxy-1 held');
  });

  it('hatches and names the fault, and marks the recovery where the verdict says it was', () => {
    const recovered = happened.report.results.flatMap((result) => result.verdict.moments ?? [])[0];
    expect(recovered).toBeDefined();
    const goodput = figureOf(text, 'Goodput');
    // 10,012 ms of 35,000 ms is 28.6% of the width.
    expect(goodput).toMatch(/<rect class="hatch" x="28\.6%" width="42\.9%"/);
    expect(goodput).toContain('>fault: latency 1s on proxy-* -&gt; mc-3<');
    expect(goodput).toContain(`<line class="moment" x1="${Math.round(((recovered?.at ?? 0) / 35_000) * 1_000) / 10}%"`);
    expect(goodput).toMatch(/>back to baseline, 2\d\.\d s</);
  });

  it('shows the time in which a fault is put in and taken out as an edge of its own', () => {
    const marks = happened.timeline.marks.map((mark) => (mark.event === 'injecting' ? { ...mark, at: 9_000 } : mark));
    const page = renderPage({ ...happened, timeline: { ...happened.timeline, marks } });
    // 9,000 of 35,000 ms is 25.7%; the 1,012 ms to injected are 2.9%.
    expect(figureOf(page, 'Goodput')).toContain('<rect class="edge" x="25.7%" width="2.9%"');
  });

  it('dots the windows in which the generator could not keep its schedule, and says how many', () => {
    // 2 of 40 requests in each of three windows, of which two lie side by side; 1 of 200 in another is within what is allowed.
    const late = new Map([
      [7_000, 2],
      [7_100, 2],
      [14_000, 2],
    ]);
    const generator = happened.timeline.generator.map((window) => ({ ...window, late: late.get(window.at) ?? 0, due: window.at === 21_000 ? 200 : 40 }));
    const page = renderPage({
      ...happened,
      timeline: { ...happened.timeline, generator: generator.map((one) => (one.at === 21_000 ? { ...one, late: 1 } : one)) },
    });
    const goodput = figureOf(page, 'Goodput');
    expect(goodput.match(/<rect class="starved"/g)).toHaveLength(2);
    expect(goodput).toMatch(/<rect class="starved" x="20%" width="0\.6%"/);
    expect(figureOf(page, 'Lateness')).toContain('could not keep its schedule in 3 of 350 windows');
    expect(page).toContain('Dotted: the load generator');
    expect(text).not.toContain('class="starved"');
    expect(text).not.toContain('Dotted:');
  });

  it('shows what is for several shards apart from healthy and affected ones', () => {
    const windows = happened.timeline.windows.map((window) =>
      window.series.shard === 'mc-1' ? { ...window, series: { ...window.series, shard: '*' } } : window,
    );
    const page = renderPage({ ...happened, timeline: { ...happened.timeline, windows } });
    expect(figureOf(page, 'Latency of the healthy shards')).toContain('<h3>Latency of the healthy shards: mc-2, mc-4</h3>');
    expect(figureOf(page, 'Latency of the affected shards')).toContain('<h3>Latency of the affected shards: mc-3</h3>');
    expect(figureOf(page, 'Latency of what is for several shards or none')).toContain('p99 was');
  });

  it('hatches a fault that was never healed to the end of the run', () => {
    const marks = happened.timeline.marks.filter((mark) => mark.event === 'injecting' || mark.event === 'injected');
    expect(figureOf(renderPage({ ...happened, timeline: { ...happened.timeline, marks } }), 'Goodput')).toMatch(
      /<rect class="hatch" x="28\.6%" width="71\.4%"/,
    );
  });

  it('tells curves apart by dash pattern and by name, not by colour alone', () => {
    const latency = figureOf(text, 'Latency of the healthy');
    for (const name of ['p50', 'p99', 'max']) expect(latency).toMatch(new RegExp(`class="end"[^>]*>${name}<`));
    const dashes = ['k0', 'k1', 'k2'].map((look) => new RegExp(`\\.${look}\\{[^}]*?(stroke-dasharray:[^;}]+|(?=\\}))`).exec(text)?.[1]);
    expect(new Set(dashes).size).toBe(3);
  });

  it('says of an empty chart why it is empty', () => {
    const quiet = synthetic({ durationMs: 5_000, ratePerSecond: 200 });
    const page = renderPage({ ...happened, timeline: { ...quiet, generator: [] } });
    expect(figureOf(page, 'Failures by kind')).toContain('Nothing to draw: no request failed.');
    expect(figureOf(page, 'Sockets')).toContain('proxy-1, proxy-2 should have been read, and no reading arrived');
    expect(figureOf(page, 'Lateness')).toContain('no window of a generator arrived');
  });

  it('can be made of a run that ended before its load began', () => {
    const timeline = { durationMs: 0, windows: [], completions: [], generator: [], gauges: [], marks: [], findings: [], aborted: 'SIGINT' };
    const report: Report = { ...reportOf(happened.plan, timeline), outcome: 'aborted', reasons: ['the run was stopped'] };
    const page = renderPage({ ...happened, timeline, report });
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
    expect(page).toContain('Nothing to draw: the load offered no request.');
    expect(page).toContain('The run was stopped early: SIGINT.');
  });

  it('writes no NaN, Infinity or undefined into a whole run either', () => {
    expect(text).not.toMatch(/NaN|Infinity|undefined|\[object/);
  });

  it.each(['invalid', 'aborted'] as const)('shows %s as a third state, by hatch and word, in which nothing counts', (outcome) => {
    const page = renderPage({ ...happened, report: { ...happened.report, outcome, reasons: ['a <reason>'] } });
    const verdict = /<section class="verdict unclear"[\s\S]*?<\/section>/.exec(page)?.[0] ?? '';
    expect(verdict.toLowerCase()).toContain(`>${outcome}<`);
    expect(verdict).toContain('<li>a &lt;reason&gt;</li>');
    expect(page).toContain('none of them counts');
    expect(page).not.toContain('promises met');
    expect(page).toMatch(/\.verdict\.unclear[^}]*repeating-linear-gradient/);
  });

  it('shows proofs that do not hold as such', () => {
    const marks = happened.report.marks.map((mark) => (mark.proof ? { ...mark, proof: { ...mark.proof, holds: false } } : mark));
    const page = renderPage({ ...happened, report: { ...happened.report, marks } });
    expect(page).toContain('? not proven');
    expect(page).not.toContain('✓ proven');
    expect(text).toContain('✓ proven');
  });

  it('lists schedule, load, cluster, environment and the commands', () => {
    for (const part of [
      '10.0 s to 25.0 s',
      '2000/s over 50 connections, 90% get',
      'aftershock/cache:1',
      'Docker 20.10.24',
      'npx aftershock run slow-node --variant as-it-happened --seed 42',
      'npx aftershock recheck results/20261121T140203.123Z-slow-node-eject-42',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(/<li class="hit">mc-3 <b>behind a fault<\/b>/);
  });

  it.each([`"><script>alert(1)</script>`, `' onmouseover='x`, '</style><svg onload=x>', '\u0000\u202e&amp;<!--'])(
    'lets no text of a run out of its place: %j',
    (poison) => {
      const { timeline, ...rest } = happened;
      const input: PageInput = poisoned({ ...rest, environment: { [`${poison}key`]: 'value' } } as PageInput, poison);
      const page = renderPage({
        ...input,
        timeline: { ...timeline, aborted: poison, marks: poisoned(timeline.marks, poison), gauges: poisoned(timeline.gauges, poison) },
      });
      const bare = page.replace(/<style>[\s\S]*?<\/style>/, '');
      expect(bare).not.toMatch(/<script|<svg onload|<!--|(?!\n)\p{Cc}|\u202e/u);
      // Inside a tag there is no attribute that a run brought along.
      expect(bare.match(/<[a-z][^<>]*\son[a-z]+\s*=\s*[^&]/gi)).toBeNull();
      expect((page.match(/<[a-z]/g) ?? []).length).toBeGreaterThan(500);
      expect((page.match(/<\/style>/g) ?? []).length).toBe(1);
    },
  );

  it('links only web addresses', () => {
    expect(text).toContain('<a href="https://example.org/post-mortems/slow-node"');
    const page = renderPage({ ...happened, report: { ...happened.report, source: 'javascript:alert(1)' } });
    expect(page).not.toContain('<a ');
    expect(page).toContain('javascript:alert(1)');
  });
});
