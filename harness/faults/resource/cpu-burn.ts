/**
 * cpu-burn: processes that want to run all the time, within a node, steal processor time from it: a neighbour in the same container.
 *
 * On the wire: answers come later, by as much as the node's own processes wait for their turn; how much that is, the machine's processors and the number of workers decide. By processes of equal
 * rank, one for each worker, in the node's own group, so that they share a limit that it has.
 *
 * It does not: bind the node to a share (cpu-limit does), or use memory.
 *
 * Proof: as many burners as were asked for are among the node's processes, and each ran or waited for its turn for at least eight tenths of the time, by the kernel's own count. Healed: there is
 * none.
 *
 * Ends by itself: they end with the program that started them, which ends when our words stop; and each as soon as it notices that it has no parent, within some milliseconds, if that is killed.
 *
 * Needs: a kernel that counts how long a process waits (/proc/PID/schedstat); perl in the node's image.
 */
import { z } from 'zod';
import { InvalidRunError } from '../../core/errors.ts';
import { formatShare } from '../../core/units.ts';
import { numberIn, resourceFault } from './kind.ts';

export interface CpuBurn {
  readonly kind: 'cpu-burn';
  readonly node: string;
  readonly workers: number;
}

/** Starts `workers` burners (2 when left out) in each of the nodes that `node` names ('mc-1', 'proxy-*'). */
export const cpuBurn = (node: string, options: { readonly workers?: number } = {}): CpuBurn => ({ kind: 'cpu-burn', node, workers: options.workers ?? 2 });

const MOST_WORKERS = 64;
const MEASURE_MS = 300;
/** One that runs half of the time is told from one that always wants to; a reading is late by some milliseconds of 300 on a machine that is as busy as this makes it. */
const LEAST_BUSY = 0.8;

export const cpuBurnKind = resourceFault<CpuBurn>({
  kind: 'cpu-burn',
  summary: 'processes within a node steal processor time from it',
  example: cpuBurn('mc-1', { workers: 4 }),
  fields: { workers: z.int().min(1).max(MOST_WORKERS) },
  alters: ['cpu', 'timing', 'throughput'],
  needs: ['cpu'],
  phrase: ({ workers }) => `cpu-burn ${workers}`,
  provingMs: () => MEASURE_MS + 300,
  asked: ({ workers }) => ({ bites: `${workers} burners that always want to run`, gone: 'no burner' }),
  taking: ({ workers }, node) => {
    const measured = async () => {
      const of = await node.measure('burners', String(MEASURE_MS));
      const burners = of['burners'];
      if (!Array.isArray(burners)) throw new InvalidRunError('a measurement inside a node does not tell its burners');
      const wallUs = numberIn(of, 'wallUs');
      const each = burners.map((one) => ({ ran: numberIn(one, 'ranUs') / wallUs, busy: (numberIn(one, 'ranUs') + numberIn(one, 'waitedUs')) / wallUs }));
      const ran = each.reduce((sum, one) => sum + one.ran, 0);
      const least = Math.min(...each.map(({ busy }) => busy));
      return {
        each,
        told:
          each.length === 0
            ? 'no burner'
            : `${each.length} burners, each busy ${formatShare(Math.min(1, least))} of the time, ${ran.toFixed(2)} of a processor together`,
      };
    };
    return {
      before: async () => {
        const { each, told } = await measured();
        return each.length > 0 ? `has ${told} before the fault` : undefined;
      },
      disturb: () => node.burnCpu(workers),
      bites: async () => {
        const { each, told } = await measured();
        return { holds: each.length === workers && each.every(({ busy }) => busy >= LEAST_BUSY), told };
      },
      isGone: async () => {
        const { each, told } = await measured();
        return { holds: each.length === 0, told };
      },
    };
  },
});
