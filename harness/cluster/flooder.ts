/**
 * Our end of the program that floods with connections: it runs in a container of its own on the run's network, one process for each flood. What it does there is in `containers/flood`; the program is handed in
 * by the cluster's spec.
 */
import { EnvironmentError } from '../core/errors.ts';
import { once } from '../core/once.ts';
import { openChannel } from './channel.ts';
import { type Started, startContainer } from './container.ts';
import type { FloodForm } from './flood-form.ts';
import type { Ground } from './ground.ts';
import { SIDECAR_LABEL } from './labels.ts';
import { Orders } from './orders.ts';
import type { ProbeSpec, ToolProgram } from './spec.ts';
import type { Disturbance } from './types.ts';

/** Some kilobytes for each of 16,000 connections, and Node itself. */
const FLOODER_MEMORY_MIB = 512;
const ANSWER_LIMIT_MS = 5_000;

/** A flood as the one who floods sees it. */
export interface FloodTold {
  /** Connections that are open and were answered. */
  readonly open: number;
  /** Connections that the far end refused, closed, reset or never answered. */
  readonly turnedAway: number;
}

export interface Flooding extends Disturbance {
  told(): Promise<FloodTold>;
}

export interface Flooder {
  /** From where the connections come, on the run's network. */
  readonly address: string;
  flood(form: FloodForm): Promise<Flooding>;
}

/** The container of all floods of a cluster, made when it is first asked for. */
export class Flooders {
  readonly #ground: Ground;
  readonly #tool: ToolProgram | undefined;
  #container: Promise<Started> | undefined;

  constructor(ground: Ground, tool: ToolProgram | undefined) {
    this.#ground = ground;
    this.#tool = tool;
  }

  /** `to` tells host and port, `probe` is what is asked there. Throws EnvironmentError where a cluster has no such program, or the node no question. */
  async towards(name: string, to: () => { readonly host: string; readonly port: number }, probe: ProbeSpec | undefined): Promise<Flooder> {
    const tool = this.#tool;
    if (!tool) throw new EnvironmentError('this cluster brings no program that floods (tools.flooder)');
    if (!probe) throw new EnvironmentError(`${name} has no probe, so nothing can be asked there`);
    this.#container ??= this.#start(tool);
    const { id, address } = await this.#container;
    const question = { send: probe.send, expect: probe.expect, ends: probe.ends ?? '\n' };
    return { address, flood: (form) => this.#flood(name, id, tool, { to: to(), question, form }) };
  }

  #start({ image, sources }: ToolProgram): Promise<Started> {
    const spec = { name: 'flood', image, command: ['sleep', 'infinity'], sources, memoryMiB: FLOODER_MEMORY_MIB };
    const place = this.#ground.placement(spec.name);
    const placement = { ...place, labels: { ...place.labels, [SIDECAR_LABEL]: 'true' }, capabilities: [] };
    return this.#ground.act('start', placement.name, () => startContainer(spec, placement));
  }

  async #flood(name: string, containerId: string, tool: ToolProgram, order: object): Promise<Flooding> {
    const where = this.#ground.name('flood');
    const channel = await openChannel(this.#ground.engine.docker, containerId, ['node', `/aftershock/${tool.program}`]);
    const orders = new Orders(channel, `the flood of ${name}`);
    const undo = once(() => this.#ground.act('end the flood of', name, () => orders.close()));
    try {
      await this.#ground.act('flood', `${name} from ${where}`, () => orders.ask({ do: 'flood', ...order }, ANSWER_LIMIT_MS));
    } catch (thrown) {
      await undo();
      throw thrown;
    }
    return {
      undo,
      missing: async () => orders.end,
      told: async () => {
        const { open, turnedAway } = await orders.ask({ do: 'tell' }, ANSWER_LIMIT_MS);
        return { open: open as number, turnedAway: turnedAway as number };
      },
    };
  }
}
