/**
 * Starts a cluster from its spec, and takes it down again.
 *
 * Order: the reaper, which cleans up if we die from here on; the network; Toxiproxy, because every configuration holds its address; all nodes at once; the links,
 * because they need the nodes' addresses; the hands; and then the ready program, which has one key of each shard answered
 * through every proxy.
 */
import { AftershockError, EnvironmentError, messageOf, unknownName } from '../core/errors.ts';
import { linkName } from '../core/names.ts';
import { Addresses } from './addresses.ts';
import { type Channel, openChannel } from './channel.ts';
import { startContainer } from './container.ts';
import type { Engine } from './engine.ts';
import { type ActionJournal, allEnded, Ground } from './ground.ts';
import { Hands, type OnReading } from './hands.ts';
import { RUN_LABEL } from './labels.ts';
import { LinkLease } from './link-lease.ts';
import { type ContainerNode, createNode } from './node.ts';
import { becomeReady } from './ready.ts';
import { Reaper } from './reaper.ts';
import { endedNode, keepRun, nodeLogs, removeRun } from './remains.ts';
import { type ClusterSpec, type LinkSpec, type NodeSpec, type ProgramSpec, TOXIPROXY_MEMORY_MIB } from './spec.ts';
import { LinkControl } from './toxiproxy.ts';
import type { Cluster, Link, Peer } from './types.ts';

export interface ClusterOptions {
  readonly engine: Engine;
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly journal: ActionJournal;
  readonly onReading?: OnReading;
}

export interface RunningCluster extends Cluster {
  /** What the ready program saw: which shards answered through which proxies. */
  readonly evidence: unknown;
  /** Starts a program in its node and sends it its settings. */
  openProgram(program: ProgramSpec): Promise<Channel>;
  /** The end of every node's output, by node. */
  logs(): Promise<Map<string, string>>;
  /** Removes everything of this run from the engine. Throws CleanUpError naming what stayed. */
  stop(): Promise<void>;
  /** Leaves everything standing: what is cleaned up when we die is not any more. */
  leave(): Promise<void>;
}

const TOXIPROXY_API_PORT = 8474;

