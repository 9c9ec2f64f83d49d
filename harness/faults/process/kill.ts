/**
 * kill: a signal, SIGKILL when none is named, to a node's first process, and with it the whole node is gone between two instructions; or to a process under the first.
 *
 * On the wire: connections are closed or reset, new ones fail. A first process is sent its signal by the engine from outside: inside its own namespace it is immune even to SIGKILL. Healing
 * starts the node again, cold: a cache comes back empty. With `process`, a sidecar among the node's processes sends it to those of that name under the first one, each time all of them; who
 * has started them (a supervisor) starts them again, at once or later, and nothing is left to heal: such a kill is over when it has been done, and its time says until when it is looked at.
 *
 * It does not: give the node any chance to say goodbye, unless the signal does (stop does). It does not end a first process that has no handler for a signal other than SIGKILL: the kernel
 * spares it, as it does in any container, and the proof says that it is the same process still. twemproxy takes no notice of SIGTERM.
 *
 * Proof: the process (its id and start time) is gone and, where it was the first one, a probe gets no answer, and what it has left is the exit code of a SIGKILL (137) when that was asked for and another one when it was
 * not; which of the other signals it was is not told, nor is any of one to a process under the first. After healing another process runs and answers.
 *
 * Needs: for `process`, a sidecar with the one capability KILL in the process namespace of the node.
 */
import { z } from 'zod';
import { PATIENCE_MS, tally } from '../probing.ts';
import { processFault, processField } from './kind.ts';
import { Lives } from './lives.ts';
import { KILLED } from './stop.ts';

/** Those that end a process by default, whatever it does with them itself. */
const SIGNALS = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGABRT', 'SIGHUP', 'SIGSEGV', 'SIGUSR1', 'SIGUSR2'] as const;

interface Options {
  /** SIGKILL when it is left out. */
  readonly signal?: (typeof SIGNALS)[number];
  /** Of those under the first process: their name ('memcached'), or a pattern over their command line ('*-p 11212*'). */
  readonly process?: string;
}

export interface Kill extends Options {
  readonly kind: 'kill';
  readonly node: string;
}

/** Kills the nodes that `node` names ('mc-1', 'mc-*'), or processes in them. */
export const kill = (node: string, options: Options = {}): Kill => ({ kind: 'kill', node, ...options });

export const killKind = processFault<Kill>({
  kind: 'kill',
  summary: 'a signal, SIGKILL by default, to a node or to a process in it; healing starts the node again, cold',
  example: kill('mc-1'),
  fields: {
    signal: z.enum(SIGNALS, { error: (issue) => `'${String(issue.input)}' is not allowed; write ${SIGNALS.join(', ')}` }).optional(),
    process: processField.optional(),
  },
  alters: ['answers', 'connects', 'contents'],
  phrase: ({ signal, process }) => `${signal === undefined ? 'kill' : `${signal} to`} ${process === undefined ? '' : `${process} in`}`.trim(),
  provingMs: () => 2 * PATIENCE_MS,
  probed: ({ signal, process }, nodes) => {
    const lives = new Lives(nodes, process);
    /** Of nodes that have ended: those under a first process leave their exit code to whoever started them. */
    const exitCodes = async () => {
      const states = process === undefined ? await Promise.all(nodes.map((node) => node.state())) : [];
      return states.filter(({ running }) => !running).map(({ exitCode }) => exitCode);
    };
    const asksSigkill = (signal ?? 'SIGKILL') === 'SIGKILL';
    return {
      patienceMs: PATIENCE_MS,
      disturb: async (node) => {
        await lives.note(node);
        return node.kill({ ...(signal && { signal }), ...(process !== undefined && { process }) });
      },
      asked: process === undefined ? `process gone by ${signal ?? 'SIGKILL'}, no answer` : `${process} gone`,
      // A supervisor may have started it again by now, and one that serves nobody is missed by no probe.
      bites: async ({ all }) =>
        (await lives.left()).length === 0 &&
        (process !== undefined || all.every(({ kind }) => kind !== 'answered')) &&
        (await exitCodes()).every((code) => (code === KILLED) === asksSigkill),
      told: async ({ all }) => [await lives.goneInWords(), ...(await exitCodes()).map((code) => `exit ${code}`), tally(all)].join('; '),
      healed: lives.healed,
    };
  },
});
