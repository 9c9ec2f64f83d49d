/**
 * Our end of the cluster's name service (`containers/resolver`): a container of the run that answers for its nodes, started only for a cluster that has names. What it tells single askers
 * against the truth is lent: it hears from us every two seconds while there is any of it.
 */
import { EnvironmentError } from '../core/errors.ts';
import { once } from '../core/once.ts';
import { attachChannel, beat, type Channel } from './channel.ts';
import { startContainer } from './container.ts';
import type { Ground } from './ground.ts';
import type { Hand } from './hand.ts';
import { DOMAIN, type NameLie } from './names.ts';
import { type ClusterSpec, HAND_MEMORY_MIB } from './spec.ts';
import type { Asker, Disturbance } from './types.ts';

const BEAT_MS = 2_000;
const READY_WITHIN_MS = 10_000;
const ANSWER_WITHIN_MS = 5_000;

export class NameService {
  /** Where it is asked. */
  readonly address: string;
  readonly #channel: Channel;
  readonly #waiting = new Map<number, (message: Record<string, unknown>) => void>();
  #orders = 0;
  #lies = 0;
  #told = 0;
  #beating: NodeJS.Timeout | undefined;
  #ended: string | undefined;

  /** Undefined for a cluster in which nobody asks for names. Throws EnvironmentError when it does not come up. */
  static async start(spec: ClusterSpec, ground: Ground): Promise<NameService | undefined> {
    if (!spec.byName?.length) return undefined;
    const tool = spec.tools.resolver;
    if (!tool) throw new EnvironmentError('the cluster has names, and none of its tools answers for them');
    const settings = { domain: DOMAIN, nodes: spec.nodes.map(({ name }) => name) };
    const command = ['node', `/aftershock/${tool.program}`, JSON.stringify(settings)];
    const container = { name: 'resolver', image: tool.image, command, sources: tool.sources, memoryMiB: HAND_MEMORY_MIB };
    // To drop what is no question, and to listen where names are asked for.
    const placement = { ...ground.placement('resolver'), capabilities: ['NET_ADMIN', 'NET_BIND_SERVICE'], stdin: true };
    const { id, address } = await ground.act('start', placement.name, () => startContainer(container, placement));
    return NameService.#open(ground, id, address);
  }

  /** That of a cluster that was left standing. */
  static async adopt(spec: ClusterSpec, ground: Ground): Promise<NameService | undefined> {
    if (!spec.byName?.length) return undefined;
    const { Id, NetworkSettings } = await ground.engine.docker.getContainer(ground.name('resolver')).inspect();
    return NameService.#open(ground, Id, Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '');
  }

  static async #open({ engine }: Ground, id: string, address: string): Promise<NameService> {
    const service = new NameService(address, await attachChannel(engine.docker, id));
    // It hears nothing before it listens: the first word that it answers is the sign.
    await service.#order({ do: 'lies' }, READY_WITHIN_MS);
    return service;
  }

  private constructor(address: string, channel: Channel) {
    this.address = address;
    this.#channel = channel;
    channel.onMessage((message) => {
      this.#waiting.get(message['id'] as number)?.(message);
    });
    void channel.ended.then(({ stderr }) => {
      clearInterval(this.#beating);
      this.#ended = stderr || 'it ended';
    });
  }

  /** Where nodes are now. */
  async know(addresses: Readonly<Record<string, string>>): Promise<void> {
    await this.#order({ do: 'know', addresses });
  }

  /** From now on the node `asker` is told this of the nodes `nodes`, until it is taken back or we are silent. */
  async lie(asker: string, nodes: readonly string[], lie: NameLie): Promise<Disturbance> {
    const name = `lie-${++this.#lies}`;
    await this.#order({ do: 'lie', name, asker, nodes, lie });
    this.#told++;
    this.#beating ??= setInterval(() => beat(this.#channel), BEAT_MS).unref();
    return {
      undo: once(async () => {
        if (--this.#told === 0) {
          clearInterval(this.#beating);
          this.#beating = undefined;
        }
        // One that is gone tells nobody anything.
        if (this.#ended === undefined) await this.#order({ do: 'truth', name });
      }),
      missing: async () => {
        if (this.#ended !== undefined) return `the name service is gone: ${this.#ended}`;
        const { lies } = (await this.#order({ do: 'lies' })) as { lies: string[] };
        return lies.includes(name) ? undefined : `the name service tells ${asker} the truth again`;
      },
    };
  }

  close(): void {
    clearInterval(this.#beating);
    this.#channel.close();
  }

  #say(message: object): void {
    if (this.#ended === undefined) this.#channel.send(message);
  }

  #order(order: object, limitMs = ANSWER_WITHIN_MS): Promise<Record<string, unknown>> {
    if (this.#ended !== undefined) return Promise.reject(new EnvironmentError(`the name service is gone: ${this.#ended}`));
    const id = ++this.#orders;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        act();
      };
      const timer = setTimeout(() => settle(() => reject(new EnvironmentError(`the name service did not answer within ${limitMs / 1_000} s`))), limitMs);
      this.#waiting.set(id, (message) => settle(() => resolve(message)));
      void this.#channel.ended.then(({ stderr }) => settle(() => reject(new EnvironmentError(`the name service is gone: ${stderr || 'it ended'}`))));
      this.#say({ id, ...order });
    });
  }
}

/** Throws EnvironmentError in a cluster without names. */
export function thereAre(names: NameService | undefined): NameService {
  if (!names) throw new EnvironmentError('nobody asks for names in this cluster, so nothing can be told of them');
  return names;
}

/** Asks for names, and dials what they stand for, in the namespace that a hand is in. */
export function askerAt(hand: Hand, { nodes }: ClusterSpec): Asker {
  return {
    resolve: (name, patienceMs) => hand.resolve(name, patienceMs),
    ask: async (name, address, patienceMs) => {
      const { port, probe } = nodes.find((node) => node.name === name) ?? {};
      if (!probe || port === undefined) throw new EnvironmentError(`node ${name} has no probe, so nobody can be told from it`);
      const prober = hand.prober(() => `${address}:${port}`, probe);
      return prober.ask('new', patienceMs);
    },
  };
}
