/**
 * Takes over a cluster that was left standing, by what the engine tells of it and by the specification that was laid down beside it. One at a time: whoever has it has a guard beside it, a
 * reaper that removes nothing of the cluster and puts it back as it found it when its owner dies, and a second container of the guard's name cannot be made.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { EnvironmentError, messageOf, unknownName } from '../core/errors.ts';
import type { Started } from './container.ts';
import type { Docker, Engine } from './engine.ts';
import { Ground } from './ground.ts';
import { allGiven, GO_ON, isLimited } from './held/held.ts';
import { runIn } from './inside.ts';
import { NODE_LABEL, OWNER_LABEL, type Owner, ownerAlive, RUN_LABEL, SIDECAR_LABEL } from './labels.ts';
import { Reaper } from './reaper.ts';
import { gone, isStopped, keptClusters } from './remains.ts';
import type { ClusterSpec } from './spec.ts';
import { type Standing, Starting, TOXIPROXY_API_PORT } from './start.ts';
import type { Cluster } from './types.ts';

export interface AttachedCluster extends Cluster {
  /** Lets go of it, and leaves it standing as it was. */
  detach(): Promise<void>;
}

/** For a guard whose owner has died to put everything back and go: every fault ends within ten seconds. */
const GUARD_GOES_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 250;
/** For a node that was started again to answer over its links: a proxy may leave a node alone for some seconds after it was gone. */
const REACHED_WITHIN_MS = 10_000;
const PATIENCE_MS = 1_000;
const QUIET = { intent: () => undefined, done: () => undefined };

/** Throws InputError when no such cluster stands, and EnvironmentError when somebody else has it, or when it is not whole any more. `onNote` hears what had to be put right first. */
export async function attachCluster(engine: Engine, runId: string, onNote: (text: string) => void): Promise<AttachedCluster> {
  const kept = await keptClusters(engine);
  const spec = kept.get(runId);
  if (!spec) throw unknownName('cluster', runId, [...kept.keys()]);
  const ground = new Ground(engine, runId, QUIET);
  await awaitTurn(engine, ground, onNote);
  const label = `${RUN_LABEL}=${runId}`;
  const guard = await Reaper.start({ engine, runId, tool: spec.tools.reaper, label, keeps: true });
  try {
    await removeSidecars(engine, label);
    await freeAll(engine, label, spec, onNote);
    const startedAgain = await startEnded(engine, label, spec, onNote);
    // It puts back what is right now, and not what was found.
    await guard.lookAgain();
    const cluster = await new Starting(spec, ground, guard, undefined).adopt(await standing(engine, ground, spec));
    await reached(cluster, startedAgain);
    return {
      ...cluster,
      detach: async () => {
        await cluster.leave();
        await removeSidecars(engine, label);
      },
    };
  } catch (thrown) {
    await guard.dismiss().catch((other: unknown) => onNote(`its guard stays: ${messageOf(other)}`));
    throw thrown;
  }
}

/** Waits for the guard of somebody who has died; throws EnvironmentError when its owner lives. */
async function awaitTurn({ docker }: Engine, ground: Ground, onNote: (text: string) => void): Promise<void> {
  const limit = performance.now() + GUARD_GOES_WITHIN_MS;
  for (let told = false; ; told = true) {
    const guard = await inspected(docker, ground.name('reaper'));
    if (!guard) return;
    const owner = guard.Config.Labels[OWNER_LABEL];
    if (ownerAlive(owner))
      throw new EnvironmentError(`cluster ${ground.runId} has a fault in force already${ownerWords(owner)}; one at a time: stop that one, or let it end`);
    if (performance.now() > limit)
      throw new EnvironmentError(
        `the guard of a fault that was killed does not leave cluster ${ground.runId}; take it down: npx aftershock down ${ground.runId}`,
      );
    // One that was killed, too, does not go by itself.
    if (!guard.State.Running) await gone(docker.getContainer(guard.Id).remove({ force: true }));
    else if (!told) onNote('a fault before this one was killed; its guard puts the cluster back as it was');
    await sleep(LOOK_EVERY_MS);
  }
}

function ownerWords(label: string | undefined): string {
  const { host, pid } = JSON.parse(label ?? '{}') as Partial<Owner>;
  return pid === undefined ? '' : ` (process ${pid} on ${host})`;
}

async function inspected(docker: Docker, name: string) {
  try {
    return await docker.getContainer(name).inspect();
  } catch (thrown) {
    if ((thrown as { statusCode?: number }).statusCode === 404) return undefined;
    throw thrown;
  }
}

/** Those of faults that are over: they may stand in a namespace that their node has left. */
async function removeSidecars({ docker }: Engine, label: string): Promise<void> {
  // Their names are needed again, so that one which is being removed already is waited for.
  for (;;) {
    const sidecars = await docker.listContainers({ all: true, filters: { label: [label, SIDECAR_LABEL] } });
    if (sidecars.length === 0) return;
    await Promise.all(sidecars.map(({ Id }) => gone(docker.getContainer(Id).remove({ force: true, v: true }))));
  }
}

