/**
 * Starts a cluster from its spec, and takes it down again.
 *
 * Order: the network; Toxiproxy, because every configuration holds its address; all nodes at once; the links,
 * because they need the nodes' addresses; the hands; and then the ready program, which has one key of each shard answered
 * through every proxy. Nothing is ready because a port is open.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentError, messageOf, unknownName } from '../core/errors.ts';
import { linkName } from '../core/names.ts';
import { type Channel, openChannel } from './channel.ts';
import { startContainer } from './container.ts';
import type { Engine } from './engine.ts';
import { Hand, type Reading } from './hand.ts';
import { NODE_LABEL, runLabels } from './labels.ts';
import { type ContainerNode, createNode } from './node.ts';
import { endedNode, nodeLogs, removeRun } from './remains.ts';
import type { ClusterSpec, LinkSpec, NodeSpec, ProgramSpec } from './spec.ts';
import { LinkControl } from './toxiproxy.ts';
import type { Cluster, Link } from './types.ts';

export interface ClusterOptions {
  readonly engine: Engine;
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Called before and after each side effect on the engine. */
  readonly journal: { intent(action: string, name: string): void; done(action: string, name: string, detail?: string): void };
  /** A socket reading at a watched node; `clockMs` is already on this process's monotonic clock. */
  readonly onReading?: (node: string, reading: Reading) => void;
}

/** A program of ours under way in a node. */
export interface RunningProgram {
  readonly channel: Channel;
}

export interface RunningCluster extends Cluster {
  /** What the ready program saw: which shards answered through which proxies. */
  readonly evidence: unknown;
  /** Starts a program in its node and sends it its settings. */
  openProgram(program: ProgramSpec): Promise<RunningProgram>;
  /** The end of every node's output, by node. */
  logs(): Promise<Map<string, string>>;
  /** Removes everything of this run from the engine. Throws CleanUpError naming what stayed. */
  stop(): Promise<void>;
}

const TOXIPROXY_API_PORT = 8474;
/** Links listen from here on inside Toxiproxy's container: out of the way of its API and of ephemeral ports (32768 and up). */
const FIRST_LINK_PORT = 20_001;
const TOXIPROXY_MEMORY_MIB = 512;
const HAND_MEMORY_MIB = 128;
const READING_EVERY_MS = 200;
const READY_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 500;

export async function startCluster(spec: ClusterSpec, options: ClusterOptions): Promise<RunningCluster> {
  const starting = new Starting(spec, options);
  try {
    return await starting.run();
  } catch (thrown) {
    // A node that ended by itself explains everything that followed, and its container is about to go.
    const ended = options.signal.aborted ? undefined : await endedNode(options.engine, options.runId);
    await removeRun(options.engine, options.runId);
    throw ended === undefined ? thrown : new EnvironmentError(ended, { cause: thrown });
  }
}

/** The steps of a start, in order, with what each leaves for the next. */
class Starting {
  readonly #spec: ClusterSpec;
  readonly #options: ClusterOptions;
  readonly #network: string;
  readonly #nodes = new Map<string, ContainerNode>();
  readonly #hands = new Map<string, Promise<Hand>>();
  #toxiproxyAddress = '';
  #control!: LinkControl;

  constructor(spec: ClusterSpec, options: ClusterOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#network = this.#name('network');
  }

