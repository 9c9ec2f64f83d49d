/**
 * push-config: somebody pushes a wrong configuration to some nodes of a tier.
 *
 * On the wire: what the configuration says: a time-out that is too short, a server too many, another ring of servers, which disagrees with the proxies beside it about where each key is. HAProxy takes it by a reload: connections
 * that are open stay with the former process and the former configuration until they end, new ones meet the other. twemproxy cannot read its file again and is started anew, so all its connections are closed. With
 * `comesUp: false` the file is one that the program refuses: the node is started with it, ends at once, and is down.
 *
 * It does not: invent what is wrong: `replace` names a piece of the file, and `with` what stands in its place, everywhere. Nor does it change the file of any other node.
 *
 * Proof: the file in the container is read back over the engine and is the one that was pushed, the program in the container takes it (or refuses it) when asked, and another process runs than before: another first process, or after a
 * reload another under it. Where the process itself tells of its configuration (twemproxy the names of its servers, in its statistics) it tells what is in the file. With `comesUp: false` no process runs, and no probe is answered. After
 * healing the former file is there, again another process runs, tells what that says, and answers as before.
 *
 * Ends by itself: the warden, a container with the engine's socket and nothing else, lays the former file there and has it taken when our words stop, by the same reload or another start; the reaper removes the node. With
 * all three dead it stays until the cluster is removed.
 *
 * Needs: a node whose builder names its configuration (HAProxy, twemproxy).
 */
import { z } from 'zod';
import type { Configuration, Node, NodeState, Process } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import { ANSWERING, type FaultKind } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { prepareProbed } from '../probed.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { matchingNodes, misfitOf, namesOfMatching } from '../targets.ts';

export interface PushConfigOptions {
  /** A piece of the configuration, and what stands in its place, everywhere: 'timeout: 400' and 'timeout: 4'. */
  readonly replace: string;
  readonly with: string;
  /** false: the program refuses such a file, and the node is down. Default true. */
  readonly comesUp?: boolean;
}

export interface PushConfig extends PushConfigOptions {
  readonly kind: 'push-config';
  readonly node: string;
}

/** Pushes another configuration to the nodes that `node` names: `pushConfig('proxy-1', { replace: 'timeout: 400', with: 'timeout: 4' })`. */
export const pushConfig = (node: string, options: PushConfigOptions): PushConfig => ({ kind: 'push-config', node, ...options });

/** To end a process in order and start a container: 1.5 s, several times that on a busy machine. */
const STARTING_MS = 4_000;
/** Longer pieces are told by their beginning. */
const TOLD_CHARACTERS = 40;

/** One node, and all that is known of it before. */
interface Target {
  readonly node: Node;
  readonly configuration: Configuration;
  readonly former: string;
  readonly wrong: string;
  readonly state: NodeState;
  readonly processes: readonly Process[];
}

export const pushConfigKind: FaultKind<PushConfig> = {
  kind: 'push-config',
  summary: 'somebody pushes a wrong configuration to a node, which takes it, or does not come up with it',
  schema: z.strictObject({
    kind: z.literal('push-config'),
    node: nodeTarget,
    replace: z
      .string({ error: "missing; write a piece of the configuration, such as 'timeout: 400'" })
      .min(1, { error: "'' is in every configuration; write a piece of it, such as 'timeout: 400'" })
      .describe("a piece of the configuration, such as 'timeout: 400'"),
    with: z.string({ error: "missing; write what stands in its place, such as 'timeout: 4'" }).describe("what stands in its place, such as 'timeout: 4'"),
    comesUp: z.boolean({ error: 'not allowed; write true or false' }).optional(),
  }) as unknown as z.ZodType<PushConfig>,
  example: pushConfig('proxy-1', { replace: 'mc-2', with: 'mc-9' }),
  alters: ['configuration', 'process', 'connects', 'answers', 'timing'],
  needs: [...ANSWERING, 'configuration', 'process'],
  target: (fault) => ({ kind: 'node', pattern: fault.node }),
  describe: ({ node, replace: from, with: to, comesUp = true }) =>
    `push of a configuration ${comesUp ? '' : 'that does not come up '}with '${told(to)}' for '${told(from)}' to ${node}`,
  affects: (fault, cluster) => namesOfMatching(fault.node, cluster),
  provingMs: () => STARTING_MS,
  misfit: ({ node }, { nodes }) => misfitOf(node, nodes, ({ configuration }) => configuration !== undefined, 'has no configuration that can be replaced'),
  ready: async (fault, cluster) => {
    // The hand among its processes is made here, and a piece that is not in the file is told of before the load.
    const nodes = matchingNodes(fault.node, cluster.nodes);
    await Promise.all(nodes.map((node) => targetOf(fault, node)));
    // Who puts the file back when we are dead.
    await Promise.all(nodes.map((node) => node.standBy('limits')));
  },
  prepare: async (fault, cluster) => {
    const { comesUp = true } = fault;
    const targets = await Promise.all(matchingNodes(fault.node, cluster.nodes).map((node) => targetOf(fault, node)));
    const of = new Map(targets.map((target) => [target.node.name, target]));
    let pushed: readonly Target[] = targets;
    let seen: readonly Look[] = [];
    return prepareProbed<Node>({
      targets: targets.map(({ node }) => node),
      patienceMs: PATIENCE_MS,
      disturb: async (node) => {
        const one = of.get(node.name) as Target;
        const disturbance = await node.configuration().push(one.wrong, { comesUp });
        return {
          ...disturbance,
          undo: async () => {
            // Against what runs now it is told that another process runs after it.
            pushed = await Promise.all(targets.map(async (target) => ({ ...target, ...(await livesOf(target.node)) })));
            await disturbance.undo();
          },
        };
      },
      asked: comesUp ? 'another process runs with the file that was pushed' : 'with the file that was pushed no process runs, no answer',
      bites: async ({ all }) => {
        seen = await Promise.all(targets.map((target) => lookAt(target, target.wrong, comesUp)));
        const isDown = all.every(({ kind }) => kind !== 'answered') && seen.every(({ runs }) => !runs);
        return seen.every(({ isFile }) => isFile) && (comesUp ? seen.every(isTaken) : isDown);
      },
      told: ({ all }) => `${seen.map((look) => look.told).join('; ')}; probes: ${tally(all)}`,
      healed: {
        asked: 'another process runs with the former file',
        holds: async () => (await Promise.all(pushed.map((target) => lookAt(target, target.former, true)))).every((look) => look.isFile && isTaken(look)),
        told: async () => (await Promise.all(pushed.map((target) => lookAt(target, target.former, true)))).map((look) => look.told).join('; '),
      },
    });
  },
};

