/** A real cluster of any kind, for the tests of faults: one a file or a part of it, taken down afterwards. */
import { randomBytes } from 'node:crypto';
import type Dockerode from 'dockerode';
import { afterAll, beforeAll } from 'vitest';
import { connectEngine, type Engine } from '../cluster/engine.ts';
import type { ClusterSpec } from '../cluster/spec.ts';
import { type RunningCluster, startCluster } from '../cluster/start.ts';

export interface Standing {
  /** As the engine knows it, past our own node. */
  container(node: string): Dockerode.Container;
  readonly cluster: RunningCluster;
  /** What was journalled before it was done: 'kill mc-1'. */
  readonly intents: string[];
  /** What was journalled of how it ended: 'kill mc-1: by running out of memory'. */
  readonly outcomes: string[];
  /** What a program of Node, run in a container of the cluster, says with `say`. */
  run(node: string, code: string): Promise<unknown>;
}

/** Call it at the top of a test file or of a part of it; what it answers with is filled before the first test. */
export function useCluster(spec: ClusterSpec): Standing {
  const standing = { intents: [] as string[], outcomes: [] as string[] } as { -readonly [K in keyof Standing]: Standing[K] };
  beforeAll(async () => {
    const runId = `test-${randomBytes(4).toString('hex')}`;
    const prefix = `aftershock-${runId}-`;
    const engine = await connectEngine();
    standing.container = (node) => engine.docker.getContainer(`${prefix}${node}`);
    standing.run = (node, code) => runIn(engine, `${prefix}${node}`, code);
    standing.cluster = await startCluster(spec, {
      engine,
      runId,
      signal: new AbortController().signal,
      journal: {
        intent: (action, name) => void standing.intents.push(`${action} ${name.replace(prefix, '')}`),
        done: (action, name, detail) => void (detail && standing.outcomes.push(`${action} ${name.replace(prefix, '')}: ${detail}`)),
      },
    });
  });
  afterAll(() => standing.cluster?.stop());
  return standing;
}

/** Runs a module whose last word is `say(...)`. It is killed then: an orderly end would wait for look-ups that are under way, up to 10 s. */
export async function runIn({ docker }: Engine, container: string, code: string): Promise<unknown> {
  const module = `const say = (what) => { process.stdout.write(JSON.stringify(what) + '\\n', () => process.kill(process.pid, 'SIGKILL')); };\n${code}`;
  const exec = await docker
    .getContainer(container)
    .exec({ Cmd: ['node', '--input-type=module', '-e', module], AttachStdout: true, AttachStderr: true, Tty: true });
  const stream = await exec.start({ hijack: true, Tty: true });
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  const text = Buffer.concat(pieces).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new Error(`a program in ${container} said: ${text}`, { cause: thrown });
  }
}
