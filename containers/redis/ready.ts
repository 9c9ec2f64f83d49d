/**
 * The readiness program of a Redis cluster: runs in a client container, takes one line of settings on stdin, prints one line of JSON, and ends
 * with 0 when a key was set and got through the entry, else with 1. An accepted connection alone would prove nothing: Toxiproxy accepts for a
 * server that is not there.
 */
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../harness/core/clock.ts';
import { messageOf } from '../../harness/core/errors.ts';
import { exchangesWith } from '../../harness/load/exchange.ts';
import { addressOf } from '../client/settings.ts';

import { type RedisOperation, redisProtocol } from './resp.ts';

export interface RedisReadySettings {
  /** ip:port of the first hop. */
  readonly entry: string;
  readonly patienceMs: number;
}

/** A single answer that takes longer is asked for again on a new connection. */
const ANSWER_WITHIN_MS = 1_000;
const PAUSE_MS = 50;
const OPERATIONS: readonly RedisOperation[] = ['ping', 'set', 'get'];

async function askAll(entry: string): Promise<void> {
  const protocol = redisProtocol({ keys: 1, keyName: () => 'ready', sizes: () => 8, operations: OPERATIONS });
  using exchanges = await exchangesWith(addressOf(entry, 'settings.entry'), protocol, ANSWER_WITHIN_MS);
  for (const [operation, name] of OPERATIONS.entries()) {
    const answer = await exchanges.ask(operation, 0);
    if (answer !== 'done' && answer !== 'hit') throw new Error(`${entry} answered ${name} with '${answer}'`);
  }
}

async function awaitReady({ entry, patienceMs }: RedisReadySettings): Promise<object> {
  const startMs = monotonicMs();
  for (;;) {
    try {
      await askAll(entry);
      return { ok: true, evidence: { afterMs: Math.round(monotonicMs() - startMs), answered: OPERATIONS } };
    } catch (thrown) {
      if (monotonicMs() - startMs > patienceMs) return { ok: false, why: `not ready after ${patienceMs} ms: ${messageOf(thrown)}` };
      await pause(PAUSE_MS);
    }
  }
}

const input = createInterface({ input: process.stdin });
const [line] = await new Promise<[string?]>((resolve) => input.once('line', (first) => resolve([first])).once('close', () => resolve([])));
let readiness: object;
try {
  if (line === undefined) throw new Error('no settings came on stdin');
  readiness = await awaitReady(JSON.parse(line) as RedisReadySettings);
} catch (thrown) {
  readiness = { ok: false, why: messageOf(thrown) };
}
process.stdout.write(`${JSON.stringify(readiness)}\n`, () => process.exit('evidence' in readiness ? 0 : 1));
