import { describe, expect, it } from 'vitest';
import { InputError } from '../core/errors.ts';
import { checkMoral, closingSentence } from './moral.ts';
import { runFixture } from './run.fixture.ts';

const [happened, eject] = [runFixture('as-it-happened'), runFixture('eject')];
const reports = [happened.report, eject.report];

describe('the closing sentence', () => {
  it('puts in what each variant measured, and a recovery without the words that say from when', () => {
    expect(closingSentence('goodput {as-it-happened.goodput}; {eject.goodput} after {eject.adapts}', reports)).toMatch(
      /^goodput 3\d(\.\d)?%; (100|9\d(\.\d)?)% after 1\.\d+ s$/,
    );
  });

  it('does not mistake the baseline of a percentile for a recovery', () => {
    const steady = {
      ...eject.report,
      results: eject.report.results.map((result) =>
        result.name === 'steady' ? { ...result, verdict: { ...result.verdict, measured: '3.58 ms', figures: { baselineMs: 1 } } } : result,
      ),
    };
    expect(closingSentence('{eject.steady}', [steady])).toBe('3.58 ms');
  });

  it('says so in the place of the figure when a variant did not run, or its run cannot be judged', () => {
    expect(closingSentence('{eject.goodput}', [happened.report])).toBe('(eject was not run)');
    expect(closingSentence('{eject.goodput}', [{ ...eject.report, outcome: 'invalid' }])).toBe('(invalid run)');
    expect(closingSentence('{eject.goodput}', [{ ...eject.report, outcome: 'aborted' }])).toBe('(run aborted)');
    expect(closingSentence('{eject.sockets}', reports)).toBe('(sockets was not judged)');
  });
});

describe('checking a moral', () => {
  const check = (template: string) => () => checkMoral(template, ['as-it-happened', 'eject'], ['goodput', 'adapts']);

  it('takes placeholders that name a variant and an objective', () => {
    expect(check('with ejection {eject.goodput}, normal after {eject.adapts}')).not.toThrow();
    expect(check('no figure at all')).not.toThrow();
  });

  it.each([
    ['{ejct.goodput}', /ejct.*did you mean 'eject'.*as-it-happened, eject/],
    ['{eject.goodputs}', /goodputs.*did you mean 'goodput'.*goodput, adapts/],
    ['{goodput}', /'\{goodput\}' is not a placeholder.*'\{as-it-happened\.goodput\}'/],
    ['{}', /is not a placeholder/],
    ['{eject.goodput', /brace stands alone/],
    ['{eject.{goodput}}', /moral: /],
  ])('refuses %s with one clear line', (template, message) => {
    expect(check(template)).toThrow(InputError);
    expect(check(template)).toThrow(message);
  });
});
