/**
 * A node of a running cluster, by its container. Signals and states go through the engine, never through this
 * machine's own process table: the engine may be elsewhere.
 */
import type Dockerode from 'dockerode';
import { EnvironmentError } from '../core/errors.ts';
import type { NodeName } from '../core/names.ts';
import { configurationNamed, configurationOf } from './configuration.ts';
import type { Started } from './container.ts';
import { contentsOf } from './contents.ts';
import type { Flooder } from './flooder.ts';
import type { Hand } from './hand.ts';
import { lifeOf } from './life.ts';
import { loginOf } from './login.ts';
import type { NameLie } from './names.ts';
import { resourcesOf } from './resources.ts';
import type { NodeSpec } from './spec.ts';
import type { Asker, ConnectionsSeen, Disturbance, NetworkHand, Node, Peer, Prober, Vantage } from './types.ts';
import type { Wardens } from './warden.ts';
import type { WireHand } from './wire.ts';

export interface ContainerNode extends Node {
  readonly id: string;
}

export interface NodeSurroundings {
  readonly docker: Dockerode;
  /** Journals an action on this node around its effect. */
  act<T>(action: string, effect: () => Promise<T>, detail?: string): Promise<T>;
  prober(vantage?: Vantage): Promise<Prober>;
  network(): Promise<NetworkHand>;
  wire(): Promise<WireHand>;
  peer(from?: NodeName): Promise<Peer>;
  flooder(): Promise<Flooder>;
  connectionsFrom(address: string): Promise<ConnectionsSeen>;
  /** In another node's namespace, from where this one can be asked. */
  handBeside(): Promise<Hand>;
  misinform(names: readonly NodeName[], lie: NameLie): Promise<Disturbance>;
  asker(): Promise<Asker>;
  skewClock(containerId: string, offsetS: number): Promise<Disturbance>;
  clockOffsetMs(): Promise<number>;
  readonly wardens: Wardens;
  processHand(): Promise<Hand>;
  /** Called before its first process ends on our word. */
  leaving(): Promise<void>;
  /** Called after a start: its network namespace is new, and its address may be. */
  moved(addressChanged: boolean): Promise<void>;
}

export function createNode(spec: NodeSpec, started: Started, surroundings: NodeSurroundings): ContainerNode {
  const container = surroundings.docker.getContainer(started.id);
  let address = started.address;
  const startedAgain = async () => {
    const { NetworkSettings } = await container.inspect();
    const before = address;
    address = Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? before;
    await surroundings.moved(address !== before);
  };
  const life = lifeOf({
    name: spec.name,
    container,
    act: surroundings.act,
    processHand: surroundings.processHand,
    leaving: surroundings.leaving,
    startedAgain,
  });
  const resources = resourcesOf({
    spec,
    docker: surroundings.docker,
    containerId: started.id,
    wardens: surroundings.wardens,
    act: surroundings.act,
    state: life.state,
    leaving: surroundings.leaving,
    startAgain: () =>
      surroundings.act('start again', async () => {
        await container.start();
        await startedAgain();
      }),
  });
  return {
    name: spec.name,
    role: spec.role,
    id: started.id,
    get address() {
      return address;
    },
    ...life,
    ...resources,
    prober: surroundings.prober,
    network: surroundings.network,
    wire: surroundings.wire,
    peer: surroundings.peer,
    flooder: surroundings.flooder,
    connectionsFrom: surroundings.connectionsFrom,
    configuration: () =>
      configurationOf({
        name: spec.name,
        spec: configurationNamed(spec.name, spec.configuration),
        container,
        life,
        address: () => address,
        hand: surroundings.handBeside,
        act: surroundings.act,
        wardens: surroundings.wardens,
      }),
    login: () => {
      const { name, login, port } = spec;
      if (!login || port === undefined) throw new EnvironmentError(`node ${name} has no login, so none can be wrong`);
      const { handBeside: hand, act, wardens } = surroundings;
      return loginOf({ name, spec: login, container, to: () => `${address}:${port}`, hand, act, wardens });
    },
    contents: () => {
      const { name, contents: words, probe, port } = spec;
      if (!words || !probe || port === undefined) throw new EnvironmentError(`node ${name} does not speak of what it holds, so nothing can be taken from it`);
      return contentsOf({ name, words, probe, to: () => `${address}:${port}`, hand: surroundings.handBeside, act: surroundings.act });
    },
    misinform: (names, lie) => surroundings.act('misinform', () => surroundings.misinform(names, lie)),
    asker: surroundings.asker,
    skewClock: (offsetS) => surroundings.act('skew clock', () => surroundings.skewClock(started.id, offsetS)),
    clockOffsetMs: surroundings.clockOffsetMs,
    get port() {
      if (spec.port === undefined) throw new EnvironmentError(`node ${spec.name} serves no port, so its packets cannot be told`);
      return spec.port;
    },
  };
}
