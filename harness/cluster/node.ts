/**
 * A node of a running cluster, by its container. Signals and states go through the engine, never through this
 * machine's own process table: the engine may be elsewhere.
 */
import type Dockerode from 'dockerode';
import { EnvironmentError } from '../core/errors.ts';
import { once } from '../core/once.ts';
import type { Started } from './container.ts';
import type { NodeSpec } from './spec.ts';
import type { NetworkHand, Node, NodeState, Peer, Prober } from './types.ts';

export interface ContainerNode extends Node {
  readonly id: string;
}

export interface NodeSurroundings {
  readonly docker: Dockerode;
  /** Journals an action on this node around its effect. */
  act<T>(action: string, effect: () => Promise<T>): Promise<T>;
  prober(): Promise<Prober>;
  network(): Promise<NetworkHand>;
  peer(): Promise<Peer>;
  /** Called after a start: its network namespace is new, and its address may be. */
  moved(addressChanged: boolean): Promise<void>;
}

export function createNode(spec: NodeSpec, started: Started, surroundings: NodeSurroundings): ContainerNode {
  const container = surroundings.docker.getContainer(started.id);
  let address = started.address;
  const state = async (): Promise<NodeState> => {
    const { State } = await container.inspect();
    return { running: State.Running && !State.Dead, paused: State.Paused, pid: State.Pid, startedAt: State.StartedAt };
  };
  const start = () =>
    surroundings.act('start again', async () => {
      await container.start();
      const { NetworkSettings } = await container.inspect();
      const before = address;
      address = Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? before;
      await surroundings.moved(address !== before);
    });
  return {
    name: spec.name,
    role: spec.role,
    id: started.id,
    get address() {
      return address;
    },
    state,
    kill: async () => {
      await surroundings.act('kill', () => container.kill({ signal: 'SIGKILL' }));
      return { undo: once(start), missing: async () => ((await state()).running ? `${spec.name} runs again` : undefined) };
    },
    pause: async () => {
      await surroundings.act('pause', () => container.pause());
      const resume = () => surroundings.act('resume', () => container.unpause());
      return { undo: once(resume), missing: async () => ((await state()).paused ? undefined : `${spec.name} is not frozen any more`) };
    },
    prober: surroundings.prober,
    network: surroundings.network,
    peer: surroundings.peer,
    get port() {
      if (spec.port === undefined) throw new EnvironmentError(`node ${spec.name} serves no port, so its packets cannot be told`);
      return spec.port;
    },
  };
}
