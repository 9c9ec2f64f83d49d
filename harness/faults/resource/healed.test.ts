/** That a limit is over is not proven by one that only became wider: what was measured before the fault has to be there again. */
import { expect, it } from 'vitest';
import type { Measured } from '../../cluster/resident.ts';
import type { Cluster, Disturbance, Node, Prober } from '../../cluster/types.ts';
import { cpuLimit, descriptors, type Fault, faultKind, ioThrottle, memoryLimit } from '../index.ts';

const MIB = 2 ** 20;

/** What a node tells: before the fault, and once it is said to be healed. */
interface Told {
  readonly before: Measured;
  readonly healed: Measured;
}

/** A node that tells the one until its limit was taken back, and then the other. */
function clusterOf({ before, healed }: Told): Cluster {
  let isHealed = false;
  const limited = async (): Promise<Disturbance> => ({
    undo: async () => {
      isHealed = true;
    },
    missing: async () => undefined,
  });
  const answering = { ask: async () => ({ kind: 'answered', ms: 1 }), close: async () => undefined } as unknown as Prober;
  const acts = { limitMemory: limited, limitWrites: limited, limitCpu: limited, limitDescriptors: limited };
  const node = { name: 'mc-1', ...acts, prober: async () => answering, measure: async () => (isHealed ? healed : before) } as unknown as Node;
  return { nodes: [node], links: [] } as unknown as Cluster;
}

async function isProvenHealed(fault: Fault, told: Told): Promise<boolean> {
  const prepared = await faultKind(fault).prepare(fault, clusterOf(told));
  const injected = await prepared.inject();
  await injected.heal();
  const { holds } = await injected.proveHealed(0);
  await prepared.close();
  return holds;
}

const memory = (limitMiB: number): Measured => ({ usedBytes: 48 * MIB, limitBytes: limitMiB < 0 ? -1 : limitMiB * MIB, signal: 0, oomKills: 0 });
/** So many MB a second. */
const written = (mb: number): Measured => ({ bytes: 500_000, wallUs: 500_000 / mb });
const ran = (cpus: number, periods: number): Measured => ({ usedUs: cpus * 200_000, wallUs: 200_000, periods, throttled: 0 });
const processes = (...of: readonly (readonly [pid: number, soft: number])[]): Measured => ({
  processes: of.map(([pid, soft]) => ({ pid, soft, open: 40, beyond: 0 })),
});
const held = (told: Measured, open: number): Measured => ({ processes: (told['processes'] as object[]).map((one) => ({ ...one, open })) });

const MASTER = [1, 1_024] as const;
const WORKER = [8, 4_096] as const;

it.each<[string, Fault, Measured, Measured, boolean]>([
  ['no limit of memory, as before', memoryLimit('mc-1', { mib: 40 }), memory(-1), memory(-1), true],
  ['the limit of memory from before', memoryLimit('mc-1', { mib: 40 }), memory(256), memory(256), true],
  ['ten MiB more than the limit of memory', memoryLimit('mc-1', { mib: 40 }), memory(-1), memory(50), false],

  ['writes as fast as before', ioThrottle('mc-1', { write: '1MB/s' }), written(80), written(75), true],
  ['writes on a disk that others use, too', ioThrottle('mc-1', { write: '1MB/s' }), written(80), written(25), true],
  ['one and a half times the limit of writes', ioThrottle('mc-1', { write: '1MB/s' }), written(80), written(1.5), false],
  ['ten times the limit of writes', ioThrottle('mc-1', { write: '1MB/s' }), written(80), written(10), false],

  ['processors without a limit', cpuLimit('mc-1', { cpus: 0.1 }), ran(0.9, 0), ran(0.4, 0), true],
  ['processors with the limit from before', cpuLimit('mc-1', { cpus: 0.1 }), ran(0.9, 20), ran(0.9, 20), true],
  ['a limit of processors that is wider', cpuLimit('mc-1', { cpus: 0.1 }), ran(0.9, 0), ran(0.9, 20), false],

  ['limits of descriptors as before', descriptors('mc-1', 50), processes(MASTER, WORKER), held(processes(MASTER, WORKER), 60), true],
  ['a process that has come since', descriptors('mc-1', 50), processes(MASTER, WORKER), held(processes(MASTER, WORKER, [30, 4_096]), 60), true],
  ['one process that was not healed', descriptors('mc-1', 50), processes(MASTER, WORKER), held(processes([1, 50], WORKER), 60), false],
  ['limits that went to each other', descriptors('mc-1', 50), processes(MASTER, WORKER), held(processes([1, 4_096], [8, 1_024]), 60), false],
  ['a process that has come since, and is limited', descriptors('mc-1', 50), processes(MASTER, WORKER), held(processes(MASTER, WORKER, [30, 50]), 60), false],
])('%s', async (_, fault, before, healed, isGone) => {
  expect(await isProvenHealed(fault, { before, healed })).toBe(isGone);
});
