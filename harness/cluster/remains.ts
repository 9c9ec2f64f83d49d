/**
 * What runs have on the engine: found by label, read, and removed. Used by a run's own end and by `aftershock clean`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { CleanUpError, messageOf } from '../core/errors.ts';
import type { Docker, Engine } from './engine.ts';
import { hasStopped, isLimited, PS_ARGUMENTS, type Top } from './held/held.ts';
import { CLUSTER_LABEL, KEPT_LABEL, NODE_LABEL, OWNER_LABEL, ownerAlive, RUN_LABEL, reaperOf, runLabels, runOf } from './labels.ts';
import type { ClusterSpec } from './spec.ts';

/** An engine with a slow disk takes a second or two for one container. */
const REMOVED_WITHIN_MS = 20_000;
const BETWEEN_LOOKS_MS = 50;

export interface RunRemains {
  readonly runId: string;
  /** A process that made some of it may still be at work. */
  readonly alive: boolean;
  readonly containers: readonly { readonly id: string; readonly name: string }[];
  readonly networks: readonly { readonly id: string; readonly name: string }[];
  /** Left standing on purpose: whoever left it says when it goes. */
  readonly kept: boolean;
  /** Of one that was left standing, what it is made of in a few words, and since when it stands (ISO 8601), where that is known. */
  readonly standing?: { readonly title?: string | undefined; readonly since?: string | undefined };
}

/** Lines of a node's output that are kept with the result. */
const LOG_LINES = 5_000;

