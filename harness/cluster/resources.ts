/**
 * What a node may use of its machine, and what can be taken of it: limits of its control group by the engine, which the warden takes back when we die; limits that the engine cannot change, by
 * a hand at the control groups; and programs of ours inside the node, which hold something for as long as we live.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { EnvironmentError, InputError, InvalidRunError, messageOf } from '../core/errors.ts';
import { once } from '../core/once.ts';
import { ALL_PROCESSORS } from './held/held.ts';
import { type Measured, Resident } from './resident.ts';
import type { NodeSpec } from './spec.ts';
import type { Disturbance, NodeState } from './types.ts';
import type { Wardens } from './warden.ts';
import { lendWriteLimit } from './write-limit.ts';

export interface Resources {
  /** Makes what holds limits for us, beforehand: some tenths of a second each. */
  standBy(what: 'limits' | 'writes'): Promise<void>;
  /** It may use so many processors at the most, all of its processes together: 0.1 is a tenth of one. */
  limitCpu(cpus: number): Promise<Disturbance>;
  /** So many processes more in it that want to run all the time. */
  burnCpu(workers: number): Promise<Disturbance>;
  /**
   * It may have so much memory at the most, and nothing of it on a disk. A process of it that then grows beyond is killed by the kernel; taken back, the node is started again when it was its
   * first. Throws InvalidRunError where it has as much already.
   */
  limitMemory(mib: number): Promise<Disturbance>;
  /** Makes it run out of the memory that it may have, so that the kernel kills its first process. Taken back as a kill is. */
  exhaustMemory(): Promise<Disturbance>;
  /** Each of its processes may hold so many descriptors at the most. Those that it holds already, it keeps. */
  limitDescriptors(most: number): Promise<Disturbance>;
  /** No room any more on one of its filesystems in memory (see `NodeSpec.tmpfs`). Throws InputError for another path. */
  fillDisk(path: string): Promise<Disturbance>;
  /** It may write so much a second at the most to the disk that the engine keeps containers on. */
  limitWrites(bytesPerSecond: number): Promise<Disturbance>;
  /** Measures inside it; what there is to be measured is told by `resident/measure.pl`. */
  measure(...what: string[]): Promise<Measured>;
}

export interface ResourceSurroundings {
  readonly spec: NodeSpec;
  readonly docker: Dockerode;
  readonly containerId: string;
  readonly wardens: Wardens;
  /** Journals an action on this node around its effect. */
  act<T>(action: string, effect: () => Promise<T>, detail?: string): Promise<T>;
  state(): Promise<NodeState>;
  /** Called before its first process may end on our word. */
  leaving(): Promise<void>;
  /** Starts it again, and what stands beside it follows. */
  startAgain(): Promise<void>;
}

/** A quota has to be a millisecond at least. Short periods make short stalls: over the kernel's default of 100 ms, a tenth of a processor stands still for 90 ms at a time. */
const LEAST_QUOTA_US = 1_000;
const PERIOD_US = 10_000;
const MIB = 2 ** 20;
/** What a program that is started inside takes itself: with less, the kernel would kill for it. */
const ROOM_MIB = 16;
const ENDS_WITHIN_MS = 5_000;

