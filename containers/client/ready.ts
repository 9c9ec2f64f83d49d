/**
 * The readiness program: runs in a client container, takes one line of settings on stdin, prints one line of JSON, and ends with 0 when the
 * whole path answers, else with 1.
 */
import { createInterface } from 'node:readline';
import { messageOf } from '../../harness/core/errors.ts';
import { awaitReady, type Readiness, type ReadySettings } from './readiness.ts';

const input = createInterface({ input: process.stdin });
const [line] = await new Promise<[string?]>((resolve) => input.once('line', (first) => resolve([first])).once('close', () => resolve([])));

let readiness: Readiness;
try {
  if (line === undefined) throw new Error('no settings came on stdin');
  readiness = await awaitReady(JSON.parse(line) as ReadySettings);
} catch (thrown) {
  readiness = { ok: false, why: messageOf(thrown) };
}
process.stdout.write(`${JSON.stringify(readiness)}\n`, () => process.exit(readiness.ok ? 0 : 1));
