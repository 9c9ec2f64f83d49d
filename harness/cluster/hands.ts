/** The hands of a cluster, each made when it is first asked for: in a client's own container, beside any other node in a sidecar. */
import { EnvironmentError, NotRunningError } from '../core/errors.ts';
import { openChannel } from './channel.ts';
import { startContainer } from './container.ts';
import type { Ground } from './ground.ts';
import { Hand, type Reading } from './hand.ts';
import { SIDECAR_LABEL } from './labels.ts';
import { type ClusterSpec, HAND_MEMORY_MIB, type NodeSpec, WIRE_MEMORY_MIB } from './spec.ts';

const READING_EVERY_MS = 200;
/** By which a program makes network devices whose packets it reads and writes itself. */
const TUN_DEVICE = '/dev/net/tun';

/** Called with each reading at a watched node; `clockMs` is already on this process's monotonic clock. */
export type OnReading = (node: string, reading: Reading) => void;

export class Hands {
  readonly #spec: ClusterSpec;
  readonly #ground: Ground;
  readonly #containerOf: (name: string) => string;
  readonly #onReading: OnReading | undefined;
  readonly #hands = new Map<string, Promise<Hand>>();
  readonly #networkHands = new Map<string, Promise<Hand>>();
  readonly #wireHands = new Map<string, Promise<Hand>>();
  readonly #processHands = new Map<string, Promise<Hand>>();
  /** When each node began to run whose namespace is changed. */
  readonly #lives = new Map<string, string>();

  constructor(spec: ClusterSpec, ground: Ground, containerOf: (name: string) => string, onReading: OnReading | undefined) {
    this.#spec = spec;
    this.#ground = ground;
    this.#containerOf = containerOf;
    this.#onReading = onReading;
  }

  /** The hand in a node's network namespace. */
  at(name: string): Promise<Hand> {
    let hand = this.#hands.get(name);
    if (!hand) {
      hand = this.#make(name);
      this.#hands.set(name, hand);
    }
    return hand;
  }

  /** A hand in a node's network namespace that may change it. It has a sidecar of its own, made when a fault first needs one: nobody else's hand can do what it can. */
  async atNetwork(name: string): Promise<Hand> {
    await this.#follow(name);
    let hand = this.#networkHands.get(name);
    if (!hand) {
      hand = this.#makeSidecar(name, networkSidecarOf(name), ['NET_ADMIN']);
      this.#networkHands.set(name, hand);
    }
    return hand;
  }

  /** A hand in a node's process namespace, which it shares with nobody else of ours: it ends with the node's first process. */
  atProcesses(name: string): Promise<Hand> {
    let hand = this.#processHands.get(name);
    if (!hand) {
      hand = this.#makeSidecar(name, processSidecarOf(name), ['KILL'], 'processes');
      this.#processHands.set(name, hand);
    }
    return hand;
  }

  /** Before a node's first process ends: what is in its process namespace would end with it, and look like a death by itself. */
  async leaveProcesses(name: string): Promise<void> {
    await this.#forget(this.#processHands, name, processSidecarOf(name));
  }

  /** The same with the kernel's device for packets in user space, and the program that holds them. */
  async atWire(name: string): Promise<Hand> {
    await this.#follow(name);
    let hand = this.#wireHands.get(name);
    if (!hand) {
      const image = this.#spec.tools.wireImage;
      if (image === undefined) throw new EnvironmentError('this cluster names no image to lead packets through');
      hand = this.#makeSidecar(name, wireSidecarOf(name), ['NET_ADMIN', 'NET_RAW'], 'network', { image, memoryMiB: WIRE_MEMORY_MIB, device: TUN_DEVICE });
      this.#wireHands.set(name, hand);
    }
    return hand;
  }

  /** A hand that does not go when a node goes. */
  beside(asked: string): Promise<Hand> {
    return this.at(this.vantage(asked));
  }

  /** From where a node is looked at that may go: a client, or else any other node. Throws EnvironmentError when there is none. */
  vantage(asked: string): string {
    const others = this.#spec.nodes.filter((node) => node.name !== asked);
    const vantage = others.find((node) => node.role === 'client') ?? others[0];
    if (!vantage) throw new EnvironmentError(`node ${asked} is alone in its cluster: there is nowhere to ask it from`);
    return vantage.name;
  }

