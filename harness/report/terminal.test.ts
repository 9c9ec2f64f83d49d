import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Report } from '../run/types.ts';
import { runFixture } from './run.fixture.ts';
import { verdictTable } from './terminal.ts';
import { columns } from './text.ts';

const { report } = runFixture('as-it-happened');
const plain = (one: Report, width = 120) => verdictTable(one, { colour: false, width });
const rowOf = (text: string, name: string) => text.split('\n').find((line) => new RegExp(`\\b(promise|symptom) +${name}\\b`).test(line)) ?? '';

function withVerdict(name: string, verdict: Partial<Report['results'][number]['verdict']>, asExpected: boolean): Report {
  return {
    ...report,
    results: report.results.map((result) => (result.name === name ? { ...result, asExpected, verdict: { ...result.verdict, ...verdict } } : result)),
  };
}

describe('the verdict table', () => {
  it('says each verdict by sign and word, without a single colour code', () => {
    const text = plain(report);
    expect(rowOf(text, 'steady')).toMatch(/^✓ met +promise +steady +p99 under 25 ms before .* as expected$/);
    expect(rowOf(text, 'sockets')).toMatch(/^✓ met +symptom/);
    expect(text).not.toContain('\u001b');
  });

  it('tells a promise that was missed as the variant says apart from a failure, in words and in colour', () => {
    expect(rowOf(plain(report), 'goodput')).toMatch(/^✕ missed .*missed, as expected$/);
    const failure = withVerdict('recovery', { status: 'missed', measured: '7.8 s after healed' }, false);
    expect(rowOf(plain(failure, 200), 'recovery')).toMatch(/^✕ missed .*7\.8 s after healed +NOT as expected: should be met$/);
    const red = '\u001b[31m';
    expect(verdictTable(report, { colour: true, width: 120 })).not.toContain(red);
    expect(verdictTable(failure, { colour: true, width: 120 })).toContain(red);
  });

  it('never calls an unknown verdict met or missed, and says why it is unknown', () => {
    const text = plain(withVerdict('goodput', { status: 'unknown', measured: 'unknown', because: 'there were 12 requests' }, false), 200);
    expect(rowOf(text, 'goodput')).toMatch(/^\? unknown .*cannot be said; expected missed$/);
    expect(text).toContain('goodput: there were 12 requests');
  });

  it('has the same words with colour as without', () => {
    expect(stripVTControlCharacters(verdictTable(report, { colour: true, width: 100 }))).toBe(plain(report, 100));
  });

  it('names scenario, variant, outcome and seed at its head, and the command that repeats the run at its foot', () => {
    const lines = plain(report).split('\n');
    expect(lines[0]).toBe('slow-node · as-it-happened · ✓ as expected · seed 42');
    expect(lines.at(-1)).toBe('again: npx aftershock run slow-node --variant as-it-happened --seed 42');
  });

  it('shows what was asked and what was measured of each fault, and which proof does not hold', () => {
    expect(plain(report)).toMatch(/injected +10\.0 s +✓ proven: asked each answer 1 s later, measured \+1\.001 s/);
    const unproven = { ...report, marks: report.marks.map((mark) => (mark.proof ? { ...mark, proof: { ...mark.proof, holds: false } } : mark)) };
    expect(plain(unproven)).toContain('? NOT proven');
    expect(plain(unproven)).not.toContain('✓ proven');
  });

  it('gives the reasons why a run is invalid, its notes, and counts nothing of it', () => {
    const text = plain({ ...report, outcome: 'invalid', reasons: ['no proof'], notes: ['the host was busy'] });
    expect(text).toContain('? invalid · seed 42');
    expect(text).toContain('? invalid: no proof');
    expect(text).toContain('note: the host was busy');
    expect(text).toContain('none counts');
    expect(text).not.toContain('promises met');
    expect(plain({ ...report, outcome: 'aborted', reasons: ['stopped'] })).toContain('! aborted: stopped');
  });

  it.each([80, 100, 131])('is no wider than %i columns, apart from the command that is there to be copied', (width) => {
    const long = withVerdict(
      'goodput',
      { measured: 'a very long account of what has been measured', because: 'one reason after another, and a further one that does not end' },
      true,
    );
    for (const line of plain({ ...long, reasons: ['because of many things that have been seen '.repeat(4)] }, width)
      .split('\n')
      .slice(0, -1)) {
      expect(columns(line)).toBeLessThanOrEqual(width);
    }
  });

  it('lets no text from elsewhere act on the terminal', () => {
    const hostile = withVerdict('steady', { measured: 'x\u001b]0;owned\u0007\u001b[2J', because: '\u001b[31m\r\n' }, true);
    expect(plain({ ...hostile, headline: 'a\u001b[2J', tags: ['\u001b'], notes: ['\u009b2J'] })).not.toMatch(/(?!\n)\p{Cc}/u);
  });
});
