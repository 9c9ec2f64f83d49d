/**
 * memory-limit: a node may have no more than so much memory, all of its processes together, and nothing of it is put on a disk.
 *
 * On the wire: nothing, as long as it needs less. When it grows beyond, the kernel gives back what it only keeps to save reading it again, and then kills a process of the node: of a memcached
 * that is filled up, the first and only one, and with it the whole node. Healing starts a node again that was killed so.
 *
 * It does not: take memory that the node has already (the limit has to leave 16 MiB for the programs that measure), or hand out errors to the node: on Linux memory is promised first and missed
 * later.
 *
 * Proof: a process of ours in the node's group, the first to be killed of all, takes memory piece by piece and is killed by the kernel, which counts it, when the group has as much as was asked
 * for, within 3 MiB; a node that was itself killed for want of memory is proof, too. Healed: it gets 8 MiB more than that, and lives, and the kernel tells the limit that it had
 * before, or none where there was none.
 *
 * Ends by itself: the warden takes the limit back when our words stop; the reaper removes the node. With all three dead it stays until the next start removes it.
 *
 * Needs: perl in the node's image.
 */
import { z } from 'zod';
import { messageOf } from '../../core/errors.ts';
import { lackingMemory, numberIn, resourceFault, type Seen } from './kind.ts';

export interface MemoryLimit {
  readonly kind: 'memory-limit';
  readonly node: string;
  readonly mib: number;
}

/** Leaves the nodes that `node` names ('mc-1', 'proxy-*') no more than `mib` MiB of memory. */
export const memoryLimit = (node: string, options: { readonly mib: number }): MemoryLimit => ({ kind: 'memory-limit', node, mib: options.mib });

const MIB = 2 ** 20;
const LEAST_MIB = 20;
const MOST_MIB = 65_536;
/** Pieces are of a quarter, and each processor charges an eighth beforehand: within 3 MiB on up to 16 of them, and never half or double of the least that is allowed. */
const NEAR_MIB = 3;
/** Told from the limit by more than that. */
const BEYOND_MIB = 8;

export const memoryLimitKind = resourceFault<MemoryLimit>({
  kind: 'memory-limit',
  summary: 'a node may have no more than so much memory, and is killed for more',
  example: memoryLimit('mc-1', { mib: 64 }),
  fields: { mib: z.int().min(LEAST_MIB).max(MOST_MIB) },
  // What was killed meanwhile has lost what it held.
  alters: ['memory', 'process', 'contents', 'answers', 'connects'],
  needs: ['memory'],
  phrase: ({ mib }) => `memory-limit ${mib} MiB`,
  standsBy: 'limits',
  lacks: lackingMemory,
  // A gigabyte of pages takes a second or two.
  provingMs: ({ mib }) => 500 + 2 * mib,
  asked: ({ mib }) => ({ bites: `killed at ${mib} MiB`, gone: `alive with more than ${mib} MiB, limited as before` }),
  taking: ({ mib }, node) => {
    let limitBefore: number | undefined;
    const measured = async () => {
      const of = await node.measure('memory', String(mib + BEYOND_MIB));
      const usedMiB = numberIn(of, 'usedBytes') / MIB;
      const [signal, kills] = [numberIn(of, 'signal'), numberIn(of, 'oomKills')];
      return {
        usedMiB,
        limitBytes: numberIn(of, 'limitBytes'),
        isKilled: signal === 9 && kills > 0,
        told: `${signal === 0 ? 'alive' : `killed by signal ${signal}`} with ${usedMiB.toFixed(1)} MiB, ${kills} killed for want of memory`,
      };
    };
    const died = async (): Promise<Seen | undefined> =>
      (await node.state()).outOfMemory ? { holds: true, told: 'the node itself was killed for want of memory' } : undefined;
    return {
      before: async () => {
        const { isKilled, usedMiB, limitBytes, told } = await measured();
        limitBefore = limitBytes;
        return isKilled || usedMiB < mib ? `may have no more than that already (${told}), so a limit of ${mib} MiB could not be told` : undefined;
      },
      disturb: () => node.limitMemory(mib),
      bites: async () => {
        const before = await died();
        if (before) return before;
        try {
          const { isKilled, usedMiB, told } = await measured();
          return { holds: isKilled && usedMiB <= mib && usedMiB >= mib - NEAR_MIB, told };
        } catch (thrown) {
          // It may have been killed in this very moment, and whoever measured with it.
          return (await died()) ?? { holds: false, told: messageOf(thrown) };
        }
      },
      isGone: async () => {
        const { isKilled, usedMiB, limitBytes, told } = await measured();
        const asBefore = limitBytes === limitBefore;
        return { holds: !isKilled && usedMiB > mib && asBefore, told: asBefore ? told : `${told}, limited to ${(limitBytes / MIB).toFixed(1)} MiB` };
      },
    };
  },
});
