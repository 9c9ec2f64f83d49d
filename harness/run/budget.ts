/** What a plan needs of the engine, beside what the engine has: computed before anything starts, refused with the arithmetic shown. */
import type { Engine } from '../cluster/engine.ts';
import { type InsideLimits, lookInside } from '../cluster/look.ts';
import { HAND_MEMORY_MIB, type NodeSpec, TOXIPROXY_MEMORY_MIB } from '../cluster/spec.ts';
import { EnvironmentError } from '../core/errors.ts';
import { linkEnds } from '../core/names.ts';
import { formatMs, formatShare } from '../core/units.ts';
import { WINDOW_MS } from '../timeline/types.ts';
import { hopsOf } from './flows.ts';
import {
  ceiled,
  connectionsOver,
  coreNeeds,
  descriptorNeeds,
  formatCount,
  kernelMemoryNeed,
  memoryNeeds,
  type Need,
  portNeed,
  reservedDescriptors,
  trackedNeed,
} from './needs.ts';
import type { LoadSpec, Plan } from './types.ts';

export interface Budget {
  readonly containers: number;
  /** The sum of the containers' limits. */
  readonly memoryMiB: number;
  readonly networks: number;
  /** Load, start, and taking down, ms. */
  readonly durationMs: number;
  /** An upper bound of what the result takes on disk, bytes. */
  readonly resultBytes: number;
  /** Of each process, at its most; `keepsSoftLimit` where it does not raise its own limit. */
  readonly descriptors: readonly (Need & { readonly keepsSoftLimit: boolean })[];
  /** Of each node that is set to take so many connections: it does not start without them. */
  readonly reserved: readonly Need[];
  /** Where most are taken; absent when nothing connects. */
  readonly ports?: Need;
  readonly tracked: Need;
  /** MiB, beside the containers' limits. */
  readonly kernelMemory: Need;
  /** MiB in containers, each with its limit. */
  readonly memory: readonly (Need & { readonly limitMiB: number })[];
  /** Processor time while the load lasts, cores. Closed loops take what is left, and are not in it. */
  readonly cores: readonly Need[];
  /** The same over the fullest minute, of the loads alone for which the costs of single requests hold. */
  readonly certainCores: readonly Need[];
  /** Worth knowing, and no reason not to start: a line each. */
  readonly remarks: readonly string[];
}

export interface EngineRoom {
  readonly memoryMiB: number;
  readonly networksLeft: number;
  readonly networksUsed: number;
  readonly processors?: number;
  /** What a process in a container may hold; absent where nobody looked. */
  readonly inside?: InsideLimits;
}

/** Measured on two cores: up in under 8 s and down in under 4 s for eight nodes. */
const UP_AND_DOWN_MS = 12_000;
/** A window of one series is about 400 bytes on disk, and so is its completion. */
const BYTES_PER_WINDOW = 800;
/** Where a load does not tell its series: get and set. */
const OPERATIONS = 2;
/**
 * Networks that an engine's default address pools hold: 172.17.0.0/16 to 172.31.0.0/16 are 15, and 192.168.0.0/16 in pieces of /20 are 16. An
 * engine with pools of its own says so, and then its own refusal is the limit.
 */
const DEFAULT_POOL_NETWORKS = 31;

/** Above this share of all processors, what a request waits for is more and more the others: a warning. */
const MUCH_CPU_SHARE = 0.7;

