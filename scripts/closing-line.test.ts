import { describe, expect, it } from 'vitest';
import type { TestModule } from 'vitest/node';
import { closingLine, count } from './closing-line.ts';

type State = 'passed' | 'failed' | 'skipped' | 'pending';

/** As much of a test file as the reporter looks at. */
function file(states: readonly State[], own: 'passed' | 'failed' = states.includes('failed') ? 'failed' : 'passed'): TestModule {
  return { state: () => own, children: { allTests: () => states.map((state) => ({ result: () => ({ state }) })) } } as unknown as TestModule;
}

describe('the closing line', () => {
  it('says how many passed and failed, and speaks of skipped ones only when there are any', () => {
    expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(closingLine({ passed: 1, failed: 2, skipped: 3 })).toBe('1 passed, 2 failed, 3 skipped');
  });

  it('counts the tests of all files, and those that never came to an end as skipped', () => {
    expect(count([file(['passed', 'failed']), file(['passed', 'skipped', 'pending'])], [])).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  it('counts a file that could not be loaded as one failed test', () => {
    expect(count([file([], 'failed')], [])).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('counts an error outside every test as a failed one', () => {
    expect(count([file(['passed'])], [{ message: 'unhandled' }])).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });
});
