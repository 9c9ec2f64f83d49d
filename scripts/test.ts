/**
 * `npm test`: format, lint and types first, then all tests. The last line is 'N passed, N failed'.
 *
 * Arguments go to vitest: `npm test -- --project unit`, `npm test -- harness/slo`. Two forms take too long for every day: `npm run test:saboteur` (every fault, spoilt in every way, three times
 * over) and `npm run test:kills` (the harness killed 200 times with faults in force). `npm run test:netem` boots a Linux in user mode, on x86, for what netem does.
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

const LONG_FORMS: Readonly<Record<string, { readonly file: string; readonly variable: string; readonly value: string }>> = {
  '--saboteur': { file: 'harness/faults/sabotage.containers', variable: 'AFTERSHOCK_SABOTEUR', value: 'full' },
  '--netem': { file: 'harness/faults/packet/wire/netem.containers', variable: 'AFTERSHOCK_NETEM', value: 'uml' },
  '--kills': { file: 'harness/faults/leases.containers', variable: 'AFTERSHOCK_KILLS', value: '200' },
};

const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name);

async function main(args: readonly string[]): Promise<number> {
  for (const [name = '', ...rest] of CHECKS) {
    const code = await runChild(bin(name), rest, { cwd: ROOT });
    if (code === 0) continue;
    process.stdout.write(`\n'${[name, ...rest].join(' ')}' failed; no test was run\n${closingLine({ passed: 0, failed: 1, skipped: 0 })}\n`);
    return code;
  }
  const [first = '', ...rest] = args;
  const long = LONG_FORMS[first];
  if (long) process.env[long.variable] ??= long.value;
  return runChild(bin('vitest'), ['run', ...(long ? [long.file, ...rest] : args)], { cwd: ROOT });
}

process.exitCode = await main(process.argv.slice(2));
