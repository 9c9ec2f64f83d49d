/**
 * flood: connections from an address of their own, beside those of the load: held, opened and closed, or badly behaved.
 *
 * On the wire: clients that nobody knows connect to a node's port, or over a link to its far end, and ask the question by which the node is probed. `idle`: each asks once and stays. `never-reading`: each asks 16,384 times and
 * takes no answer, so that bytes wait at the target. `slow-sender`: a byte of each question every 100 ms (`every`). `herd`: all close and come again in one moment, each `every`. `churn`: so many a second, closed
 * when they are answered. `half-closed`: so many a second, FIN behind the question. They come from one address, that of a container of their own; over a link the target sees Toxiproxy's.
 *
 * It does not: open again what an idle, never-reading or slow connection loses, or ask for anything that is stored. A target that takes no more of them is flooded all the same: what it turns away is told and counts.
 *
 * Proof: the kernel's own tables and counters at the port of the target (over a link: at its near end). Of those that stay, nine tenths stand there, but for those that the target turned away, and each has had an answer; never-reading
 * ones have bytes that wait, slow ones send three quarters of their packets. Of churn and half-closed ones, three quarters of the asked rate of SYN (and of FIN) arrive, and of herds nine tenths within one round, and once more. After healing none is left
 * (waiting in TIME_WAIT apart), and probes are answered as before.
 *
 * Ends by itself: within 9 s without a word from the harness, and at once when it ends; the program that holds the connections ends then, and the kernel closes all of them.
 *
 * Needs: a target that answers a probe; a container with an address of its own, without capabilities, from which the connections come; and, to count them, nftables in the kernel and a sidecar with the one capability
 * NET_ADMIN in the network namespace of the node (of Toxiproxy, for a link).
 */
import { z } from 'zod';
import type { FloodForm } from '../../cluster/flood-form.ts';
import type { Cluster, Link, Node, Passage } from '../../cluster/types.ts';
import { linkEnds, matchingLinks } from '../../core/names.ts';
import { type Duration, milliseconds, perSecond, type Rate } from '../../core/units.ts';
import { ANSWERING, type FaultKind } from '../fault.ts';
import { passageTarget, perSecondField, wholeMs } from '../fields.ts';
import { prepareProbed } from '../probed.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { farEnds, matchingNodes, namesOfMatching } from '../targets.ts';
import { askedOf, bites, showingMs, toldOf } from './dose.ts';
import { Flooded } from './flooded.ts';

export interface FloodOptions {
  /** Default 'idle'. */
  readonly behaviour?: 'idle' | 'never-reading' | 'slow-sender' | 'herd' | 'churn' | 'half-closed';
  /** How many at each target, 1 to 28000: of all but churn and half-closed ones. */
  readonly connections?: number;
  /** Of churn and half-closed ones: how many a second. Of those that stay: at which pace they are opened; as fast as they are answered, when left out. */
  readonly rate?: Rate;
  /** Of a herd: when it comes again. Of slow senders: when the next byte comes, default '100ms'. */
  readonly every?: Duration;
}

export interface Flood extends FloodOptions {
  readonly kind: 'flood';
  readonly on: string;
}

/** Floods each of the nodes or links that `on` names with connections: `flood('edge', { connections: 4000 })`, `flood('mc-1', { behaviour: 'churn', rate: '500/s' })`. */
export const flood = (on: string, options: FloodOptions): Flood => ({ kind: 'flood', on, ...options });

/** As many as one address has ports towards another, unless somebody has changed that. */
const MOST_CONNECTIONS = 28_000;
const SLOW_EVERY_MS = 100;
const LEAST_ROUND_MS = 500;
/** A connection that is never answered is given up, and counts as turned away, after 10 s. */
const PATIENCE_BEYOND_MS = 15_000;

const countError = (issue: { readonly input?: unknown }) => `${String(issue.input)} is not allowed; write a whole number from 1 to ${MOST_CONNECTIONS}`;

const schema = z
  .strictObject({
    kind: z.literal('flood'),
    on: passageTarget,
    behaviour: z
      .enum(['idle', 'never-reading', 'slow-sender', 'herd', 'churn', 'half-closed'], {
        error: (issue) => `'${String(issue.input)}' is not a behaviour; write 'idle', 'never-reading', 'slow-sender', 'herd', 'churn' or 'half-closed'`,
      })
      .optional(),
    connections: z
      .number({ error: countError })
      .int({ error: countError })
      .min(1, { error: countError })
      .max(MOST_CONNECTIONS, { error: countError })
      .optional(),
    rate: perSecondField.optional(),
    every: wholeMs(10, 60_000).optional(),
  })
  .superRefine(({ behaviour = 'idle', connections, rate, every }, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const perSecondOnly = behaviour === 'churn' || behaviour === 'half-closed';
    if (perSecondOnly && rate === undefined) issue('rate', `missing; write how many connections a second, such as '500/s'`);
    if (perSecondOnly && connections !== undefined) issue('connections', `not for '${behaviour}', which opens so many a second; leave it out`);
    if (!perSecondOnly && connections === undefined) issue('connections', `missing; write a whole number from 1 to ${MOST_CONNECTIONS}`);
    if (behaviour === 'herd' && every === undefined) issue('every', `missing; write when the herd comes again, such as '2s'`);
    if (behaviour === 'herd' && every !== undefined && milliseconds(every) < LEAST_ROUND_MS)
      issue('every', `'${every}' is too short for a herd, whose rounds are told apart; write '${LEAST_ROUND_MS}ms' or more`);
    if (behaviour === 'herd' && rate !== undefined) issue('rate', `not for 'herd', which comes all at once; leave it out`);
    if (every !== undefined && behaviour !== 'herd' && behaviour !== 'slow-sender') issue('every', `not for '${behaviour}'; only for 'herd' and 'slow-sender'`);
  });

