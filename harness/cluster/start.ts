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
import { type Started, startContainer } from './container.ts';
import type { Engine } from './engine.ts';
import { Flooders } from './flooder.ts';
import { type ActionJournal, allEnded, Ground } from './ground.ts';
import { Hands, type OnReading } from './hands.ts';
import { RUN_LABEL } from './labels.ts';
import { LinkLease } from './link-lease.ts';
import { askerAt, NameService, thereAre } from './name-service.ts';
import { type ContainerNode, createNode } from './node.ts';
import { becomeReady } from './ready.ts';
import { Reaper } from './reaper.ts';
import { endedNode, keepRun, nodeLogs, removeRun } from './remains.ts';
import { clockOffsetMs, skew, skewingFiles, withSkewableClock } from './skewable.ts';
import { type ClusterSpec, type LinkSpec, type NodeSpec, type ProgramSpec, TOXIPROXY, TOXIPROXY_MEMORY_MIB } from './spec.ts';
import { LinkControl } from './toxiproxy.ts';
import type { Cluster, Link, Peer } from './types.ts';
import { Wardens } from './warden.ts';

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

export const TOXIPROXY_API_PORT = 8474;
/** What is asked of a port of which nobody knows what is spoken there. */
const CONNECTION = { send: '', expect: '' };

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

/** Containers that stand already: the links', and each node's by its name. */
export interface Standing {
  readonly toxiproxy: Started;
  readonly nodes: ReadonlyMap<string, Started>;
}

/** The steps of a start, in order, with what each leaves for the next. */
export class Starting {
  readonly #spec: ClusterSpec;
  readonly #ground: Ground;
  readonly #reaper: Reaper;
  readonly #addresses: Addresses;
  readonly #hands: Hands;
  readonly #flooders: Flooders;
  readonly #wardens: Wardens;
  readonly #nodes = new Map<string, ContainerNode>();
  #control!: LinkControl;
  #toxiproxyId = '';
  #clockFiles: ReturnType<typeof skewingFiles> | undefined;
  /** Absent where nobody asks for names. */
  #names: NameService | undefined;
  #isKept = false;

  constructor(spec: ClusterSpec, ground: Ground, reaper: Reaper, onReading: OnReading | undefined) {
    this.#spec = spec;
    this.#ground = ground;
    this.#reaper = reaper;
    this.#addresses = new Addresses(spec, (name) => this.#node(name).address);
    this.#flooders = new Flooders(ground, spec.tools.flooder);
    this.#wardens = new Wardens(ground, spec.tools);
    this.#hands = new Hands(spec, ground, (name) => (name === TOXIPROXY ? this.#toxiproxyId : this.#node(name).id), onReading);
  }