/** A node stays paused, stopped or limited when a fault, its guard and everything else of it were killed at once. */
async function freeAll({ docker }: Engine, label: string, { nodes }: ClusterSpec, onNote: (text: string) => void): Promise<void> {
  const given = new Map(nodes.map(({ name, memoryMiB }) => [name, memoryMiB * 2 ** 20]));
  for (const { Id, State, Labels } of await docker.listContainers({ all: true, filters: { label: [label] } })) {
    const name = Labels[NODE_LABEL] ?? Id;
    const container = docker.getContainer(Id);
    if (State === 'paused') {
      await container.unpause();
      onNote(`${name} was still paused; it is resumed`);
    }
    const memory = given.get(name);
    if (memory !== undefined && isLimited((await container.inspect()).HostConfig)) {
      await container.update(allGiven(memory));
      onNote(`${name} was still limited; it has all again that it was given`);
    }
    if (State === 'running' || State === 'paused') await letGoOn(container, name, onNote);
  }
}

/** What was stopped by a signal goes on: the first process by the engine, those under it by a shell in the container, where there is one. */
async function letGoOn(container: Dockerode.Container, name: string, onNote: (text: string) => void): Promise<void> {
  const before = await isStopped(container);
  if (before === false) return;
  // An engine that cannot tell: a word too many does no harm.
  await container.kill({ signal: 'SIGCONT' });
  const isLeft = before === undefined || (await isStopped(container)) === true;
  const { code, said } = isLeft ? await shellIn(container) : { code: 0, said: '' };
  if (before === undefined) return;
  if (code === 0) onNote(`${name} was still stopped by a signal; it goes on`);
  else onNote(`processes of ${name} are still stopped by a signal, and no shell in it lets them go on (${said.trim()})`);
}

/** As root, who may signal every process in there. */
async function shellIn(container: Dockerode.Container): Promise<{ readonly code: number; readonly said: string }> {
  try {
    return await runIn(container, GO_ON, 'root');
  } catch (thrown) {
    if ((thrown as { statusCode?: number }).statusCode === undefined) throw thrown;
    return { code: -1, said: messageOf(thrown) };
  }
}

/**
 * Starts nodes that have ended, one after the other: nobody was left to start them when a fault and its guard were killed at once. Answers with their names. Throws EnvironmentError where one
 * does not start.
 */
async function startEnded({ docker }: Engine, label: string, { nodes }: ClusterSpec, onNote: (text: string) => void): Promise<string[]> {
  const rows = await docker.listContainers({ all: true, filters: { label: [label], status: ['exited', 'created'] } });
  const ended = rows.filter(({ Labels }) => nodes.some(({ name }) => name === Labels[NODE_LABEL]));
  const name = ({ Labels }: { readonly Labels: Record<string, string> }) => Labels[NODE_LABEL] ?? '';
  for (const row of ended) {
    try {
      await docker.getContainer(row.Id).start();
    } catch (thrown) {
      throw new EnvironmentError(`${name(row)} has ended (${row.Status}) and does not start again: ${messageOf(thrown)}`, { cause: thrown });
    }
    onNote(`${name(row)} had ended (${row.Status}); it is started again`);
  }
  return ended.map(name);
}

/** Waits until each of these answers over every link to it. Throws EnvironmentError naming the first link over which nobody does. */
async function reached(cluster: Cluster, nodes: readonly string[]): Promise<void> {
  for (const link of cluster.links.filter(({ to }) => nodes.includes(to))) {
    const prober = await link.prober();
    try {
      for (const limit = performance.now() + REACHED_WITHIN_MS; (await prober.ask('new', PATIENCE_MS)).kind !== 'answered'; await sleep(LOOK_EVERY_MS)) {
        if (performance.now() > limit) throw new EnvironmentError(`${link.to} was started again, and does not answer over ${link.name}`);
      }
    } finally {
      await prober.close();
    }
  }
}

/** Every container of the cluster, running. Throws EnvironmentError naming the first that is not. */
async function standing(engine: Engine, ground: Ground, spec: ClusterSpec): Promise<Standing> {
  const rows = await engine.docker.listContainers({ all: true, filters: { label: [`${RUN_LABEL}=${ground.runId}`] } });
  const host = await publishedHost(engine);
  const found = new Map(rows.map((row) => [row.Labels[NODE_LABEL] ?? row.Id, row]));
  const started = (name: string): Started => {
    const row = found.get(name);
    if (row?.State !== 'running')
      throw new EnvironmentError(
        `cluster ${ground.runId} is not whole: ${name} ${row ? `has ended (${row.Status})` : 'is gone'}; take it down: npx aftershock down ${ground.runId}`,
      );
    const published = row.Ports.find(({ PrivatePort, PublicPort }) => PrivatePort === TOXIPROXY_API_PORT && PublicPort)?.PublicPort;
    const address = row.NetworkSettings.Networks[ground.network]?.IPAddress ?? '';
    return { id: row.Id, address, ...(published === undefined ? {} : { published: `${host}:${published}` }) };
  };
  return { toxiproxy: started('toxiproxy'), nodes: new Map(spec.nodes.map(({ name }) => [name, started(name)])) };
}

/** Where ports answer that containers publish. */
async function publishedHost(engine: Engine): Promise<string> {
  if (engine.local && !process.env['TESTCONTAINERS_HOST_OVERRIDE']) return '127.0.0.1';
  const { getContainerRuntimeClient } = await import('testcontainers');
  return (await getContainerRuntimeClient()).info.containerRuntime.host;
}

/** 'client-1 -> edge': the first link of each client, which is where requests come in. */
export function entryLinks({ nodes, links }: ClusterSpec): ClusterSpec['links'] {
  return nodes.filter(({ role }) => role === 'client').flatMap(({ name }) => links.find(({ from }) => from === name) ?? []);
}
