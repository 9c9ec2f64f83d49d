import { describe, expect, it } from 'vitest';
import { faultMarks, healthy, synthetic } from '../timeline/synthetic.fixture.ts';
import { bandsOf, buckets, bucketWidthMs, momentsOf } from './buckets.ts';
import { chart } from './chart.ts';
import { layOut } from './lanes.ts';
import { linear, logarithmic, time } from './scale.ts';

describe('buckets', () => {
  it('sum up what was due in them, the failed included, and leave a hole where nothing was due', () => {
    const timeline = synthetic({ durationMs: 1_000, ratePerSecond: 400, fate: (dueMs) => (dueMs < 200 ? { afterMs: 250, failed: 'timeout' } : healthy) });
    const [first, second] = buckets({ ...timeline, windows: timeline.windows.filter((window) => window.at < 400) }, 200);
    expect(first).toMatchObject({ fromMs: 0, untilMs: 200, due: 80, failed: 80, good: 0, errors: { timeout: 80 } });
    // A histogram's bucket is at most 0.78% wide.
    expect(first?.p50Ms).toBeGreaterThanOrEqual(250);
    expect(first?.p50Ms).toBeLessThan(252);
    expect(second).toMatchObject({ due: 80, failed: 0, good: 80 });
    expect(buckets({ ...timeline, windows: [] }, 200).every((bucket) => bucket.due === 0 && Number.isNaN(bucket.p99Ms))).toBe(true);
  });

  it('are as narrow as a page can show', () => {
    expect(bucketWidthMs(35_000)).toBe(200);
    expect(bucketWidthMs(60_000)).toBe(500);
    expect(3_600_000 / bucketWidthMs(3_600_000)).toBeLessThanOrEqual(180);
    expect(86_400_000 / bucketWidthMs(86_400_000)).toBeLessThanOrEqual(180);
  });
});

describe('bands', () => {
  it('reach from the last target in to the first target out', () => {
    const marks = [...faultMarks(1_000, 2_000), ...faultMarks(1_200, 2_300)].map((mark) => ({ ...mark, step: 0 }));
    expect(bandsOf(marks, [{ title: 'slow' }], 3_000)).toEqual([
      { step: 0, title: 'slow', injectingMs: 995, injectedMs: 1_200, healingMs: 1_995, healedMs: 2_300, endMs: 2_300 },
    ]);
  });
});

describe('moments', () => {
  const result = (name: string, at: number, label: string) => ({ name, verdict: { moments: [{ at, label }] } }) as never;

  it('are named by their objective only where one label means two moments', () => {
    expect(momentsOf([result('a', 5, 'back'), result('b', 5, 'back'), result('c', 1, 'first')])).toEqual([
      { atMs: 1, label: 'first' },
      { atMs: 5, label: 'back' },
    ]);
    expect(momentsOf([result('a', 5, 'back'), result('b', 7, 'back')])).toEqual([
      { atMs: 5, label: 'a: back' },
      { atMs: 7, label: 'b: back' },
    ]);
  });
});

describe('scales', () => {
  it('place powers of ten at even heights', () => {
    const scale = logarithmic(1, 1_000, String);
    expect([1, 10, 100, 1_000].map((value) => Number(scale.at(value).toFixed(3)))).toEqual([0, 0.333, 0.667, 1]);
    expect(scale.ticks.filter((tick) => tick.major).map((tick) => tick.label)).toEqual(['1', '10', '100', '1000']);
  });

  it('reach over the highest value in round steps', () => {
    expect(linear(1_730, String).ticks.map((tick) => tick.value)).toEqual([0, 500, 1_000, 1_500, 2_000]);
    expect(linear(0, String).at(0)).toBe(0);
  });

  it('count long runs in minutes', () => {
    expect(time(35_000).ticks.at(-1)?.label).toBe('35 s');
    expect(time(1_200_000).ticks.at(-1)?.label).toBe('20 min');
  });
});

describe('labels above a chart', () => {
  const moment = (atMs: number) => ({ atMs, label: 'back to baseline' });
  const band = { step: 0, title: 'latency 1s on proxy-* -> mc-3', injectingMs: 100, endMs: 600 };
  const at = (ms: number) => ms / 1_000;

  it('stand side by side in one lane when there is room', () => {
    expect(layOut([band], [moment(700)], at)).toMatchObject({ count: 1 });
  });

  it('take as many lanes as keep every label whole and clear of lines', () => {
    const { labels } = layOut([band], [moment(120), moment(140), moment(160)], at);
    const wide = labels.filter((label) => label.width === 'wide');
    expect(wide).toHaveLength(4);
    // All four begin near the left edge and reach to the right, so that the rightmost has to stand lowest: its line would run through the others.
    expect(wide.toSorted((a, b) => a.at - b.at).map((label) => label.lane)).toEqual([3, 2, 1, 0]);
  });

  it('do not grow beyond four lanes, however many moments there are', () => {
    const started = performance.now();
    const { count } = layOut(
      [band],
      Array.from({ length: 30 }, (_, i) => moment(500 + i)),
      at,
    );
    expect(count).toBe(4);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('turn to the left at the right edge', () => {
    expect(layOut([], [moment(980)], at).labels[0]).toMatchObject({ anchor: 'end' });
  });
});

describe('a chart', () => {
  const spec = {
    label: 'a picture',
    height: 100,
    durationMs: 4_000,
    y: linear(100, String, 1),
    bands: [],
    moments: [],
    slots: [0, 1, 2, 3].map((i) => ({ fromMs: i * 1_000, untilMs: (i + 1) * 1_000 })),
  };

  it('breaks a curve where there is nothing, and shows a lone point as a dot', () => {
    const text = chart({ ...spec, lines: [{ name: 'a', look: 0, values: [100, Number.NaN, 50, 0] }] }).text;
    // Points lie in the middle of their second: 125, 625 and 875 of 1,000 units.
    expect(text).toContain('<path class="line k0" d="M125 0h0M625 50L875 100"/>');
  });

  it('stacks layers on each other', () => {
    const text = chart({
      ...spec,
      lines: [],
      layers: [
        { name: 'a', look: 0, values: [50, 50, 50, 50] },
        { name: 'b', look: 1, values: [25, 25, 25, 25] },
      ],
    }).text;
    expect(text).toMatch(/fill="url\(#fill-1\)" d="M0 25L250 25.*L1000 25L1000 50/);
  });

  it('keeps the names of curves apart that end at one height', () => {
    const text = chart({ ...spec, lines: ['a', 'b', 'c'].map((name, look) => ({ name, look, values: [0, 0, 0, 0] })) }).text;
    const heights = [...text.matchAll(/<svg class="wide" x="100%" y="([\d.]+)"/g)].map((match) => Number(match[1]));
    expect(heights).toHaveLength(3);
    for (let i = 1; i < heights.length; i++) expect((heights[i] as number) - (heights[i - 1] as number)).toBeGreaterThanOrEqual(15);
  });
});
