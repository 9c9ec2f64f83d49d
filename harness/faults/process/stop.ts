/**
 * stop: a node is asked to end (SIGTERM), and made to (SIGKILL) when it has not within a grace.
 *
 * On the wire: what the node makes of it: one that takes its leave answers what is under way and closes its connections, one that takes no notice goes on as before until it is killed. Then
 * connections are closed, new ones fail, and healing starts the node again, cold.
 *
 * It does not: wait for connections to be idle, or tell whoever is before the node that it goes.
 *
 * Proof: the process (its id and start time) is gone and a probe gets no answer, and one that had to be killed was not killed before its grace was over; none was seen to run
 * a second after that. After healing another process runs and answers.
 *
 * Needs: nothing but the engine, and a node that answers a probe.
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
export const KILLED = 137;

/**
 * Beyond its grace nothing may be seen to run any more. The engine sends its SIGKILL when the grace is over, and knows of the end within 0.2 s here, several times that on a busy machine; a grace of 1 s that became 3 s,
 * or any of 2 s and more that is doubled, lies beyond. A look comes each 0.4 s at the most: it sees the process run within so long of its end.
 */
const LATE_MS = 1_000;

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
    /** Last seen to run after so long. That it had ended by a look that came late says nothing of when it did. */
    const ranMs = new Map<string, number>();
    const look = async (node: Node) => {
      const sinceMsNow = () => performance.now() - (askedAt.get(node.name) ?? 0);
      const beganMs = sinceMsNow();
      const { running, exitCode } = await node.state();
      const sinceMs = sinceMsNow();
      if (running && !killedAfterMs.has(node.name)) ranMs.set(node.name, beganMs);
      if (!running && exitCode === KILLED && !killedAfterMs.has(node.name)) killedAfterMs.set(node.name, sinceMs);
    };
    return {
      patienceMs: PATIENCE_MS,
      disturb: async (node) => {
        await lives.note(node);
        killedAfterMs.delete(node.name);
        ranMs.delete(node.name);
        askedAt.set(node.name, performance.now());
        return node.stop(graceMs);
      },
      asked: 'process gone by itself or after its grace, no answer',
      bites: async ({ all }) => {
        const gone = (await lives.left()).length === 0;
        // How it ended is known only once it has.
        await Promise.all(nodes.map(look));
        const early = [...killedAfterMs.values()].some((ms) => ms < graceMs);
        const late = [...ranMs.values()].some((ms) => ms > graceMs + LATE_MS);
        return gone && !early && !late && all.every(({ kind }) => kind !== 'answered');
      },
      told: async ({ all }) => {
        const killed = [...killedAfterMs].map(([name, ms]) => `, ${name} by SIGKILL after ${Math.round(ms)} ms`);
        const late = [...ranMs].filter(([, ms]) => ms > graceMs + LATE_MS).map(([name, ms]) => `, ${name} still ran after ${Math.round(ms)} ms`);
        return `${await lives.goneInWords()}${[...killed, ...late].join('')}; ${tally(all)}`;
      },
      healed: lives.healed,
    };
  },
});
