/** What a plan needs of the engine, beside what the engine has: computed before anything starts, refused with the arithmetic shown. */
import type { Engine } from '../cluster/engine.ts';
import { HAND_MEMORY_MIB, TOXIPROXY_MEMORY_MIB } from '../cluster/spec.ts';
import { EnvironmentError } from '../core/errors.ts';
import { linkEnds } from '../core/names.ts';
import type { Plan } from './types.ts';

export interface Budget {
  readonly containers: number;
  readonly memoryMiB: number;
  readonly networks: number;
  /** Load, start, and taking down, ms. */
  readonly durationMs: number;
  /** An upper bound of what the result takes on disk, bytes. */
  readonly resultBytes: number;
}

export interface EngineRoom {
  readonly memoryMiB: number;
  readonly networksLeft: number;
  readonly networksUsed: number;
}

/** Measured on two cores: up in under 8 s and down in under 4 s for eight nodes. */
const UP_AND_DOWN_MS = 12_000;
/** A window of one series is about 400 bytes on disk, and so is its completion. */
const BYTES_PER_WINDOW = 800;
/** get and set, in most loads. */
const OPERATIONS = 2;
/**
 * Networks that an engine's default address pools hold: 172.17.0.0/16 to 172.31.0.0/16 are 15, and 192.168.0.0/16 in pieces of /20 are 16. An
 * engine with pools of its own says so, and then its own refusal is the limit.
 */
const DEFAULT_POOL_NETWORKS = 31;

export function budgetOf(plan: Plan): Budget {
  const clients = new Set(plan.cluster.nodes.filter((node) => node.role === 'client').map((node) => node.name));
  const watched = plan.cluster.nodes.filter((node) => node.watchSockets).map((node) => node.name);
  // The proof of a fault on a link is asked from the node at its near end.
  const probing = plan.steps.flatMap((step) => step.targets.map((target) => linkEnds(target)?.from ?? '')).filter((name) => name !== '' && !clients.has(name));
  const sidecars = new Set([...watched, ...probing]).size;
  const windows = (plan.durationMs / 100) * OPERATIONS * plan.load.reduce((sum, load) => sum + load.shards.length, 0);
  return {
    containers: plan.cluster.nodes.length + 1 + sidecars,
    memoryMiB: plan.cluster.nodes.reduce((sum, node) => sum + node.memoryMiB, TOXIPROXY_MEMORY_MIB) + sidecars * HAND_MEMORY_MIB,
    networks: 1,
    durationMs: plan.durationMs + UP_AND_DOWN_MS,
    resultBytes: windows * BYTES_PER_WINDOW,
  };
}

export async function roomOf(engine: Engine): Promise<EngineRoom> {
  const networks = await engine.docker.listNetworks();
  const used = networks.filter((network) => network.Driver === 'bridge').length;
  return { memoryMiB: Math.floor(engine.memoryBytes / 2 ** 20), networksUsed: used, networksLeft: Math.max(0, DEFAULT_POOL_NETWORKS - used) };
}

/** Throws EnvironmentError with the arithmetic when the plan does not fit. */
export function refuseOverBudget(budget: Budget, room: EngineRoom): void {
  if (budget.memoryMiB > room.memoryMiB) {
    throw new EnvironmentError(
      `the plan needs up to ${budget.memoryMiB} MiB of memory (the sum of its ${budget.containers} containers' limits) and the engine has ${room.memoryMiB} MiB; use fewer nodes or a larger engine`,
    );
  }
  if (budget.networks > room.networksLeft) {
    throw new EnvironmentError(
      `the plan needs ${budget.networks} network and the engine's default address pools have room for ${room.networksLeft} more (${room.networksUsed} of ${DEFAULT_POOL_NETWORKS} in use); 'npx aftershock clean' removes what dead runs left`,
    );
  }
}
