/**
 * oom: a node runs out of memory now, and the kernel kills its first process.
 *
 * On the wire: as kill: connections are reset or time out, new ones fail. Before it, for some tenths of a second, the node is short of memory. Programs of ours within the node take all the memory
 * that it may have, and its first process is made the most eligible of all. Healing starts the node again, cold.
 *
 * It does not: touch memory of other nodes, since the node has a limit of its own; or give the node any chance to say goodbye.
 *
 * Proof: the process is gone, the engine has heard from the kernel that it was ended for want of memory, and a probe gets no answer. Healed: another process runs and answers.
 *
 * Needs: perl in the node's image.
 */
import type { NodeState } from '../../cluster/types.ts';
import type { FaultKind } from '../fault.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { processFault } from '../process/kind.ts';
import { Lives } from '../process/lives.ts';
import { lackingMemory } from './kind.ts';

export interface Oom {
  readonly kind: 'oom';
  readonly node: string;
}

/** Makes the nodes that `node` names ('mc-1', 'mc-*') run out of memory. */
export const oom = (node: string): Oom => ({ kind: 'oom', node });

const told = ({ running, outOfMemory, exitCode }: NodeState) => (running ? 'runs' : `ended (exit ${exitCode})${outOfMemory ? ' for want of memory' : ''}`);

export const oomKind: FaultKind<Oom> = processFault<Oom>({
  kind: 'oom',
  summary: 'a node runs out of memory and is killed by the kernel; healing starts it again, cold',
  example: oom('mc-1'),
  alters: ['answers', 'connects', 'contents', 'memory'],
  lacks: lackingMemory,
  phrase: () => 'oom',
  provingMs: () => 2 * PATIENCE_MS,
  probed: (_fault, nodes) => {
    const states = () => Promise.all(nodes.map((node) => node.state()));
    const lives = new Lives(nodes);
    return {
      patienceMs: PATIENCE_MS,
      disturb: async (node) => {
        await lives.note(node);
        return node.exhaustMemory();
      },
      asked: 'ended for want of memory, no answer',
      bites: async ({ all }) => (await states()).every(({ outOfMemory }) => outOfMemory) && all.every(({ kind }) => kind !== 'answered'),
      told: async ({ all }) => `${(await states()).map(told).join(', ')}; ${tally(all)}`,
      healed: lives.healed,
    };
  },
});
