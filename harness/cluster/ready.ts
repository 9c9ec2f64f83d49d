/** Waits until a cluster is ready: until its ready program says so, not until a port is open. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentError } from '../core/errors.ts';
import type { Channel } from './channel.ts';
import type { Ground } from './ground.ts';
import { endedNode } from './remains.ts';

const READY_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 500;

/** What the ready program saw. Throws EnvironmentError with its word why not, or at once when a node ends by itself. */
export async function becomeReady(program: Channel, ground: Ground, signal: AbortSignal): Promise<unknown> {
  let said: Record<string, unknown> = {};
  program.onMessage((message) => {
    said = message;
  });
  const limit = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const end = await Promise.race([program.ended, sleep(LOOK_EVERY_MS)]);
    if (end?.code === 0) return said['evidence'];
    signal.throwIfAborted();
    // A node that has ended says more than whoever misses it.
    const ended = await endedNode(ground.engine, ground.runId);
    if (ended !== undefined) throw new EnvironmentError(ended);
    if (end) throw new EnvironmentError(`the cluster did not become ready: ${String(said['why'] ?? (end.stderr || 'no word why'))}`);
    if (performance.now() > limit) throw new EnvironmentError(`the cluster was not ready within ${READY_WITHIN_MS / 1_000} s`);
  }
}