  async run(signal: AbortSignal): Promise<RunningCluster> {
    await this.#createNetwork();
    signal.throwIfAborted();
    await allEnded([this.#startNames(), this.#startToxiproxy()]);
    signal.throwIfAborted();
    await allEnded(this.#spec.nodes.map((node) => this.#startNode(node)));
    signal.throwIfAborted();
    await this.#openLinks();
    const ready = this.#openProgram(this.#spec.ready).then((program) => becomeReady(program, this.#ground, signal));
    await allEnded([ready, ...this.#spec.nodes.map((node) => this.#hands.watch(node))]);
    signal.throwIfAborted();
    return this.#running(await ready);
  }

  /** Instead of starting it, takes over a cluster that was left standing: its links are opened anew, without anything that is still on them. */
  async adopt({ toxiproxy, nodes }: Standing): Promise<RunningCluster> {
    this.#isKept = true;
    await this.#reach(toxiproxy);
    await this.#control.clear();
    this.#names = await NameService.adopt(this.#spec, this.#ground);
    for (const spec of this.#spec.nodes) this.#place(spec, nodes.get(spec.name) as Started);
    // One that has been started again may be elsewhere.
    await this.#names?.know(Object.fromEntries([...nodes].map(([name, { address }]) => [name, address])));
    await this.#openLinks();
    return this.#running(undefined);
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
    await this.#reach(await this.#ground.act('start', placement.name, () => startContainer(spec, placement)));
  }

  /** Before the nodes, whose containers are told of whom to ask. */
  async #startNames(): Promise<void> {
    this.#names = await NameService.start(this.#spec, this.#ground);
  }

  async #reach(started: Started): Promise<void> {
    this.#addresses.toxiproxy = started.address;
    this.#toxiproxyId = started.id;
    this.#control = new LinkControl(`http://${started.published}`, await LinkLease.open(this.#ground.engine.docker, started.id));
    await this.#control.answers();
  }

  async #startNode(spec: NodeSpec): Promise<void> {
    const placement = { ...this.#ground.placement(spec.name), ...(this.#names && { dns: this.#names.address }) };
    const texts = Object.fromEntries(Object.entries(spec.files ?? {}).map(([path, content]) => [path, this.#addresses.filled(content)]));
    const { files, environment } = await withSkewableClock(spec, texts, () => (this.#clockFiles ??= skewingFiles(this.#ground, this.#spec.tools.hand.image)));
    this.#place(spec, await this.#ground.act('start', placement.name, () => startContainer({ ...spec, files, environment }, placement)));
    await this.#names?.know({ [spec.name]: this.#node(spec.name).address });
  }

  #place(spec: NodeSpec, started: Started): void {
    const node = createNode(spec, started, {
      docker: this.#ground.engine.docker,
      act: (action, effect, detail) => this.#ground.act(action, this.#ground.name(spec.name), effect, detail),
      // A probe straight to a node is asked from another node's namespace: a node's own goes when the node goes.
      prober: async ({ from = this.#hands.vantage(spec.name), port = spec.port } = {}) => {
        if (!spec.probe || spec.port === undefined) throw new EnvironmentError(`node ${spec.name} has no probe, so faults on it cannot be proven`);
        return (await this.#hands.at(from)).prober(() => `${node.address}:${port}`, port === spec.port ? spec.probe : CONNECTION);
      },
      network: () => this.#hands.atNetwork(spec.name),
      wire: async () => this.#hands.atWire(spec.name),
      wardens: this.#wardens,
      processHand: () => this.#hands.atProcesses(spec.name),
      leaving: () => this.#hands.leaveProcesses(spec.name),
      peer: (from = this.#hands.vantage(spec.name)) => this.#peerAt(from),
      flooder: () => this.#flooders.towards(spec.name, () => ({ host: node.address, port: node.port }), spec.probe),
      connectionsFrom: async (address) => (await this.#hands.atNetwork(spec.name)).connectionsFrom(node.port, address),
      handBeside: () => this.#hands.beside(spec.name),
      misinform: (names, lie) => thereAre(this.#names).lie(spec.name, names, lie),
      skewClock: (id, offsetS) => skew(this.#ground, spec, id, offsetS),
      clockOffsetMs: async () => clockOffsetMs(await this.#hands.at(spec.role === 'client' ? spec.name : this.#hands.vantage(spec.name)), spec, node.address),
      asker: async () => askerAt(await this.#hands.at(spec.name), this.#spec),
      moved: async (addressChanged) => {
        await this.#names?.know({ [spec.name]: node.address });
        const inbound = addressChanged ? this.#spec.links.filter((link) => link.to === spec.name) : [];
        for (const link of inbound) await this.#control.retarget(nameOf(link), this.#addresses.far(link));
        await this.#hands.remake(spec);
      },
    });
    this.#nodes.set(spec.name, node);
  }

  async #openLinks(): Promise<void> {
    // Toxiproxy's answer to an order to open none is one that its client does not understand.
    if (this.#spec.links.length === 0) return;
    await this.#control.open(
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
        await this.#wardens.close();
        this.#names?.close();
        await this.#ground.act('remove', `everything of run ${runId}`, () => removeRun(engine, runId));
        await this.#reaper.dismiss();
      },
      leave: async () => {
        if (!this.#isKept) await keepRun(engine, runId, this.#spec);
        await this.#hands.close();
        await this.#wardens.close();
        this.#names?.close();
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
      wire: async () => this.#hands.atWire('toxiproxy'),
      peer: () => this.#peerAt(spec.from),
      flooder: () => this.#flooders.towards(name, () => ({ host: this.#addresses.toxiproxy, port: this.#addresses.port(spec) }), probe),
      connectionsFrom: async (address) => (await this.#hands.atNetwork(TOXIPROXY)).connectionsFrom(this.#addresses.port(spec), address),
      prober: async () => {
        if (!probe) throw new EnvironmentError(`node ${spec.to} has no probe, so faults on ${name} cannot be proven`);
        return (await this.#hands.at(spec.from)).prober(() => this.#addresses.near(spec), probe);
      },
    };
  }

  async #peerAt(name: string): Promise<Peer> {
    const hand = await this.#hands.atNetwork(name);
    return { address: name === TOXIPROXY ? this.#addresses.toxiproxy : this.#node(name).address, hand, flights: hand };
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