  async run(): Promise<RunningCluster> {
    const { signal } = this.#options;
    await this.#act('create network', this.#network, () =>
      this.#options.engine.docker.createNetwork({ Name: this.#network, Labels: runLabels(this.#options.runId) }).catch((thrown: unknown) => {
        throw new EnvironmentError(`the engine made no network: ${messageOf(thrown)}`, { cause: thrown });
      }),
    );
    signal.throwIfAborted();
    await this.#startToxiproxy();
    signal.throwIfAborted();
    await Promise.all(this.#spec.nodes.map((node) => this.#startNode(node)));
    signal.throwIfAborted();
    await this.#control.open(
      this.#spec.links.map((link) => ({ name: linkName(link.from, link.to), listen: `0.0.0.0:${this.#linkPort(link)}`, upstream: this.#upstream(link) })),
    );
    const watched = this.#spec.nodes.filter((node) => node.watchSockets && this.#options.onReading);
    const [evidence] = await Promise.all([this.#becomeReady(), ...watched.map((node) => this.#watch(node))]);
    signal.throwIfAborted();
    return this.#running(evidence);
  }

  async #startToxiproxy(): Promise<void> {
    const started = await this.#act('start', this.#name('toxiproxy'), () =>
      startContainer(
        {
          name: 'toxiproxy',
          image: this.#spec.tools.toxiproxyImage,
          command: ['-host=0.0.0.0'],
          environment: { LOG_LEVEL: 'fatal' },
          memoryMiB: TOXIPROXY_MEMORY_MIB,
        },
        { ...this.#placement('toxiproxy'), publish: { port: TOXIPROXY_API_PORT, loopbackOnly: this.#options.engine.local } },
      ),
    );
    this.#toxiproxyAddress = started.address;
    this.#control = new LinkControl(`http://${started.published}`);
    await this.#control.answers();
  }

  async #startNode(spec: NodeSpec): Promise<void> {
    const files = Object.fromEntries(Object.entries(spec.files ?? {}).map(([path, content]) => [path, this.#filled(content)]));
    const started = await this.#act('start', this.#name(spec.name), () => startContainer({ ...spec, files }, this.#placement(spec.name)));
    const node = createNode(spec, started, {
      docker: this.#options.engine.docker,
      act: (action, effect) => this.#act(action, this.#name(spec.name), effect),
      // A probe straight to a node is asked from another node's namespace: a node's own goes when the node goes.
      prober: async () => {
        if (!spec.probe || spec.port === undefined) throw new EnvironmentError(`node ${spec.name} has no probe, so faults on it cannot be proven`);
        const hand = await this.#hand(this.#vantage(spec.name));
        return hand.prober(() => `${node.address}:${spec.port}`, spec.probe);
      },
      moved: async (addressChanged) => {
        const inbound = addressChanged ? this.#spec.links.filter((link) => link.to === spec.name) : [];
        for (const link of inbound) await this.#control.retarget(linkName(link.from, link.to), this.#upstream(link));
        await this.#remakeHand(spec);
      },
    });
    this.#nodes.set(spec.name, node);
  }

  /** A client, or else any node but the one asked about. */
  #vantage(asked: string): string {
    const others = this.#spec.nodes.filter((node) => node.name !== asked);
    const vantage = others.find((node) => node.role === 'client') ?? others[0];
    if (!vantage) throw new EnvironmentError(`node ${asked} is alone in its cluster: there is nowhere to ask it from`);
    return vantage.name;
  }

  /** The hand in a node's network namespace, made when first asked for: in a client's own container, beside any other node in a sidecar. */
  #hand(name: string): Promise<Hand> {
    let hand = this.#hands.get(name);
    if (!hand) {
      hand = this.#makeHand(name);
      this.#hands.set(name, hand);
    }
    return hand;
  }

  async #makeHand(name: string): Promise<Hand> {
    const { image, program, sources } = this.#spec.tools.hand;
    const node = this.#node(name);
    let containerId = node.id;
    if (node.role !== 'client') {
      const sidecar = { name: `hand-${name}`, image, command: ['sleep', 'infinity'], sources, memoryMiB: HAND_MEMORY_MIB };
      const started = await this.#act('start', this.#name(sidecar.name), () =>
        startContainer(sidecar, { ...this.#placement(sidecar.name), network: `container:${node.id}` }),
      );
      containerId = started.id;
    }
    return new Hand(await openChannel(this.#options.engine.docker, containerId, ['node', `/aftershock/${program}`]), name);
  }

  /** A sidecar stays in the namespace that its node has left: it is made anew beside a node that was started again. */
  async #remakeHand(spec: NodeSpec): Promise<void> {
    const before = this.#hands.get(spec.name);
    if (!before) return;
    this.#hands.delete(spec.name);
    (await before).close();
    await this.#options.engine.docker.getContainer(this.#name(`hand-${spec.name}`)).remove({ force: true });
    if (spec.watchSockets && this.#options.onReading) await this.#watch(spec);
  }

  async #watch(spec: NodeSpec): Promise<void> {
    const hand = await this.#hand(spec.name);
    const { offsetMs } = await hand.clockOffset();
    await hand.watch(spec.port ?? 0, READING_EVERY_MS, (reading) => this.#options.onReading?.(spec.name, { ...reading, clockMs: reading.clockMs - offsetMs }));
  }

  async #becomeReady(): Promise<unknown> {
    const { channel } = await this.#openProgram(this.#spec.ready);
    let said: Record<string, unknown> = {};
    channel.onMessage((message) => {
      said = message;
    });
    const limit = new Promise<'late'>((resolve) => setTimeout(resolve, READY_WITHIN_MS, 'late').unref());
    const end = await Promise.race([channel.ended, limit, this.#nodeEnds(channel.ended)]);
    if (end === 'late') throw new EnvironmentError(`the cluster was not ready within ${READY_WITHIN_MS / 1_000} s: ${String(said['why'] ?? 'no word why')}`);
    if (end.code !== 0) throw new EnvironmentError(`the cluster did not become ready: ${String(said['why'] ?? (end.stderr || 'no word why'))}`);
    return said['evidence'];
  }

  /** Throws when a node ends by itself, which readiness would only find out when its patience is over. */
  async #nodeEnds(meanwhile: Promise<unknown>): Promise<never> {
    let over = false;
    void meanwhile.then(() => {
      over = true;
    });
    for (;;) {
      await sleep(LOOK_EVERY_MS);
      const ended = over ? undefined : await endedNode(this.#options.engine, this.#options.runId);
      if (ended !== undefined) throw new EnvironmentError(ended);
      if (over) return new Promise(() => undefined);
    }
  }

  async #openProgram(program: ProgramSpec): Promise<RunningProgram> {
    const channel = await openChannel(this.#options.engine.docker, this.#node(program.node).id, ['node', `/aftershock/${program.program}`]);
    channel.send(JSON.parse(this.#filled(JSON.stringify(program.settings))) as object);
    return { channel };
  }

  #running(evidence: unknown): RunningCluster {
    const { engine, runId } = this.#options;
    const nodes = [...this.#nodes.values()];
    const links = this.#spec.links.map((link) => this.#link(link));
    return {
      nodes,
      links,
      evidence,
      node: (name) => this.#node(name),
      link: (name) => {
        const link = links.find((candidate) => candidate.name === name);
        if (!link)
          throw unknownName(
            'link',
            name,
            links.map((candidate) => candidate.name),
          );
        return link;
      },
      openProgram: (program) => this.#openProgram(program),
      logs: () => nodeLogs(engine, runId),
      stop: async () => {
        for (const hand of this.#hands.values()) (await hand.catch(() => undefined))?.close();
        await this.#act('remove', `everything of run ${runId}`, () => removeRun(engine, runId));
      },
    };
  }

  #link(spec: LinkSpec): Link {
    const name = linkName(spec.from, spec.to);
    const far = this.#spec.nodes.find((node) => node.name === spec.to);
    return {
      name,
      from: spec.from,
      to: spec.to,
      poison: (toxic) => this.#act(`add ${toxic.type}`, name, () => this.#control.poison(name, toxic)),
      cut: () => this.#act('cut', name, () => this.#control.cut(name)),
      prober: async () => {
        if (!far?.probe) throw new EnvironmentError(`node ${spec.to} has no probe, so faults on ${name} cannot be proven`);
        return (await this.#hand(spec.from)).prober(() => `${this.#toxiproxyAddress}:${this.#linkPort(spec)}`, far.probe);
      },
    };
  }

  /** Fills `${link:a -> b}` with the address at which a reaches b, and `${host:a}` with a's own address. */
  #filled(text: string): string {
    return text
      .replace(/\$\{link:([^}]+)\}/g, (_, name: string) => {
        const link = this.#spec.links.find((candidate) => linkName(candidate.from, candidate.to) === name);
        if (!link) throw new EnvironmentError(`a configuration speaks of link '${name}', which the cluster does not have`);
        return `${this.#toxiproxyAddress}:${this.#linkPort(link)}`;
      })
      .replace(/\$\{host:([^}]+)\}/g, (_, name: string) => this.#node(name).address);
  }

  #linkPort(link: LinkSpec): number {
    return FIRST_LINK_PORT + this.#spec.links.indexOf(link);
  }

  #upstream(link: LinkSpec): string {
    return `${this.#node(link.to).address}:${link.port}`;
  }

  #node(name: string): ContainerNode {
    const node = this.#nodes.get(name);
    if (!node) throw unknownName('node', name, [...this.#nodes.keys()]);
    return node;
  }

  #name(part: string): string {
    return `aftershock-${this.#options.runId}-${part}`;
  }

  #placement(node: string) {
    return { name: this.#name(node), labels: { ...runLabels(this.#options.runId), [NODE_LABEL]: node }, network: this.#network, alias: node };
  }

  async #act<T>(action: string, name: string, effect: () => Promise<T>): Promise<T> {
    this.#options.journal.intent(action, name);
    const result = await effect();
    this.#options.journal.done(action, name);
    return result;
  }
}
