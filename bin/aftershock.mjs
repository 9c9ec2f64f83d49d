#!/usr/bin/env node
/**
 * The command `aftershock`. Runs under Node 24: started by an older one, it starts itself again under the one that the npm packages brought.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from '../scripts/plain/child.mjs';
import { environment, node24 } from '../scripts/plain/node24.mjs';

const ENVIRONMENT = 3;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const node = node24();

if (node === undefined || !existsSync(join(root, 'node_modules/commander'))) {
  process.stderr.write('aftershock: the npm packages are not installed; type: npm run setup\n');
  process.exitCode = ENVIRONMENT;
} else if (node === process.execPath) {
  await import('../harness/cli/main.ts');
} else {
  process.exitCode = await runChild(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { env: environment() });
}
