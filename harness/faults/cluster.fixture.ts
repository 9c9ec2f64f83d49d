/** A real cluster of any kind, for the tests of faults: one a file, taken down afterwards. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { connectEngine } from '../cluster/engine.ts';
import type { ClusterSpec } from '../cluster/spec.ts';
import { type RunningCluster, startCluster } from '../cluster/start.ts';

export interface Standing {
  readonly cluster: RunningCluster;
  /** What was journalled: 'kill aftershock-test-1f2e-mc-1'. */
  readonly intents: readonly string[];
}

/** Call it at the top of a test file or of a part of it; what it answers with is filled before the first test. */
export function useCluster(spec: ClusterSpec): Standing {
  const intents: string[] = [];
  const standing = { intents } as unknown as { -readonly [K in keyof Standing]: Standing[K] };
  beforeAll(async () => {
    standing.cluster = await startCluster(spec, {
      engine: await connectEngine(),
      runId: `test-${randomBytes(4).toString('hex')}`,
      signal: new AbortController().signal,
      journal: { intent: (action, name) => intents.push(`${action} ${name}`), done: () => undefined },
    });
  });
  afterAll(() => standing.cluster?.stop());
  return standing;
}
