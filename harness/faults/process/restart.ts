/**
 * restart: a node is stopped (SIGTERM, SIGKILL after a grace) and started again at once, cold.
 *
 * On the wire: connections are closed, new ones fail for as long as it takes: some tenths of a second, and what the node's own end takes (a memcached: one second). Then another process answers
 * that knows nothing of the former: a cache is empty, every client has to connect anew. That is the fault, and it lasts to the end of the step: the disruption is momentary, and healing has
 * nothing to do.
 *
 * It does not: change what the node is called, nor, as a rule, its address; links find it wherever it is.
 *
 * Proof: another process (its id and start time) runs and answers on new connections, and those that were kept from before have been closed.
 *
 * Needs: nothing but the engine, and a node that answers a probe.
 */
import { type Duration, milliseconds } from '../../core/units.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { processFault } from './kind.ts';
import { Lives } from './lives.ts';
import { DEFAULT_GRACE, graceField } from './stop.ts';

export interface Restart {
  readonly kind: 'restart';
  readonly node: string;
  readonly grace: Duration;
}

/** Restarts the nodes that `node` names ('mc-1', 'mc-*'), with a grace of 2 s for their end. */
export const restart = (node: string, options: { readonly grace?: Duration } = {}): Restart => ({
  kind: 'restart',
  node,
  grace: options.grace ?? DEFAULT_GRACE,
});

/** To start a container: 0.4 s here, several times that on a busy machine. */
const STARTING_MS = 2_000;

export const restartKind = processFault<Restart>({
  kind: 'restart',
  summary: 'a node is stopped and started again at once, cold',
  example: restart('mc-1'),
  fields: { grace: graceField },
  alters: ['answers', 'connects', 'contents'],
  phrase: () => 'restart',
  provingMs: ({ grace }) => milliseconds(grace) + STARTING_MS + 2 * PATIENCE_MS,
  probed: ({ grace }, nodes) => {
    const lives = new Lives(nodes);
    /** Of each node, whether its kept connection was seen closed: only the first question after the restart can find that, the next has a new one. */
    let closed: boolean[] = [];
    return {
      patienceMs: PATIENCE_MS,
      disturb: async (node) => {
        await lives.note(node);
        closed = nodes.map(() => false);
        return node.restart(milliseconds(grace));
      },
      asked: 'another process answers, kept connections closed',
      bites: async ({ kept, fresh }) => {
        closed = closed.map((already, index) => already || kept[index]?.kind === 'closed');
        return closed.every(Boolean) && (await lives.healed.holds()) && fresh.every(({ kind }) => kind === 'answered');
      },
      told: async ({ fresh }) => `${await lives.healed.told()}; ${closed.filter(Boolean).length} kept connections closed; new ones: ${tally(fresh)}`,
      healed: lives.healed,
    };
  },
});