/** Everything that runs have on the engine now, by run. */
export async function findRemains(engine: Engine): Promise<RunRemains[]> {
  const filters = { label: [RUN_LABEL] };
  const [containers, networks, volumes] = await Promise.all([
    engine.docker.listContainers({ all: true, filters }),
    engine.docker.listNetworks({ filters }),
    volumesOf(engine, RUN_LABEL),
  ]);
  const kept = new Map(volumes.filter(({ Labels }) => Labels[KEPT_LABEL] !== undefined).map((volume) => [volume.Labels[RUN_LABEL] ?? '', volume]));
  const runs = new Map<
    string,
    { owners: Set<string | undefined>; containers: RunRemains['containers'][number][]; networks: RunRemains['networks'][number][] }
  >();
  const of = (labels: Record<string, string> | undefined) => {
    const id = runOf(labels?.[RUN_LABEL] ?? '');
    const run = runs.get(id) ?? { owners: new Set(), containers: [], networks: [] };
    runs.set(id, run);
    run.owners.add(labels?.[OWNER_LABEL]);
    return run;
  };
  for (const container of containers) of(container.Labels).containers.push({ id: container.Id, name: container.Names[0]?.replace(/^\//, '') ?? container.Id });
  // A cluster that somebody has removed by hand has left nothing but this.
  for (const volume of volumes) of(volume.Labels);
  for (const network of networks) of(network.Labels).networks.push({ id: network.Id, name: network.Name });
  return [...runs].map(([runId, { owners, ...run }]) => {
    const volume = kept.get(runId);
    const found = { runId, ...run, alive: [...owners].some((owner) => ownerAlive(owner)), kept: volume !== undefined };
    return volume === undefined ? found : { ...found, standing: { title: titleIn(volume.Labels[CLUSTER_LABEL]), since: volume.CreatedAt } };
  });
}

/** Undefined for a specification of another version. */
function titleIn(specification: string | undefined): string | undefined {
  try {
    return (JSON.parse(specification ?? '{}') as Partial<ClusterSpec>).title;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** Names of those of its containers that a fault still holds: paused, stopped, or with less of the machine than nodes are given. Nobody is left to take it back when all of a run was killed at once. */
export async function heldIn({ docker }: Engine, { containers }: RunRemains): Promise<string[]> {
  const held = await Promise.all(containers.map(async ({ id, name }) => ((await isHeld(docker, id)) ? [name] : [])));
  return held.flat();
}

async function isHeld(docker: Docker, id: string): Promise<boolean> {
  try {
    const container = docker.getContainer(id);
    const { State, HostConfig } = await container.inspect();
    return State.Paused || isLimited(HostConfig) || (State.Running && (await isStopped(container)) === true);
  } catch (thrown) {
    // Gone in the meantime, and held by nobody.
    if ((thrown as { statusCode?: number }).statusCode === 404) return false;
    throw thrown;
  }
}

/** Whether a process of a container that runs was stopped by a signal; undefined where the engine cannot tell. */
export async function isStopped(container: Dockerode.Container): Promise<boolean | undefined> {
  try {
    return hasStopped((await container.top({ ps_args: PS_ARGUMENTS })) as Top);
  } catch (thrown) {
    // It has no ps, or one that knows other words, or the container has ended in this moment.
    if ((thrown as { statusCode?: number }).statusCode !== undefined) return undefined;
    throw thrown;
  }
}

/** Marks a cluster as left standing on purpose, so that no later run sweeps it away, and lays its specification down beside it. */
export async function keepRun(engine: Engine, runId: string, spec: ClusterSpec): Promise<void> {
  const labels = { ...runLabels(runId), [KEPT_LABEL]: 'true', [CLUSTER_LABEL]: JSON.stringify(spec) };
  await engine.docker.createVolume({ Name: `aftershock-${runId}-kept`, Labels: labels });
}

/** The specification of each cluster that was left standing, by its run. */
export async function keptClusters(engine: Engine): Promise<Map<string, ClusterSpec>> {
  const volumes = await volumesOf(engine, CLUSTER_LABEL);
  return new Map(volumes.map(({ Labels }) => [Labels[RUN_LABEL] ?? '', JSON.parse(Labels[CLUSTER_LABEL] ?? '') as ClusterSpec]));
}

interface Volume {
  readonly Name: string;
  readonly CreatedAt?: string;
  readonly Labels: Record<string, string>;
}

async function volumesOf(engine: Engine, label: string): Promise<Volume[]> {
  const { Volumes } = await engine.docker.listVolumes({ filters: JSON.stringify({ label: [label] }) as never });
  return Volumes ?? [];
}

/**
 * Removes what dead runs have left, but for what was left on purpose, and answers with a line for each run. What stays (somebody else's container on a network of it) is told in its line: it
 * is in nobody's way.
 */
export async function sweep(engine: Engine): Promise<string[]> {
  const lines: string[] = [];
  for (const run of (await findRemains(engine)).filter(({ alive, kept }) => !alive && !kept)) {
    try {
      await removeRemains(engine, run.runId);
      lines.push(`removed what a dead run had left: ${describeRemains(run)}`);
    } catch (thrown) {
      if (!(thrown instanceof CleanUpError)) throw thrown;
      lines.push(`what a dead run had left stays: ${thrown.message}`);
    }
  }
  return lines;
}

/** Removes a run that nobody looks after any more, and its reaper with it. Throws CleanUpError. */
export async function removeRemains(engine: Engine, runId: string): Promise<void> {
  // A network that stays, for somebody else's container on it, does not keep the reaper.
  await removeRun(engine, runId).finally(() => removeRun(engine, reaperOf(runId)));
}

/** 'run 3f2a: aftershock-3f2a-mc-1, aftershock-3f2a-network' */
export function describeRemains({ runId, containers, networks }: RunRemains): string {
  return `run ${runId}: ${[...containers, ...networks].map(({ name }) => name).join(', ')}`;
}

/** Removes a run's containers, then its network. Throws CleanUpError naming what stayed; what is gone already is fine. */
export async function removeRun(engine: Engine, runId: string): Promise<void> {
  try {
    // A container may be in the making at this moment, or somebody else (its reaper) is removing it, so look again until a look finds nothing.
    for (const limit = performance.now() + REMOVED_WITHIN_MS; performance.now() < limit; await sleep(BETWEEN_LOOKS_MS)) {
      const filters = { label: [`${RUN_LABEL}=${runId}`] };
      const containers = await engine.docker.listContainers({ all: true, filters });
      await Promise.all(containers.map(({ Id }) => gone(engine.docker.getContainer(Id).remove({ force: true, v: true }))));
      const networks = await engine.docker.listNetworks({ filters });
      await Promise.all(networks.map(({ Id }) => gone(engine.docker.getNetwork(Id).remove())));
      const volumes = await volumesOf(engine, `${RUN_LABEL}=${runId}`);
      await Promise.all(volumes.map(({ Name }) => gone(engine.docker.getVolume(Name).remove())));
      if (containers.length + networks.length + volumes.length === 0) return;
    }
  } catch (thrown) {
    throw new CleanUpError(`run ${runId} could not be removed from the engine (${messageOf(thrown)}); 'npx aftershock clean' removes what it left`, {
      cause: thrown,
    });
  }
  throw new CleanUpError(`run ${runId} still has containers or a network; 'npx aftershock clean' removes them`);
}

/** Removing what is gone, or being removed, is no failure. */
export async function gone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (thrown) {
    const status = (thrown as { statusCode?: number }).statusCode;
    if (status !== 404 && status !== 409) throw thrown;
  }
}

/** The end of each container's output, by node. */
export async function nodeLogs(engine: Engine, runId: string): Promise<Map<string, string>> {
  const containers = await engine.docker.listContainers({ all: true, filters: { label: [`${RUN_LABEL}=${runId}`] } });
  const logs = await Promise.all(
    containers.map(async ({ Id, Labels }) => {
      const raw = (await engine.docker.getContainer(Id).logs({ stdout: true, stderr: true, timestamps: true, tail: LOG_LINES })) as unknown as Buffer;
      return [Labels[NODE_LABEL] ?? Id, plainText(raw)] as const;
    }),
  );
  return new Map(logs);
}

/** The first node of a run that ended by itself, with its last words, in one line; undefined when all run. */
export async function endedNode(engine: Engine, runId: string): Promise<string | undefined> {
  const filters = { label: [`${RUN_LABEL}=${runId}`], status: ['exited', 'dead'] };
  const [first] = await engine.docker.listContainers({ all: true, filters });
  if (!first) return undefined;
  const node = first.Labels[NODE_LABEL] ?? first.Id;
  const raw = (await engine.docker.getContainer(first.Id).logs({ stdout: true, stderr: true, tail: 3 })) as unknown as Buffer;
  return `node ${node} ended by itself (${first.Status}): ${plainText(raw).trim().split('\n').join('; ') || 'it said nothing'}`;
}

/** The engine frames its logs: one byte of stream, three of nothing, four of length, then the bytes. */
function plainText(framed: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= framed.length; ) {
    const length = framed.readUInt32BE(at + 4);
    parts.push(framed.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts).toString('utf8');
}