interface Look {
  readonly isFile: boolean;
  readonly runs: boolean;
  readonly isAnother: boolean;
  /** It tells of itself what the file says; undefined where it tells nothing. */
  readonly tellsSo: boolean | undefined;
  readonly told: string;
}

function isTaken({ runs, isAnother, tellsSo }: Look): boolean {
  return runs && isAnother && tellsSo !== false;
}

async function lookAt({ node, configuration, state, processes }: Target, text: string, comesUp: boolean): Promise<Look> {
  const [file, now] = await Promise.all([configuration.read(), node.state()]);
  const isFile = file === text;
  const runs = now.running;
  const where = `${node.name} ${isFile ? 'has the file' : 'has another file'}`;
  if (!runs || !comesUp)
    return { isFile, runs, isAnother: false, tellsSo: undefined, told: `${where}, ${runs ? 'runs' : `does not run (exit ${now.exitCode})`}` };
  const isAnother = configuration.isReloadable
    ? (await node.processes('*')).some((one) => !processes.some((other) => sameProcess(one, other)))
    : now.startedAt !== state.startedAt;
  // One that has just been started does not tell anything yet.
  const shown = await configuration.shown().catch(() => []);
  const tellsSo = shown && shown.join() === configuration.namedIn(text)?.join();
  const tells = shown === undefined ? '' : `, tells of ${shown.join(', ') || 'nothing'}`;
  return { isFile, runs, isAnother, tellsSo, told: `${where}, ${isAnother ? 'another process' : 'the same process'} runs${tells}` };
}

function sameProcess(one: Process, other: Process): boolean {
  return one.pid === other.pid && one.startTicks === other.startTicks;
}

/** Throws InvalidRunError when nothing would be changed, or the program takes what it is to refuse, or the other way round. */
async function targetOf({ replace: from, with: to, comesUp = true }: PushConfig, node: Node): Promise<Target> {
  const configuration = node.configuration();
  const former = await configuration.read();
  const wrong = former.replaceAll(from, () => to);
  if (wrong === former) throw new InvalidRunError(`the configuration of ${node.name} has no '${told(from)}' that '${told(to)}' would change`);
  const refusal = await configuration.refuses(wrong);
  if (comesUp && refusal !== undefined)
    throw new InvalidRunError(`${node.name} does not take this configuration (${refusal}); with comesUp: false that is an outage`);
  if (!comesUp && refusal === undefined) throw new InvalidRunError(`${node.name} takes this configuration, so it would come up; leave comesUp out`);
  return { node, configuration, former, wrong, ...(await livesOf(node)) };
}

/** A node that is down has none. */
async function livesOf(node: Node): Promise<Pick<Target, 'state' | 'processes'>> {
  const state = await node.state();
  return { state, processes: state.running && node.configuration().isReloadable ? await node.processes('*') : [] };
}

function told(text: string): string {
  return text.length > TOLD_CHARACTERS ? `${text.slice(0, TOLD_CHARACTERS)}...` : text;
}