export function budgetOf(plan: Plan): Budget {
  const clients = new Set(plan.cluster.nodes.filter((node) => node.role === 'client').map((node) => node.name));
  const watched = plan.cluster.nodes.filter((node) => node.watchSockets).map((node) => node.name);
  // The proof of a fault on a link is asked from the node at its near end.
  const probing = plan.steps.flatMap((step) => step.targets.map((target) => linkEnds(target)?.from ?? '')).filter((name) => name !== '' && !clients.has(name));
  const sidecars = new Set([...watched, ...probing]).size;
  const series = plan.load.reduce((sum, load) => sum + (load.series ?? OPERATIONS * Math.max(1, load.shards.length)) * (load.processes ?? 1), 0);
  const hops = hopsOf(plan);
  const ports = portNeed(plan, hops);
  const cores = coreNeeds(plan);
  return {
    // Beside the nodes: Toxiproxy, the reaper, and a hand for each node that is looked at.
    containers: plan.cluster.nodes.length + 2 + sidecars,
    memoryMiB: plan.cluster.nodes.reduce((sum, node) => sum + node.memoryMiB, TOXIPROXY_MEMORY_MIB) + (1 + sidecars) * HAND_MEMORY_MIB,
    networks: 1,
    // What falls due at the very end may take as long as the longest request.
    durationMs: plan.durationMs + Math.max(0, ...plan.load.map(({ longestRequestMs }) => longestRequestMs)) + UP_AND_DOWN_MS,
    resultBytes: (plan.durationMs / WINDOW_MS) * series * BYTES_PER_WINDOW,
    descriptors: descriptorNeeds(plan, hops).map(({ node, ...need }) => ({ ...need, keepsSoftLimit: node?.needs?.keepsSoftLimit ?? false })),
    reserved: plan.cluster.nodes.flatMap((node) => reservedDescriptors(node) ?? []),
    ...(ports && { ports }),
    tracked: trackedNeed(plan, hops),
    kernelMemory: kernelMemoryNeed(hops),
    memory: memoryNeeds(plan, hops),
    cores,
    certainCores: coreNeeds(
      plan,
      plan.load.filter((load) => !load.pipelined).map((load) => sustained(load, plan.durationMs)),
    ),
    remarks: [
      ...plan.cluster.nodes.flatMap((node) => crowded(node, ceiled(connectionsOver(hops.filter((hop) => hop.to === node.name))))),
      ...plan.load
        .filter((load) => load.closedLoop && load.connectsPerSecond)
        .map(({ name }) => `load '${name}' connects as often as it is answered: its ports may run out`),
      ...overfull(plan),
      ...plan.load
        .filter(({ endsMs = plan.durationMs }) => endsMs < plan.durationMs)
        .map(
          ({ name, endsMs = 0 }) =>
            `load '${name}' asks for nothing from ${formatMs(endsMs)} on, and the run lasts ${formatMs(plan.durationMs)}: what nobody asks for then cannot be judged`,
        ),
      ...plan.load
        .filter(({ mostRetries = 0 }) => mostRetries > 0)
        .map(
          ({ name, mostRetries = 0 }) =>
            `load '${name}' asks up to ${mostRetries + 1} times as often where requests fail: its retries have no budget, and are in no sum`,
        ),
      ...plan.load.flatMap(({ name, processes = 1 }) => narrow(name, processes, cores.find(({ who }) => who === `load '${name}'`)?.count ?? 0)),
    ],
  };
}

/** The load at the rates of its fullest minute: a peak of a second or two comes late by as much, and is told; what lasts starves everything. */
function sustained(load: LoadSpec, durationMs: number): LoadSpec {
  const seconds = Math.min(60, durationMs / 1_000);
  const lasting = (peak: number, inMinute = Number.POSITIVE_INFINITY) => Math.min(peak, inMinute / seconds);
  return {
    ...load,
    ratePerSecond: lasting(load.ratePerSecond, load.requestsPerMinute),
    ...(load.connectsPerSecond === undefined ? {} : { connectsPerSecond: lasting(load.connectsPerSecond, load.connectsPerMinute) }),
  };
}

/** A node that takes fewer connections than arrive may be just what a scenario is about: it is told, not refused. */
function crowded({ name, needs }: NodeSpec, arriving: number): string[] {
  if (needs?.mostConnections === undefined || arriving <= needs.mostConnections) return [];
  return [`${formatCount(arriving)} connections arrive at ${name}, and it takes ${formatCount(needs.mostConnections)} at once`];
}

/** Nodes that keep less than is stored in them answer with misses, which are answers: it is told, not refused. */
function overfull({ cluster, load }: Plan): string[] {
  const stored = new Map<string, number>();
  for (const { shards, storesMiB = 0 } of load) for (const shard of shards) stored.set(shard, (stored.get(shard) ?? 0) + storesMiB / shards.length);
  const full = cluster.nodes.filter(({ name, needs }) => (stored.get(name) ?? 0) > (needs?.storesMiB ?? Number.POSITIVE_INFINITY));
  const [first] = full;
  if (!first) return [];
  const others = full.length > 1 ? ` and ${full.length - 1} more` : '';
  return [
    `about ${formatCount(stored.get(first.name) ?? 0)} MiB are stored in ${first.name}${others}, and it keeps ${first.needs?.storesMiB} MiB: what was asked for longest ago is dropped, and gets of it miss`,
  ];
}

/** One process has one core for its load. */
function narrow(name: string, processes: number, cores: number): string[] {
  if (cores / processes <= MUCH_CPU_SHARE) return [];
  return [
    `load '${name}' takes about ${formatCores(cores)} cores in ${processes === 1 ? 'one process' : `${processes} processes`}, and each has one; divide it among ${Math.ceil(cores / MUCH_CPU_SHARE)}, as its processes or as loads beside each other`,
  ];
}

