/**
 * cpu-limit: a node gets no more than so much of a processor, all of its processes together.
 *
 * On the wire: as long as it needs less, nothing is seen of it. Where it needs more, it stands still for the rest of each period of 10 ms (longer below a tenth of a processor: a quota is a
 * millisecond at least), so that answers come in bursts; what arrives faster than it can be worked off queues up. By the quota of the node's control group, through the engine. A node that is
 * started again meanwhile has the same limit.
 *
 * It does not: slow the kernel's part of its connections, or give others what it loses.
 *
 * Proof: processes of ours in the node's group that want to run all the time, gently, make it use as much as was asked for, within the middle to half and to double of it, and the kernel counts at
 * least half of the periods as used up. Healed: they make it use more, and the kernel counts none; nor any
 * period at all where there was no limit before, since it counts them for a group with a quota alone. For that second the node has nothing left over.
 *
 * Ends by itself: the warden, a container with the engine's socket and nothing else, takes the limit back when our words stop; the reaper removes the node. With all three dead it stays until the
 * next start removes it.
 *
 * Needs: a kernel that counts in control groups (version 1 or 2) and lets the engine set quotas; perl in the node's image.
 */
import { z } from 'zod';
import { isAbout, numberIn, resourceFault } from './kind.ts';

export interface CpuLimit {
  readonly kind: 'cpu-limit';
  readonly node: string;
  readonly cpus: number;
}

/** Leaves the nodes that `node` names ('mc-1', 'proxy-*') no more than `cpus` processors: 0.1 is a tenth of one. */
export const cpuLimit = (node: string, options: { readonly cpus: number }): CpuLimit => ({ kind: 'cpu-limit', node, cpus: options.cpus });

/** With less, even the programs that measure would take seconds to start. */
const LEAST_CPUS = 0.02;
const MOST_CPUS = 64;
/**
 * The kernel stops a group at its next tick, 4 ms late at the most, on each processor; so 40 ms of running are known to some 10 %, which is told from half and from double.
 */
const RUNS_MS = 40;
const LEAST_MS = 400;
const BASELINE_MS = 200;
/** A program that is started inside takes some 40 ms of a processor to begin. */
const STARTS_MS = 40;
/** What is measured at one time may be limited to so much together: without a limit, each still gets some times as much on two processors. */
const TOGETHER_CPUS = 0.2;
/** Whoever gets this much more than the limit without it would notice it. */
const MORE = 1.2;

const measureMs = ({ cpus }: CpuLimit) => Math.max(LEAST_MS, Math.ceil(RUNS_MS / cpus));
/** More than the limit lets run. */
const workers = ({ cpus }: CpuLimit) => Math.floor(cpus) + 1;

export const cpuLimitKind = resourceFault<CpuLimit>({
  kind: 'cpu-limit',
  summary: 'a node gets no more than so much of a processor',
  example: cpuLimit('proxy-1', { cpus: 0.1 }),
  fields: { cpus: z.number().min(LEAST_CPUS).max(MOST_CPUS) },
  alters: ['cpu', 'timing', 'throughput'],
  needs: ['cpu'],
  phrase: ({ cpus }) => `cpu-limit ${cpus}`,
  standsBy: 'limits',
  atOnce: ({ cpus }) => Math.max(1, Math.floor(TOGETHER_CPUS / cpus)),
  lacks: async ({ enforces }) => (enforces.processors ? undefined : 'its engine does not limit processors'),
  provingMs: (fault) => measureMs(fault) + STARTS_MS / fault.cpus + 300,
  asked: ({ cpus }) => ({ bites: `${cpus} of a processor and no more`, gone: `more than ${cpus} of a processor, limited as before` }),
  taking: (fault, node) => {
    let hadLimit = false;
    const measured = async (ms: number) => {
      const of = await node.measure('cpu', String(workers(fault)), String(ms));
      const [used, periods, throttled] = [numberIn(of, 'usedUs') / numberIn(of, 'wallUs'), numberIn(of, 'periods'), numberIn(of, 'throttled')];
      return { used, periods, throttled, told: `${used.toFixed(3)} of a processor used, ${throttled} of ${periods} periods used up` };
    };
    return {
      before: async () => {
        const { used, periods, throttled, told } = await measured(BASELINE_MS);
        hadLimit = periods > 0;
        if (throttled > 0) return `has a limit already (${told}), so another could not be told from it`;
        if (used < fault.cpus * MORE)
          return `got no more than ${used.toFixed(2)} of a processor before the fault, so a limit of ${fault.cpus} could not be told`;
        return undefined;
      },
      disturb: () => node.limitCpu(fault.cpus),
      bites: async () => {
        const { used, periods, throttled, told } = await measured(measureMs(fault));
        return { holds: isAbout(used, fault.cpus) && periods > 0 && throttled >= periods / 2, told };
      },
      isGone: async () => {
        const { used, periods, throttled, told } = await measured(BASELINE_MS);
        return { holds: used > fault.cpus * MORE && throttled === 0 && periods > 0 === hadLimit, told };
      },
    };
  },
});
