import { describe, expect, it } from 'vitest';
import type { Tick } from './progress.ts';
import { createProgress, progressLine } from './progress.ts';
import { columns } from './text.ts';

const tick = (atMs: number, rest: Partial<Tick> = {}): Tick => ({
  atMs,
  durationMs: 35_000,
  due: 200,
  answered: 198,
  good: 197,
  failed: 2,
  p99Ms: 3.1,
  connections: 50,
  ...rest,
});
const second = (untilMs: number, rest: Partial<Tick> = {}) => Array.from({ length: 10 }, (_, i) => tick(untilMs - 900 + i * 100, rest));
const LIVE = '\r\u001b[2K';

function record(options: { tty: boolean; columns?: number }) {
  const written: string[] = [];
  let nowMs = 0;
  const stream = { write: (text: string) => written.push(text), ...(options.columns === undefined ? {} : { columns: options.columns }) };
  const progress = createProgress(stream, { tty: options.tty, nowMs: () => nowMs });
  return {
    written,
    progress,
    at: (ms: number) => {
      nowMs = ms;
    },
    text: () => written.join(''),
  };
}

describe('the progress line', () => {
  it('tells the last second: rate, goodput, the worst p99, connections and the fault', () => {
    const line = progressLine(second(12_300, { fault: 'latency 1s on proxy-* -> mc-3' }), 140);
    expect(line).toBe(' 12.3/35 s  ▕████░░░░░░▏  fault: latency 1s on proxy-* -> mc-3  2,000/s  goodput 98.5%  p99 3.1 ms  50 connections');
  });

  it('shows a dash where nothing ended, instead of a number', () => {
    const { p99Ms: _, ...idle } = tick(100, { answered: 0, good: 0, failed: 0 });
    expect(progressLine([idle], 100)).toContain('goodput -  p99 -');
  });

  it('shows a dash for p99 where requests failed and none was answered', () => {
    const { p99Ms: _, ...down } = tick(100, { answered: 0, good: 0, failed: 200 });
    expect(progressLine([down], 100)).toContain('goodput 0%  p99 -');
    expect(progressLine([{ ...down, p99Ms: 0 }], 100)).toContain('p99 -');
    expect(progressLine([down, tick(200)], 100)).toContain('p99 3.1 ms');
  });

  it.each([10, 40, 60, 79, 100, 139])('is no wider than %i columns, and keeps the time', (width) => {
    const line = progressLine(second(12_300, { fault: 'latency 1s on proxy-* -> mc-3 and several others of a long name' }), width);
    expect(columns(line)).toBeLessThanOrEqual(width);
    expect(line).toContain('12.3');
  });
});

describe('progress on a terminal', () => {
  it('redraws one line, ten times a second at most', () => {
    const { written, progress, at } = record({ tty: true, columns: 120 });
    for (let ms = 0; ms < 1_000; ms += 20) {
      at(ms);
      progress.tick(tick(ms));
    }
    expect(written).toHaveLength(10);
    expect(written.every((text) => text.startsWith(LIVE) && !text.includes('\n'))).toBe(true);
  });

  it('keeps a note above the live line, and takes the live line away at the end', () => {
    const { written, progress, text } = record({ tty: true });
    progress.tick(tick(500));
    progress.note('one proof is late');
    expect(written.at(-1)?.startsWith(`${LIVE}  one proof is late\n`)).toBe(true);
    expect(written.at(-1)).toMatch(/late\n.*0\.5\/35 s/s);
    progress.end();
    expect(text().endsWith(LIVE)).toBe(true);
    progress.tick(tick(600));
    progress.note('late');
    expect(text().endsWith(LIVE)).toBe(true);
  });

  it('drops the live line when the next stage begins', () => {
    const { progress, text } = record({ tty: true });
    progress.tick(tick(500));
    progress.stage('taking it down');
    expect(text().endsWith(LIVE)).toBe(true);
    expect(text()).toContain('· taking it down\n');
  });
});

describe('progress in a log', () => {
  it('writes a line for every five seconds of the run, again for the next run, and no control codes', () => {
    const { written, progress, text } = record({ tty: false });
    progress.stage('running');
    for (const run of [1, 2]) for (let ms = 100; ms <= 10_900; ms += 100) progress.tick(tick(ms, { connections: run }));
    expect(written[0]).toBe('· running\n');
    expect(written.slice(1).map((line) => line.trim().slice(0, 9))).toEqual(['5.0/35 s ', '10.0/35 s', '5.0/35 s ', '10.0/35 s']);
    expect(text()).not.toContain('\u001b');
  });

  it('lets no note act on the terminal', () => {
    const { progress, text } = record({ tty: false });
    progress.note('a\u001b[2Jb\nc');
    expect(text()).toBe('  a\ufffd[2Jb c\n');
  });
});