export const floodKind: FaultKind<Flood> = {
  kind: 'flood',
  summary: 'connections from an address of their own: held, churning, half closed, never reading, slow or in a herd',
  schema: schema as unknown as z.ZodType<Flood>,
  example: flood('edge', { connections: 1_000 }),
  alters: ['connects', 'answers', 'timing', 'throughput', 'cpu', 'memory', 'descriptors'],
  needs: [...ANSWERING, 'packets', 'process'],
  target: ({ on }) => ({ kind: linkEnds(on) ? 'link' : 'node', pattern: on }),
  describe: (fault) => `flood of ${phrase(fault)} on ${fault.on}`,
  affects: ({ on }, cluster) => (linkEnds(on) ? farEnds(on, cluster) : namesOfMatching(on, cluster)),
  // Behind the last connection a look, which takes a moment with many of them.
  provingMs: (fault) => showingMs(formOf(fault)) + 1_000,
  ready: async (fault, cluster) => {
    await Promise.all(targetsOf(fault, cluster).flatMap((passage) => [passage.network(), passage.flooder()]));
  },
  prepare: async (fault, cluster) => {
    const form = formOf(fault);
    const targets = targetsOf(fault, cluster);
    const farNodes = targets.map((target) => cluster.node('to' in target ? target.to : target.name));
    const startsBefore = await Promise.all(farNodes.map(startOf));
    const floods: Flooded[] = [];
    const left = async () => (await Promise.all(targets.map(connectionsLeft))).reduce((sum, one) => sum + one, 0);
    const { close, inject } = await prepareProbed<Passage>({
      targets,
      patienceMs: PATIENCE_MS,
      disturb: async (passage) => {
        const one = await Flooded.begin(passage, form);
        floods.push(one);
        return one;
      },
      asked: askedOf(form),
      bites: async () => (await Promise.all(floods.map((one) => one.look()))).every((look) => bites(form, look)),
      told: ({ all }) => [...floods.map(({ last }) => (last ? toldOf(form, last) : 'not looked at')), `probes: ${tally(all)}`].join('; '),
      healed: { asked: 'none of its connections left', holds: async () => (await left()) === 0, told: async () => `${await left()} connections left` },
    });
    const limitMs = showingMs(form) + PATIENCE_BEYOND_MS;
    return {
      close,
      inject: async () => {
        const injected = await inject();
        return {
          ...injected,
          prove: (askedMs = limitMs) => injected.prove(askedMs),
          missing: async () => {
            const starts = await Promise.all(farNodes.map(startOf));
            const gone = starts.indexOf(undefined);
            if (gone >= 0) return `${farNodes[gone]?.name} does not run any more`;
            const other = farNodes.find((_, index) => starts[index] !== startsBefore[index]);
            return other ? `${other.name} was started again: the connections that it had are gone` : injected.missing();
          },
        };
      },
    };
  },
};

function targetsOf({ on }: Flood, { nodes, links }: Cluster): readonly (Node | Link)[] {
  return linkEnds(on) ? matchingLinks(on, links) : matchingNodes(on, nodes);
}

/** Undefined for a node that does not run. */
async function startOf(node: Node): Promise<string | undefined> {
  const { running, startedAt } = await node.state();
  return running ? startedAt : undefined;
}

async function connectionsLeft(passage: Passage): Promise<number> {
  return (await passage.connectionsFrom((await passage.flooder()).address)).standing;
}

function formOf({ behaviour = 'idle', connections = 0, rate, every }: Flood): FloodForm {
  const ratePerSecond = rate === undefined ? undefined : perSecond(rate);
  const everyMs = every === undefined ? SLOW_EVERY_MS : milliseconds(every);
  switch (behaviour) {
    case 'churn':
    case 'half-closed':
      return { kind: behaviour, ratePerSecond: ratePerSecond ?? 0 };
    case 'herd':
      return { kind: behaviour, connections, everyMs };
    default: {
      const steady = { connections, ...(ratePerSecond === undefined ? {} : { ratePerSecond }) };
      return behaviour === 'slow-sender' ? { kind: behaviour, ...steady, everyMs } : { kind: behaviour, ...steady };
    }
  }
}

/** '1000 idle connections at 200/s', 'a herd of 500 each 2s', '500/s churning connections'. */
function phrase({ behaviour = 'idle', connections, rate, every }: Flood): string {
  if (behaviour === 'herd') return `a herd of ${connections} each ${every}`;
  if (behaviour === 'churn' || behaviour === 'half-closed') return `${rate} ${behaviour === 'churn' ? 'churning' : 'half-closed'} connections`;
  const what = { idle: 'idle', 'never-reading': 'never-reading', 'slow-sender': 'slowly sending' }[behaviour];
  return `${connections} ${what} connections${rate === undefined ? '' : ` at ${rate}`}`;
}
