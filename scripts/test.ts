/**
 * `npm test`: format, lint and types first, then all tests. The last line is 'N passed, N failed'.
 *
 * Arguments go to vitest: `npm test -- --project unit`, `npm test -- harness/slo`.
 */
import { join } from 'node:path';
import { closingLine } from './closing-line.ts';
import { runChild } from './plain/child.mjs';
import { ROOT } from './plain/progress.mjs';

const CHECKS = [
  ['biome', 'ci'],
  ['oxlint', '--deny-warnings'],
  ['tsc', '-p', '.'],
];

const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name);

async function main(args: readonly string[]): Promise<number> {
  for (const [name = '', ...rest] of CHECKS) {
    const code = await runChild(bin(name), rest, { cwd: ROOT });
    if (code === 0) continue;
    process.stdout.write(`\n'${[name, ...rest].join(' ')}' failed; no test was run\n${closingLine({ passed: 0, failed: 1, skipped: 0 })}\n`);
    return code;
  }
  return runChild(bin('vitest'), ['run', ...args], { cwd: ROOT });
}

process.exitCode = await main(process.argv.slice(2));
