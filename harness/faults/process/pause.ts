/**
 * pause: the processes of a node stand still: all of them in the engine's freezer, or one of them by SIGSTOP.
 *
 * On the wire: the node's kernel still accepts connections and acknowledges bytes, and nothing is answered; what was sent meanwhile is answered late, when the node goes on. In the freezer, which
 * is the default, no process can notice it, children stand still too, and the engine knows. By a signal only one process stands still (the node's first, or with `process` those of that name
 * under it) and its children go on; its parent is told, so a supervisor may act on it; and the engine goes on to say that the node runs.
 *
 * It does not: lose anything.
 *
 * Proof: the engine says paused (the kernel says of that very process, by id and start time, that it is stopped), and a probe straight to the node stays without an answer for 300 ms, unless it is a
 * process under the first one, which need not be the one that answers; after healing it is answered.
 *
 * Ends by itself: a freezer when the reaper resumes it, within 10 s of the death of its run; a stopped process also when the reaper is dead, since the sidecar that is among the processes lets it go
 * on when it does not hear from the harness any more.
 *
 * Needs: for the freezer, an engine that has one: rootless engines with cgroup v1 have not. For the signal, a sidecar with the one capability KILL in the process namespace of the node.
 */
import { z } from 'zod';
import type { Node, NodeState, Process } from '../../cluster/types.ts';
import type { Probed } from '../probed.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { processFault, processField } from './kind.ts';

interface Options {
  /** 'freezer' when it is left out. */
  readonly by?: 'freezer' | 'signal';
  /** By a signal only: of those under the first process, their name or a pattern over their command line. */
  readonly process?: string;
}

export interface Pause extends Options {
  readonly kind: 'pause';
  readonly node: string;
}

/** Freezes the nodes that `node` names ('mc-1', 'mc-*'), or stops one process in each by a signal. */
export const pause = (node: string, options: Options = {}): Pause => ({ kind: 'pause', node, ...options });

export const pauseKind = processFault<Pause>({
  kind: 'pause',
  summary: 'all processes of a node are frozen, or one is stopped by a signal',
  example: pause('mc-1'),
  fields: { by: z.enum(['freezer', 'signal']).optional(), process: processField.optional() },
  refuses: ({ by, process }) => (process !== undefined && by !== 'signal' ? "process: goes with by: 'signal' only, since a freezer takes them all" : undefined),
  alters: ['answers', 'timing'],
  phrase: ({ by, process }) => (by === 'signal' ? `SIGSTOP to${process === undefined ? '' : ` ${process} in`}` : 'pause'),
  inside: ({ by }) => by === 'signal',
  lacksFor: async ({ by }, { enforces }) =>
    by === 'signal' || enforces.freezing ? undefined : "its engine has no freezer (rootless, with cgroup v1); write by: 'signal'",
  provingMs: () => 2 * PATIENCE_MS,
  probed: ({ by, process }, nodes) => (by === 'signal' ? bySignal(nodes, process) : byFreezer(nodes)),
});

function byFreezer(nodes: readonly Node[]): Omit<Probed<Node>, 'targets'> {
  const count = async (of: (state: NodeState) => boolean) => (await Promise.all(nodes.map((node) => node.state()))).filter(of).length;
  const frozen = () => count(({ paused }) => paused);
  const running = () => count(({ running, paused }) => running && !paused);
  return {
    patienceMs: PATIENCE_MS,
    disturb: (node) => node.pause(),
    asked: `frozen, no answer within ${PATIENCE_MS} ms`,
    bites: async ({ all }) => all.every(({ kind }) => kind === 'silent') && (await frozen()) === nodes.length,
    told: async ({ all }) => `${await frozen()} of ${nodes.length} frozen; ${tally(all)}`,
    healed: { asked: 'running', holds: async () => (await running()) === nodes.length, told: async () => `${await running()} of ${nodes.length} running` },
  };
}

function bySignal(nodes: readonly Node[], process: string | undefined): Omit<Probed<Node>, 'targets'> {
  const before = new Map<string, readonly Process[]>();
  /** Those from before, as they are now. */
  const same = async () => {
    const each = await Promise.all(
      nodes.map(async (node) => {
        const now = await node.processes(process);
        const then = before.get(node.name) ?? [];
        return then.map((one) => now.find(({ pid, startTicks }) => pid === one.pid && startTicks === one.startTicks));
      }),
    );
    return each.flat();
  };
  const stopped = async () => (await same()).filter((one) => one?.state === 'T').length;
  const going = async () => (await same()).filter((one) => one !== undefined && one.state !== 'T').length;
  const all = () => [...before.values()].flat().length;
  return {
    patienceMs: PATIENCE_MS,
    disturb: async (node) => {
      before.set(node.name, await node.processes(process));
      return node.suspend(process === undefined ? {} : { process });
    },
    asked: process === undefined ? `stopped, no answer within ${PATIENCE_MS} ms` : `${process} stopped`,
    bites: async ({ all: answers }) => (process !== undefined || answers.every(({ kind }) => kind === 'silent')) && all() > 0 && (await stopped()) === all(),
    told: async ({ all: answers }) => `${await stopped()} of ${all()} stopped; ${tally(answers)}`,
    healed: { asked: 'running', holds: async () => (await going()) === all(), told: async () => `${await going()} of ${all()} running` },
  };
}
