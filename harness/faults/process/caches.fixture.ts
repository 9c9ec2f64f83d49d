/** A cluster of three caches for a test file, and the means to have it do something else than it is told to. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { connectEngine } from '../../cluster/engine.ts';
import { type RunningCluster, startCluster } from '../../cluster/start.ts';
import type { Cluster, Disturbance, Node } from '../../cluster/types.ts';
import { caches } from './supervised.fixture.ts';

export interface Journalled {
  readonly cluster: RunningCluster;
  /** Actions that were journalled before their effect. */
  readonly intents: string[];
}

/** Call it at the top of a test file; what it answers with is filled before the first test. */
export function useCaches(): Journalled {
  const started = { intents: [] as string[] } as { -readonly [K in keyof Journalled]: Journalled[K] };
  beforeAll(async () => {
    const engine = await connectEngine();
    const runId = `test-${randomBytes(4).toString('hex')}`;
    const journal = {
      intent: (action: string, name: string) => void started.intents.push(`${action} ${name.slice(`aftershock-${runId}-`.length)}`),
      done: () => undefined,
    };
    started.cluster = await startCluster(caches(), { engine, runId, signal: new AbortController().signal, journal });
  });
  afterAll(() => started.cluster?.stop());
  return started;
}

/** The same cluster, where one node does something else than it is told to. */
export function meddled(cluster: Cluster, name: string, acts: Partial<Node>): Cluster {
  const stoodIn = (node: Node) => new Proxy(node, { get: (target, key) => Reflect.get(key in acts ? acts : target, key) as unknown });
  return { ...cluster, nodes: cluster.nodes.map((node) => (node.name === name ? stoodIn(node) : node)) };
}

/** Nothing was done, and nobody misses it. */
export const NOTHING: Disturbance = { undo: async () => undefined, missing: async () => undefined };
