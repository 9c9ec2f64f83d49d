/**
 * A vitest reporter that ends the output with 'N passed, N failed' alone on the last line, for people and for machines that look at the last line only.
 */
import type { Reporter, SerializedError, TestModule, TestRunEndReason } from 'vitest/node';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** '12 passed, 0 failed', with ', 3 skipped' when there are any. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** A file that could not be loaded, and an error outside every test, count as one failed test each. */
export function count(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Counts {
  let [passed, failed, skipped] = [0, unhandled.length, 0];
  for (const module of modules) {
    let failedHere = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed++;
      else if (state === 'failed') failedHere++;
      else skipped++;
    }
    if (failedHere === 0 && module.state() === 'failed') failedHere = 1;
    failed += failedHere;
  }
  return { passed, failed, skipped };
}

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[], reason: TestRunEndReason): void {
    const counts = count(modules, unhandled);
    if (counts.passed + counts.failed === 0 || reason === 'interrupted') process.exitCode = 1;
    if (counts.failed > 0) process.exitCode = 1;
    // At the very end: other reporters, and vitest itself, may still have something to say after the run.
    process.once('exit', () => process.stdout.write(`${closingLine(counts)}\n`));
  }
}