  /**
   * Reads a node's sockets from now on, if it is to be watched, and how busy the host is, if it is the one node from which that is read: a client, where
   * it takes no sidecar, so that it is known of every run. Nothing is read when nobody listens.
   */
  async watch({ name, port, watchSockets }: NodeSpec): Promise<void> {
    const listener = this.#onReading;
    const watched = watchSockets && port !== undefined ? { port } : {};
    const host = name === (this.#spec.nodes.find((node) => node.role === 'client') ?? this.#spec.nodes[0])?.name;
    if (!listener || !(host || 'port' in watched)) return;
    const hand = await this.at(name);
    const { offsetMs } = await hand.clockOffset();
    await hand.watch({ ...watched, host }, READING_EVERY_MS, (reading) => listener(name, { ...reading, clockMs: reading.clockMs - offsetMs }));
  }

  /** A sidecar stays in the namespace that its node has left: it is made anew beside a node that was started again. A client's hand ended with its container. */
  async remake(node: NodeSpec): Promise<void> {
    // What it had lent is gone with the namespace; whoever put it there sees that for himself.
    await this.#forget(this.#networkHands, node.name, networkSidecarOf(node.name));
    await this.#forget(this.#wireHands, node.name, wireSidecarOf(node.name));
    await this.leaveProcesses(node.name);
    if (!(await this.#forget(this.#hands, node.name, node.role === 'client' ? undefined : sidecarOf(node.name)))) return;
    await this.watch(node);
  }

  /**
   * Sidecars that may change a namespace have to be in the one that their node has now: somebody else may have started it again, or ended a sidecar. Those that are not go, and what they had
   * lent with them. Throws NotRunningError for a node that has none.
   */
  async #follow(name: string): Promise<void> {
    const { State } = await this.#ground.engine.docker.getContainer(this.#containerOf(name)).inspect();
    if (!State.Running) throw new NotRunningError(`node ${name} does not run`);
    const before = this.#lives.get(name);
    this.#lives.set(name, State.StartedAt);
    for (const [hands, sidecar] of [
      [this.#networkHands, networkSidecarOf(name)],
      [this.#wireHands, wireSidecarOf(name)],
    ] as const) {
      // One that never came to be has said so to whoever asked for it.
      const hand = await hands.get(name)?.catch(() => undefined);
      if (hand?.hasEnded || (hand && before !== undefined && before !== State.StartedAt)) await this.#forget(hands, name, sidecar);
    }
  }

  /** Closes a hand and removes its sidecar; false when there was none. */
  async #forget(hands: Map<string, Promise<Hand>>, name: string, sidecarName: string | undefined): Promise<boolean> {
    const before = hands.get(name);
    if (!before) return false;
    hands.delete(name);
    (await before).close();
    if (sidecarName !== undefined) {
      const sidecar = this.#ground.name(sidecarName);
      // Journalled as what the engine will tell of it: a kill that was asked for.
      await this.#ground.act('kill', sidecar, () => this.#ground.engine.docker.getContainer(sidecar).remove({ force: true }).catch(unlessGone));
    }
    return true;
  }

  async close(): Promise<void> {
    // A hand that never came to be has said so to whoever asked for it.
    for (const hand of await Promise.allSettled([
      ...this.#hands.values(),
      ...this.#networkHands.values(),
      ...this.#wireHands.values(),
      ...this.#processHands.values(),
    ]))
      if (hand.status === 'fulfilled') hand.value.close();
  }

  #make(name: string): Promise<Hand> {
    // A client's container can run the hand itself: its image is the same.
    const isClient = this.#spec.nodes.some((node) => node.name === name && node.role === 'client');
    return isClient ? this.#openIn(this.#containerOf(name), name) : this.#makeSidecar(name, sidecarOf(name), []);
  }

  /** A container of its own in the node's network or process namespace, with these capabilities and no other. */
  async #makeSidecar(
    name: string,
    sidecarName: string,
    capabilities: readonly string[],
    joins: 'network' | 'processes' = 'network',
    { image = this.#spec.tools.hand.image, memoryMiB = HAND_MEMORY_MIB, device }: { image?: string; memoryMiB?: number; device?: string } = {},
  ): Promise<Hand> {
    const sidecar = { name: sidecarName, image, command: ['sleep', 'infinity'], sources: this.#spec.tools.hand.sources, memoryMiB };
    // It is in no network of its own, and so has no name there.
    const { alias: _, ...place } = this.#ground.placement(sidecar.name);
    const labels = { ...place.labels, [SIDECAR_LABEL]: 'true' };
    const joined = `container:${this.#containerOf(name)}`;
    const namespaces = joins === 'network' ? { network: joined } : { network: 'none', pid: joined };
    const placement = { ...place, labels, ...namespaces, capabilities, ...(device !== undefined && { device }) };
    const { id } = await this.#ground.act('start', placement.name, () => startContainer(sidecar, placement));
    return this.#openIn(id, name);
  }

  async #openIn(containerId: string, name: string): Promise<Hand> {
    return new Hand(await openChannel(this.#ground.engine.docker, containerId, ['node', `/aftershock/${this.#spec.tools.hand.program}`]), name);
  }
}

function sidecarOf(node: string): string {
  return `hand-${node}`;
}

function networkSidecarOf(node: string): string {
  return `net-${node}`;
}

function wireSidecarOf(node: string): string {
  return `wire-${node}`;
}

function processSidecarOf(node: string): string {
  return `pid-${node}`;
}

/** Somebody else has removed it already. */
function unlessGone(thrown: unknown): void {
  if ((thrown as { statusCode?: number }).statusCode !== 404) throw thrown;
}