export function resourcesOf({ spec, docker, containerId, wardens, act, state, leaving, startAgain }: ResourceSurroundings): Resources {
  const container = docker.getContainer(containerId);
  const resident = new Resident(docker, containerId, spec.name);

  /** Changes limits by the engine, and back when asked or when we are dead. */
  const limit = async (what: string, limits: object, former: object): Promise<() => Promise<void>> => {
    const forget = await wardens.note({ method: 'POST', path: `/containers/${containerId}/update`, body: former });
    const update = (to: object) => container.update(to).catch(unlessGone);
    try {
      await act(`limit ${what}`, () => container.update(limits));
    } catch (thrown) {
      await forget();
      throw new EnvironmentError(`the engine does not limit the ${what} of ${spec.name}: ${messageOf(thrown)}`, { cause: thrown });
    }
    return async () => {
      await act(`unlimit ${what}`, () => update(former));
      await forget();
    };
  };
  const hostConfig = async () => (await container.inspect()).HostConfig;

  return {
    measure: (...what) => resident.measure(what),
    standBy: async (what) => {
      await (what === 'limits' ? wardens.ready() : wardens.controlGroups());
    },
    limitCpu: async (cpus) => {
      const { CpuPeriod: period = 0, CpuQuota: quota = 0, NanoCpus: nano = 0 } = await hostConfig();
      const periodUs = Math.max(PERIOD_US, Math.ceil(LEAST_QUOTA_US / cpus));
      const limits = { CpuPeriod: periodUs, CpuQuota: Math.round(periodUs * cpus) };
      // What was given in whole processors takes nothing else.
      const former = nano > 0 ? { NanoCpus: nano } : quota > 0 ? { CpuPeriod: period, CpuQuota: quota } : ALL_PROCESSORS;
      const back = await limit('processors', nano > 0 ? { NanoCpus: Math.round(cpus * 1e9) } : limits, former);
      const missing = async () => {
        if (!(await state()).running) return `${spec.name} does not run any more`;
        const now = await hostConfig();
        const same = nano > 0 ? now.NanoCpus === Math.round(cpus * 1e9) : now.CpuQuota === limits.CpuQuota && now.CpuPeriod === limits.CpuPeriod;
        return same ? undefined : `${spec.name} has another limit by now`;
      };
      return { undo: once(back), missing };
    },
    burnCpu: (workers) =>
      act('burn processors', () =>
        resident.hold('burn', workers, ({ alive }) => (alive === workers ? undefined : `of ${workers} burners in ${spec.name}, ${String(alive)} are left`)),
      ),
    limitMemory: async (mib) => {
      const usedMiB = (await memoryOf(container)).usedBytes / MIB;
      if (usedMiB + ROOM_MIB > mib)
        throw new InvalidRunError(
          `${spec.name} uses ${usedMiB.toFixed(1)} MiB already; a limit that can be probed leaves ${ROOM_MIB} MiB: write ${Math.ceil(usedMiB + ROOM_MIB)} or more`,
        );
      const { Memory: memory = 0, MemorySwap: swap = 0 } = await hostConfig();
      await leaving();
      // Whoever grows is killed on our word. With as much memory as memory and swap together, there is no swap.
      const back = await act(
        'kill',
        () => limit('memory', { Memory: mib * MIB, MemorySwap: mib * MIB }, { Memory: memory || -1, MemorySwap: swap || -1 }),
        `when it outgrows ${mib} MiB`,
      );
      const undo = async () => {
        await back();
        if (!(await state()).running) return startAgain();
        return act('spare', async () => undefined);
      };
      const missing = async () => {
        const now = await state();
        if (!now.running) return now.outOfMemory ? undefined : `${spec.name} has ended, and not for want of memory`;
        const { limitBytes } = await memoryOf(container);
        return limitBytes === mib * MIB ? undefined : `${spec.name} has another limit by now`;
      };
      return { undo: once(undo), missing };
    },
    exhaustMemory: async () => {
      await leaving();
      const { limitBytes } = await memoryOf(container);
      const before = await state();
      // Where there is swap, as much again.
      const held = await act(
        'kill',
        async () => {
          const hold = resident.hold('memory', Math.ceil((2 * limitBytes) / MIB), () => undefined);
          return Promise.race([hold.then(() => undefined, messageOf), ended(state)]);
        },
        'by running out of memory',
      );
      const now = await settled(state);
      if (now.running) throw new EnvironmentError(`${spec.name} did not run out of memory: ${held ?? 'nothing was said'}`);
      const missing = async () => {
        const { running, startedAt } = await state();
        return running ? `${spec.name} runs ${startedAt === before.startedAt ? 'still' : 'again'}` : undefined;
      };
      return { undo: once(startAgain), missing };
    },
    limitDescriptors: (most) =>
      act('limit descriptors', () =>
        resident.hold('descriptors', most, ({ standing, others }) => {
          if (standing === 0) return `the processes of ${spec.name} are others by now`;
          return others === 0 ? undefined : `${String(others)} processes of ${spec.name} have another limit by now`;
        }),
      ),
    fillDisk: async (path) => {
      const known = Object.keys(spec.tmpfs ?? {});
      if (!known.includes(path)) throw new InputError(`path: '${path}' is no small filesystem of ${spec.name} (tmpfs); known: ${known.join(', ') || 'none'}`);
      return act('fill disk', () => resident.hold('disk', path, () => undefined));
    },
    limitWrites: (bytesPerSecond) =>
      act('limit writes', async () => lendWriteLimit(await wardens.controlGroups(), { containerId, name: spec.name, bytesPerSecond, resident })),
  };
}

/** As the kernel has it now, read by the engine: nothing has to be started inside. */
async function memoryOf(container: Dockerode.Container): Promise<{ usedBytes: number; limitBytes: number }> {
  const { memory_stats: told } = (await container.stats({ stream: false, 'one-shot': true } as never)) as unknown as {
    memory_stats: { usage?: number; limit?: number; stats?: Record<string, number> };
  };
  if (told.usage === undefined || told.limit === undefined) throw new EnvironmentError('the engine does not tell how much memory a container uses');
  // What is only there to save reading it again is given back for the asking.
  const cached = told.stats?.['total_inactive_file'] ?? told.stats?.['inactive_file'] ?? 0;
  return { usedBytes: told.usage - cached, limitBytes: told.limit };
}

/** Resolves when it runs no more. */
async function ended(state: () => Promise<NodeState>): Promise<undefined> {
  while ((await state()).running) await sleep(50);
  return undefined;
}

/** The engine hears of an end a moment after whoever was ended with it. */
async function settled(state: () => Promise<NodeState>): Promise<NodeState> {
  const limit = performance.now() + ENDS_WITHIN_MS;
  let now = await state();
  while (now.running && performance.now() < limit) {
    await sleep(50);
    now = await state();
  }
  return now;
}

/** A container that is gone has no limits. */
function unlessGone(thrown: unknown): void {
  if ((thrown as { statusCode?: number }).statusCode !== 404) throw thrown;
}
