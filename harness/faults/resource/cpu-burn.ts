/**
 * cpu-burn: processes that want to run all the time, within a node, steal processor time from it: a neighbour in the same container.
 *
 * On the wire: answers come later, by as much as the node's own processes wait for their turn; how much that is, the machine's processors and the number of workers decide. By processes of equal
 * rank, one for each worker, in the node's own group, so that they share a limit that it has.
 *
 * It does not: bind the node to a share (cpu-limit does), or use memory.
 *
 * Proof: as many burners as were asked for are among the node's processes, and of forty looks at uneven times, each was running or ready to run at nine tenths at least. Healed: there is none.
 *
 * Ends by itself: they end with the program that started them, which ends when our words stop; and each as soon as it notices that it has no parent, within some milliseconds, if that is killed.
 *
 * Needs: perl in the node's image.
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
const LOOKS = 40;
/** Some milliseconds each; and as much again where the one who looks has to wait for his turn as well. */
const MEASURE_MS = 700;
/** One that wants to run half of the time is as often ready once in a hundred million times. */
const LEAST_READY = 0.9;

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
      const of = await node.measure('burners', String(LOOKS));
      const burners = of['burners'];
      if (!Array.isArray(burners)) throw new InvalidRunError('a measurement inside a node does not tell its burners');
      const ready = burners.map((one) => numberIn(one, 'ready') / numberIn(of, 'looks'));
      const used = burners.reduce((sum, one) => sum + numberIn(one, 'ranUs'), 0) / numberIn(of, 'wallUs');
      const told = `${ready.length} burners, each ready at ${formatShare(Math.min(1, ...ready))} of the looks, ${used.toFixed(2)} of a processor together`;
      return { ready, told: ready.length === 0 ? 'no burner' : told };
    };
    return {
      before: async () => {
        const { ready, told } = await measured();
        return ready.length > 0 ? `has ${told} before the fault` : undefined;
      },
      disturb: () => node.burnCpu(workers),
      bites: async () => {
        const { ready, told } = await measured();
        return { holds: ready.length === workers && ready.every((share) => share >= LEAST_READY), told };
      },
      isGone: async () => {
        const { ready, told } = await measured();
        return { holds: ready.length === 0, told };
      },
    };
  },
});
