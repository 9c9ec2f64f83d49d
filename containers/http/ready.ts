/**
 * The readiness program of an HTTP service: runs in a client container, takes one line of settings on stdin, asks the service through its link until
 * it answers, prints one line of JSON, and ends with 0 when it did, else with 1.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../harness/core/errors.ts';

export interface HttpReadySettings {
  /** ip:port */
  readonly entry: string;
  readonly patienceMs: number;
}

const ANSWER_WITHIN_MS = 1_000;
const PAUSE_MS = 50;

const [line] = (await once(createInterface({ input: process.stdin }), 'line')) as [string];
const { entry, patienceMs } = JSON.parse(line) as HttpReadySettings;
const startMs = performance.now();
let why: string | undefined = 'it was never asked';
while (why !== undefined && performance.now() < startMs + patienceMs) {
  why = await asked();
  if (why !== undefined) await sleep(PAUSE_MS);
}
const said =
  why === undefined
    ? { ok: true, evidence: { afterMs: Math.round(performance.now() - startMs), answered: `204 from http://${entry}/healthz` } }
    : { ok: false, why: `not ready after ${patienceMs} ms: ${entry}: ${why}` };
process.stdout.write(`${JSON.stringify(said)}\n`, () => process.exit(why === undefined ? 0 : 1));

/** Why it is not ready; undefined when it is. */
async function asked(): Promise<string | undefined> {
  try {
    const answer = await fetch(`http://${entry}/healthz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return answer.status === 204 ? undefined : `answered ${answer.status}, not 204`;
  } catch (thrown) {
    return messageOf(thrown instanceof Error && thrown.cause ? thrown.cause : thrown);
  }
}
