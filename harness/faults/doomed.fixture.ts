/** A harness that a test kills while it holds faults on a cluster of its own, and what is left of it; removed after each test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { afterEach, beforeEach } from 'vitest';
import { connectEngine, type Engine } from '../cluster/engine.ts';
import { RUN_LABEL } from '../cluster/labels.ts';
import { removeRemains } from '../cluster/remains.ts';
import { runIn } from './cluster.fixture.ts';
import type { Held } from './held.fixture.ts';

const PROGRAM = new URL('./held.fixture.ts', import.meta.url).pathname;

/** No fault lives longer than this when its run is dead. */
export const LEASE_LIMIT_MS = 10_000;

export interface Doomed {
  readonly engine: Engine;
  readonly runId: string;
  container(name: string): Dockerode.Container;
  /** Kills containers of the run at once, the first process of each. */
  kill(...names: string[]): Promise<void>;
  /** Ends the harness, or stops it, and answers with the moment. */
  end(signal?: 'SIGKILL' | 'SIGSTOP'): number;
  /** What a program of Node, run in a container of the cluster, says with `say`. */
  run(node: string, code: string): Promise<unknown>;
  /** Somebody of ours in a node's network namespace, who goes with the run; answers with what his programs print there. To look takes some tens of milliseconds. */
  watcher(node: string): Promise<(...argv: string[]) => Promise<string>>;
  /** What a program of any kind prints there. */
  printed(node: string, ...argv: string[]): Promise<string>;
}

/** Call it at the top of a part of a test file; a harness holds its faults before each test. */
export function useDoomed(held: Held): Doomed {
  const doomed = {} as { -readonly [K in keyof Doomed]: Doomed[K] };
  let harness: ChildProcess;
  beforeEach(async () => {
    const engine = await connectEngine();
    const runId = `test-${randomBytes(4).toString('hex')}`;
    const container = (name: string) => engine.docker.getContainer(`aftershock-${runId}-${name}`);
    Object.assign(doomed, {
      engine,
      runId,
      container,
      kill: async (...names) => void (await Promise.all(names.map((name) => container(name).kill({ signal: 'SIGKILL' })))),
      end: (signal = 'SIGKILL') => {
        harness.kill(signal);
        return performance.now();
      },
      run: (node, code) => runIn(engine, `aftershock-${runId}-${node}`, code),
      watcher: async (node) => {
        const watcher = await engine.docker.createContainer({
          Image: 'aftershock/hand:1',
          Cmd: ['sleep', 'infinity'],
          Labels: { [RUN_LABEL]: runId },
          HostConfig: { NetworkMode: `container:aftershock-${runId}-${node}`, CapDrop: ['ALL'], CapAdd: ['NET_ADMIN'] },
        });
        await watcher.start();
        return (...argv) => printedIn(watcher, argv);
      },
      printed: (node, ...argv) => printedIn(container(node), argv),
    } satisfies Doomed);
    harness = spawn(process.execPath, [PROGRAM, runId, held], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: harness.stdout as NonNullable<typeof harness.stdout> });
    const [line] = await Promise.race([once(lines, 'line'), once(harness, 'exit').then(() => ['it ended'])]);
    if (line !== 'in force') throw new Error(`the harness that was to be killed said: ${String(line)}`);
  });
  afterEach(async () => {
    harness.kill('SIGKILL');
    await removeRemains(doomed.engine, doomed.runId);
  });
  return doomed;
}

async function printedIn(container: Dockerode.Container, argv: readonly string[]): Promise<string> {
  const exec = await container.exec({ Cmd: [...argv], User: 'root', AttachStdout: true, AttachStderr: true, Tty: true });
  const pieces: Buffer[] = [];
  for await (const piece of await exec.start({ Tty: true })) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('latin1').replaceAll('\r\n', '\n');
}

/** How long after a moment something is so, ms; infinite when it is not after the limit of a lease. */
export async function msUntil(moment: number, what: () => Promise<boolean>): Promise<number> {
  while (!(await what())) {
    if (performance.now() - moment > LEASE_LIMIT_MS) return Number.POSITIVE_INFINITY;
    await sleep(100);
  }
  return performance.now() - moment;
}
