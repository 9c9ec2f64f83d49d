/**
 * stop: a node is asked to end (SIGTERM), and made to (SIGKILL) when it has not within a grace.
 *
 * On the wire: what the node makes of it: one that takes its leave answers what is under way and closes its connections, one that takes no notice goes on as before until it is killed. Then
 * connections are closed, new ones fail, and healing starts the node again, cold.
 *
 * It does not: wait for connections to be idle, or tell whoever is before the node that it goes.
 *
 * Proof: the process (its id and start time) is gone and a probe gets no answer, and one that had to be killed was not killed before its grace was over; after healing another process runs and
 * answers.
 */
import type { Node } from '../../cluster/types.ts';
import { type Duration, milliseconds } from '../../core/units.ts';
import { wholeMs } from '../fields.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { processFault } from './kind.ts';
import { Lives } from './lives.ts';

export interface Stop {
  readonly kind: 'stop';
  readonly node: string;
  readonly grace: Duration;
}

/** memcached takes one second for its leave, at the next tick of its clock. */
const GRACE: Duration = '2s';
/** What ended by SIGKILL leaves 128 + 9. */
const KILLED = 137;

/** Stops the nodes that `node` names ('mc-1', 'mc-*'), with a grace of 2 s. */
export const stop = (node: string, options: { readonly grace?: Duration } = {}): Stop => ({ kind: 'stop', node, grace: options.grace ?? GRACE });

export const graceField = wholeMs(0, 30_000);
export const DEFAULT_GRACE = GRACE;

export const stopKind = processFault<Stop>({
  kind: 'stop',
  summary: 'SIGTERM to a node, and SIGKILL after a grace; healing starts it again, cold',
  example: stop('mc-1'),
  fields: { grace: graceField },
  alters: ['answers', 'connects', 'contents'],
  phrase: () => 'stop',
  provingMs: ({ grace }) => milliseconds(grace) + 2 * PATIENCE_MS,
  proofLimitMs: ({ grace }) => milliseconds(grace) + 10_000,
  probed: ({ grace }, nodes) => {
    const graceMs = milliseconds(grace);
    const lives = new Lives(nodes);
    const askedAt = new Map<string, number>();
    /** First seen to have ended after so long, and by a kill. */
    const killedAfterMs = new Map<string, number>();
    const look = async (node: Node) => {
      const { running, exitCode } = await node.state();
      const sinceMs = performance.now() - (askedAt.get(node.name) ?? 0);
      if (!running && exitCode === KILLED && !killedAfterMs.has(node.name)) killedAfterMs.set(node.name, sinceMs);
    };
    return {
      patienceMs: PATIENCE_MS,
      disturb: async (node) => {
        await lives.note(node);
        killedAfterMs.delete(node.name);
        askedAt.set(node.name, performance.now());
        return node.stop(graceMs);
      },
      asked: 'process gone by itself or after its grace, no answer',
      bites: async ({ all }) => {
        const gone = (await lives.left()).length === 0;
        // How it ended is known only once it has.
        await Promise.all(nodes.map(look));
        const early = [...killedAfterMs.values()].some((ms) => ms < graceMs);
        return gone && !early && all.every(({ kind }) => kind !== 'answered');
      },
      told: async ({ all }) => {
        const killed = [...killedAfterMs].map(([name, ms]) => `, ${name} by SIGKILL after ${Math.round(ms)} ms`);
        return `${await lives.goneInWords()}${killed.join('')}; ${tally(all)}`;
      },
      healed: lives.healed,
    };
  },
});
