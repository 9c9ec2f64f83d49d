/**
 * What takes back for us, each a container of the run that is made when a fault first needs it: the warden, which takes back limits of the engine and files that we laid into nodes when we die
 * (`containers/warden`), and a hand at the engine's control groups, for what the engine itself cannot limit once a container runs.
 */
import { EnvironmentError } from '../core/errors.ts';
import { once } from '../core/once.ts';
import { openChannel } from './channel.ts';
import { startContainer } from './container.ts';
import type { Ground } from './ground.ts';
import { Hand } from './hand.ts';
import { SIDECAR_LABEL } from './labels.ts';
import { Orders } from './orders.ts';
import { HAND_MEMORY_MIB, type ToolProgram, type ToolSpec } from './spec.ts';

/** One of the steps by which something is taken back. */
export type Step =
  /** A call to the engine's API. */
  | { readonly method: 'POST'; readonly path: string; readonly body?: object }
  /** The same with a tar archive, in base64. */
  | { readonly method: 'PUT'; readonly path: string; readonly tar: string }
  /** A program that is in the container of this id. */
  | { readonly run: string; readonly argv: readonly string[] }
  /** The container of this id is started once all other steps of all notes are done, those of a lower order first. */
  | { readonly start: string; readonly order: number };

/** The first container of an image after a machine's start reads all of it from the disk. */
const READY_WITHIN_MS = 20_000;
const ANSWER_LIMIT_MS = 5_000;

/** Where the engine's control groups are laid into the hand's container. */
export const CONTROL_GROUPS = '/cgroup';

export class Wardens {
  readonly #ground: Ground;
  readonly #tools: ToolSpec;
  #warden: Promise<Orders> | undefined;
  #hand: Promise<Hand> | undefined;
  #notes = 0;

  constructor(ground: Ground, tools: ToolSpec) {
    this.#ground = ground;
    this.#tools = tools;
  }

  /** Starts the warden, once. Throws EnvironmentError where the cluster brings none, or it does not reach the engine. */
  async ready(): Promise<void> {
    this.#warden ??= this.#startWarden();
    await this.#warden;
  }

  /** Resolves when the warden knows how something is taken back that is going to be done, step by step; the answer tells it that it was. */
  async note(...steps: readonly Step[]): Promise<() => Promise<void>> {
    await this.ready();
    const warden = await (this.#warden as Promise<Orders>);
    const name = `note ${++this.#notes}`;
    await warden.ask({ do: 'note', name, steps }, ANSWER_LIMIT_MS);
    // A warden that is gone has forgotten already.
    return once(async () => {
      if (warden.end === undefined) await warden.ask({ do: 'forget', name }, ANSWER_LIMIT_MS);
    });
  }

  /** The hand at the control groups. */
  controlGroups(): Promise<Hand> {
    this.#hand ??= this.#startHand();
    return this.#hand;
  }

  /** Lets go of both: they take back what is left, and end. */
  async close(): Promise<void> {
    // One that never came to be has said so to whoever asked for it.
    const [warden, hand] = await Promise.allSettled([this.#warden, this.#hand]);
    if (warden.status === 'fulfilled') await warden.value?.close();
    if (hand.status === 'fulfilled') hand.value?.close();
  }

  async #startWarden(): Promise<Orders> {
    const tool = this.#tools.warden;
    if (!tool) throw new EnvironmentError('this cluster brings no program that takes limits back (tools.warden)');
    const { socket } = this.#ground.engine;
    const id = await this.#start('warden', tool, `${socket}:/var/run/docker.sock`);
    const orders = new Orders(await openChannel(this.#ground.engine.docker, id, ['node', `/aftershock/${tool.program}`]), 'the warden');
    const { error } = await orders.ask({ do: 'ping' }, READY_WITHIN_MS);
    if (error !== undefined) throw new EnvironmentError(`the warden does not reach the engine by ${socket}: ${String(error)}`);
    return orders;
  }

  async #startHand(): Promise<Hand> {
    const tool = this.#tools.hand;
    const id = await this.#start('cgroups', tool, `/sys/fs/cgroup:${CONTROL_GROUPS}`);
    return new Hand(await openChannel(this.#ground.engine.docker, id, ['node', `/aftershock/${tool.program}`]), 'the control groups');
  }

  /** A container without a network and without any capability; what is laid into it is all that it has. */
  async #start(name: string, { image, sources }: ToolProgram, bind: string): Promise<string> {
    const spec = { name, image, command: ['sleep', 'infinity'], sources, memoryMiB: HAND_MEMORY_MIB };
    const { alias: _, ...place } = this.#ground.placement(name);
    const placement = { ...place, labels: { ...place.labels, [SIDECAR_LABEL]: 'true' }, network: 'none', bind, capabilities: [] };
    return (await this.#ground.act('start', placement.name, () => startContainer(spec, placement))).id;
  }
}