export async function roomOf(engine: Engine, image?: string): Promise<EngineRoom> {
  const [networks, inside] = await Promise.all([engine.docker.listNetworks(), image === undefined ? undefined : lookInside(engine, image)]);
  const used = networks.filter((network) => network.Driver === 'bridge').length;
  return {
    memoryMiB: Math.floor(engine.memoryBytes / 2 ** 20),
    networksUsed: used,
    networksLeft: Math.max(0, DEFAULT_POOL_NETWORKS - used),
    ...(engine.cpus > 0 && { processors: engine.cpus }),
    ...(inside && { inside }),
  };
}

/** Throws EnvironmentError with the arithmetic when the plan does not fit: one line, of the first thing that there is not enough of. */
export function refuseOverBudget(budget: Budget, room: EngineRoom): void {
  const [reason] = reasonsAgainst(budget, room);
  if (reason !== undefined) throw new EnvironmentError(reason);
}

function reasonsAgainst(budget: Budget, room: EngineRoom): string[] {
  const { memoryMiB, containers, kernelMemory, networks, certainCores } = budget;
  const reasons: string[] = [];
  if (memoryMiB + kernelMemory.count > room.memoryMiB)
    reasons.push(
      `the plan needs up to ${memoryMiB + kernelMemory.count} MiB of memory (${memoryMiB} as the sum of its ${containers} containers' limits, ${kernelMemory.count} in the kernel for ${kernelMemory.sum}) and the engine has ${room.memoryMiB} MiB; use fewer nodes or a larger engine`,
    );
  for (const { who, count, sum, limitMiB } of budget.memory)
    if (count > limitMiB) reasons.push(`the plan needs ${sum} = ${formatCount(count)} MiB in ${who}, and it may use ${formatCount(limitMiB)} MiB`);
  if (networks > room.networksLeft)
    reasons.push(
      `the plan needs ${networks} network and the engine's default address pools have room for ${room.networksLeft} more (${room.networksUsed} of ${DEFAULT_POOL_NETWORKS} in use); 'npx aftershock clean' removes what dead runs left`,
    );
  if (room.inside) reasons.push(...beyondLimits(budget, room.inside));
  const needed = total(certainCores);
  if (room.processors !== undefined && needed > room.processors)
    reasons.push(
      `the plan needs about ${formatCores(needed)} cores (${certainCores.map(({ who, sum, count }) => `${who} ${sum} = ${formatCores(count)}`).join(', ')}) and the engine has ${room.processors}; ask for fewer requests a second, or use a larger engine`,
    );
  return reasons;
}

function beyondLimits({ descriptors, reserved, ports, tracked }: Budget, inside: InsideLimits): string[] {
  const may = (limit: number) => `a process may hold ${formatCount(limit)}`;
  const limitOf = (keepsSoftLimit: boolean) => (keepsSoftLimit ? inside.softDescriptors : inside.hardDescriptors);
  return [
    ...descriptors
      .filter(({ count, keepsSoftLimit }) => count > limitOf(keepsSoftLimit))
      .map(({ who, count, sum, keepsSoftLimit }) => `the plan needs ${sum} = ${formatCount(count)} in ${who}, and ${may(limitOf(keepsSoftLimit))}`),
    ...reserved
      .filter(({ count }) => count > inside.hardDescriptors)
      .map(({ who, count, sum }) => `${who} is set to take ${sum} = ${formatCount(count)}, and ${may(inside.hardDescriptors)}`),
    ...(ports && ports.count > inside.ports
      ? [
          `the plan needs ${ports.sum} = ${formatCount(ports.count)} ports from ${ports.who}, and there are ${formatCount(inside.ports)} to one address and port`,
        ]
      : []),
    ...(inside.trackedConnections !== undefined && tracked.count > inside.trackedConnections
      ? [
          `the plan needs ${tracked.sum} = ${formatCount(tracked.count)} tracked connections, and the engine's kernel keeps ${formatCount(inside.trackedConnections)} (nf_conntrack_max)`,
        ]
      : []),
  ];
}

/** What a person should know before starting: a line each. */
export function warningsOf({ cores, remarks }: Budget, { processors }: EngineRoom): string[] {
  const needed = total(cores);
  if (processors === undefined || needed <= processors * MUCH_CPU_SHARE) return [...remarks];
  return [
    `the load takes about ${formatCores(needed)} of the engine's ${processors} processors (${formatShare(needed / processors)}): above ${formatShare(MUCH_CPU_SHARE)} runs are often invalid, because generators come late`,
    ...remarks,
  ];
}

export function total(needs: readonly Need[]): number {
  return needs.reduce((sum, { count }) => sum + count, 0);
}

/** 0.914 to '0.91'. */
export function formatCores(cores: number): string {
  return cores.toFixed(2);
}