/** Throws EnvironmentError in one line; nothing is left on the engine then. */
export async function startCluster(spec: ClusterSpec, options: ClusterOptions): Promise<RunningCluster> {
  const ground = new Ground(options.engine, options.runId, options.journal);
  let reaper: Reaper | undefined;
  try {
    reaper = await ground.act('start', ground.name('reaper'), () =>
      Reaper.start({ engine: options.engine, runId: options.runId, tool: spec.tools.reaper, label: `${RUN_LABEL}=${options.runId}` }),
    );
    options.signal.throwIfAborted();
    return await new Starting(spec, ground, reaper, options.onReading).run(options.signal);
  } catch (thrown) {
    // A node that ended by itself explains everything that followed, and its container is about to go. An engine that is gone cannot tell of one.
    const ended = options.signal.aborted ? undefined : await endedNode(ground.engine, ground.runId).catch(() => undefined);
    await removeRun(ground.engine, ground.runId);
    await reaper?.dismiss();
    if (ended !== undefined) throw new EnvironmentError(ended, { cause: thrown });
    if (thrown instanceof AftershockError) throw thrown;
    throw new EnvironmentError(`the cluster could not be started: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** The steps of a start, in order, with what each leaves for the next. */
class Starting {
  readonly #spec: ClusterSpec;
  readonly #ground: Ground;
  readonly #reaper: Reaper;
  readonly #addresses: Addresses;
  readonly #hands: Hands;
  readonly #nodes = new Map<string, ContainerNode>();
  #control!: LinkControl;
  #toxiproxyId = '';

  constructor(spec: ClusterSpec, ground: Ground, reaper: Reaper, onReading: OnReading | undefined) {
    this.#spec = spec;
    this.#ground = ground;
    this.#reaper = reaper;
    this.#addresses = new Addresses(spec, (name) => this.#node(name).address);
    this.#hands = new Hands(spec, ground, (name) => (name === 'toxiproxy' ? this.#toxiproxyId : this.#node(name).id), onReading);
  }

  async run(signal: AbortSignal): Promise<RunningCluster> {
    await this.#createNetwork();
    signal.throwIfAborted();
    await this.#startToxiproxy();
    signal.throwIfAborted();
    await allEnded(this.#spec.nodes.map((node) => this.#startNode(node)));
    signal.throwIfAborted();
    await this.#openLinks();
    const ready = this.#openProgram(this.#spec.ready).then((program) => becomeReady(program, this.#ground, signal));
    await allEnded([ready, ...this.#spec.nodes.map((node) => this.#hands.watch(node))]);
    signal.throwIfAborted();
    return this.#running(await ready);
  }

  async #createNetwork(): Promise<void> {
    const { engine, network, labels } = this.#ground;
    await this.#ground.act('create network', network, async () => {
      try {
        await engine.docker.createNetwork({ Name: network, Labels: labels });
      } catch (thrown) {
        throw new EnvironmentError(`the engine made no network: ${messageOf(thrown)}`, { cause: thrown });
      }
    });
  }

  async #startToxiproxy(): Promise<void> {
    // From inside a container that was given the engine's socket, the engine's loopback address is somebody else's: whoever runs us there says how the
    // engine's host is reached, in the variable that Testcontainers reads.
    const loopbackOnly = this.#ground.engine.local && !process.env['TESTCONTAINERS_HOST_OVERRIDE'];
    const placement = { ...this.#ground.placement('toxiproxy'), publish: { port: TOXIPROXY_API_PORT, loopbackOnly }, stdin: true };
    const spec = {
      name: 'toxiproxy',
      image: this.#spec.tools.toxiproxyImage,
      command: ['-host=0.0.0.0'],
      // At its default it writes a line for each connection, which costs more than the connection. On half the processors its scheduler wakes fewer
      // threads: 0.53 instead of 0.66 of a core at 2,000 requests/s over three hops on two processors.
      environment: { LOG_LEVEL: 'fatal', GOMAXPROCS: String(Math.max(1, Math.floor(this.#ground.engine.cpus / 2))) },
      memoryMiB: TOXIPROXY_MEMORY_MIB,
    };
    const started = await this.#ground.act('start', placement.name, () => startContainer(spec, placement));
    this.#addresses.toxiproxy = started.address;
    this.#toxiproxyId = started.id;
    this.#control = new LinkControl(`http://${started.published}`, await LinkLease.open(this.#ground.engine.docker, started.id));
    await this.#control.answers();
  }

  async #startNode(spec: NodeSpec): Promise<void> {
    const placement = this.#ground.placement(spec.name);
    const files = Object.fromEntries(Object.entries(spec.files ?? {}).map(([path, content]) => [path, this.#addresses.filled(content)]));
    const started = await this.#ground.act('start', placement.name, () => startContainer({ ...spec, files }, placement));
    const node = createNode(spec, started, {
      docker: this.#ground.engine.docker,
      act: (action, effect) => this.#ground.act(action, placement.name, effect),
      // A probe straight to a node is asked from another node's namespace: a node's own goes when the node goes.
      prober: async () => {
        if (!spec.probe || spec.port === undefined) throw new EnvironmentError(`node ${spec.name} has no probe, so faults on it cannot be proven`);
        return (await this.#hands.beside(spec.name)).prober(() => `${node.address}:${spec.port}`, spec.probe);
      },
      network: () => this.#hands.atNetwork(spec.name),
      peer: () => this.#peerAt(this.#hands.vantage(spec.name)),
      moved: async (addressChanged) => {
        const inbound = addressChanged ? this.#spec.links.filter((link) => link.to === spec.name) : [];
        for (const link of inbound) await this.#control.retarget(nameOf(link), this.#addresses.far(link));
        await this.#hands.remake(spec);
      },
    });
    this.#nodes.set(spec.name, node);
  }

  #openLinks(): Promise<void> {
    return this.#control.open(
      this.#spec.links.map((link) => ({ name: nameOf(link), listen: `0.0.0.0:${this.#addresses.port(link)}`, upstream: this.#addresses.far(link) })),
    );
  }

  async #openProgram({ node, program, settings, environment }: ProgramSpec): Promise<Channel> {
    const channel = await openChannel(this.#ground.engine.docker, this.#node(node).id, ['node', `/aftershock/${program}`], environment);
    channel.send(JSON.parse(this.#addresses.filled(JSON.stringify(settings))) as object);
    return channel;
  }

  #running(evidence: unknown): RunningCluster {
    const { engine, runId } = this.#ground;
    const links = this.#spec.links.map((link) => this.#link(link));
    const known = links.map((link) => link.name);
    return {
      nodes: [...this.#nodes.values()],
      links,
      evidence,
      node: (name) => this.#node(name),
      link: (name) => {
        const link = links.find((candidate) => candidate.name === name);
        if (!link) throw unknownName('link', name, known);
        return link;
      },
      openProgram: (program) => this.#openProgram(program),
      logs: () => nodeLogs(engine, runId),
      stop: async () => {
        await this.#hands.close();
        await this.#ground.act('remove', `everything of run ${runId}`, () => removeRun(engine, runId));
        await this.#reaper.dismiss();
      },
      leave: async () => {
        await keepRun(engine, runId);
        await this.#hands.close();
        await this.#reaper.dismiss();
      },
    };
  }

  #link(spec: LinkSpec): Link {
    const name = nameOf(spec);
    const probe = this.#spec.nodes.find((node) => node.name === spec.to)?.probe;
    return {
      name,
      from: spec.from,
      to: spec.to,
      poison: (toxic) => this.#ground.act(`add ${toxic.type}`, name, () => this.#control.poison(name, toxic)),
      cut: () => this.#ground.act('cut', name, () => this.#control.cut(name)),
      port: this.#addresses.port(spec),
      address: this.#addresses.toxiproxy,
      network: () => this.#hands.atNetwork('toxiproxy'),
      peer: () => this.#peerAt(spec.from),
      prober: async () => {
        if (!probe) throw new EnvironmentError(`node ${spec.to} has no probe, so faults on ${name} cannot be proven`);
        return (await this.#hands.at(spec.from)).prober(() => this.#addresses.near(spec), probe);
      },
    };
  }

  async #peerAt(name: string): Promise<Peer> {
    return { address: this.#node(name).address, hand: await this.#hands.atNetwork(name) };
  }

  #node(name: string): ContainerNode {
    const node = this.#nodes.get(name);
    if (!node) throw unknownName('node', name, [...this.#nodes.keys()]);
    return node;
  }
}

function nameOf(link: LinkSpec) {
  return linkName(link.from, link.to);
}
