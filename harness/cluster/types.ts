/**
 * A running cluster as faults and loads see it: nodes and links that can be disturbed and probed.
 */
import type { LinkName, NodeName } from '../core/names.ts';
import type { Toxic } from './toxiproxy.ts';

/** How one exchange with a node ended. `ms` counts from sending (or from dialling, on a new connection). */
export type Answer =
  | { readonly kind: 'answered'; readonly ms: number }
  /** Connected, and nothing came back within the patience of the probe. */
  | { readonly kind: 'silent'; readonly ms: number }
  | { readonly kind: 'refused'; readonly ms: number }
  /** Closed by the far end before an answer: in order (FIN), or by a reset. */
  | { readonly kind: 'closed'; readonly ms: number; readonly reset: boolean };

/** Asks a node, apart from the load, whether and how fast it answers. */
export interface Prober {
  /** One exchange on a connection that is kept between calls, or on a new one. */
  ask(connection: 'kept' | 'new', patienceMs: number): Promise<Answer>;
  close(): Promise<void>;
}

/** Something that was done, and the way back. */
export interface Disturbance {
  /** Takes it back. Calling it again does nothing more. */
  undo(): Promise<void>;
  /** Why it is not there any more; undefined while it is. Throws EnvironmentError when nobody can tell. */
  missing(): Promise<string | undefined>;
}

/**
 * Where packets pass that a port tells from all others: a node, at the port that it serves; or a link, at its near end, which is a port of Toxiproxy's that nobody else dials.
 */
export interface Passage {
  readonly name: string;
  /** To a node: straight to it, past every link. Over a link: from its near end to the node at its far end. */
  prober(): Promise<Prober>;
  /** Throws EnvironmentError for a node that serves nothing. */
  readonly port: number;
  /** On the run's network, now: it may differ after a start. */
  readonly address: string;
  /** A hand in the network namespace in which that port is, which may change it. Made at the first call, in some tenths of a second. */
  network(): Promise<NetworkHand>;
  /** The same in the namespace of a node that it is asked from: the link's near end, or a client. */
  peer(): Promise<Peer>;
}

export interface Link extends Passage {
  readonly name: LinkName;
  readonly from: NodeName;
  readonly to: NodeName;
  /** Adds a toxic on both new and existing connections. */
  poison(toxic: Toxic): Promise<Disturbance>;
  /** Refuses new connections and closes the existing ones. */
  cut(): Promise<Disturbance>;
}

/** What the engine says of a node's process. */
export interface NodeState {
  readonly running: boolean;
  readonly paused: boolean;
  /** Host-wide process id and start time: together they name one process for ever. 0 when not running. */
  readonly pid: number;
  readonly startedAt: string;
}

export interface Node extends Passage {
  readonly name: NodeName;
  readonly role: string;
  /** SIGKILL to its first process, by the engine. Taken back by starting it again, cold, under the same name; links find it again. */
  kill(): Promise<Disturbance>;
  /** Freezes all of its processes. */
  pause(): Promise<Disturbance>;
  state(): Promise<NodeState>;
}

/** Changes a network namespace, and counts in it. */
export interface NetworkHand {
  /** Carries out a script of nftables there, all of it or nothing. Throws EnvironmentError with nft's own words. */
  nft(script: string): Promise<void>;
  /** Packets that a named counter has counted; undefined when there is no such counter. Throws EnvironmentError when nobody knows. */
  counted(family: string, table: string, counter: string): Promise<number | undefined>;
  /** How many elements a set holds; undefined when there is no such set. Throws EnvironmentError when nobody knows. */
  elements(family: string, table: string, set: string): Promise<number | undefined>;
  /** Puts rules of nftables in force that end when we die. The answer takes them back; calling it again does nothing more. */
  lend(name: string, script: { readonly begin: string; readonly renew: string; readonly end: string }): Promise<() => Promise<void>>;
  /** Sends so many datagrams that bear this mark; resolves when the last is on its way. */
  send(datagrams: { readonly host: string; readonly port: number; readonly fromPort?: number; readonly mark: number; readonly count: number }): Promise<void>;
}

export interface Peer {
  readonly address: string;
  readonly hand: NetworkHand;
}

export interface Cluster {
  readonly nodes: readonly Node[];
  readonly links: readonly Link[];
  /** Throws InputError naming the known ones. */
  node(name: NodeName): Node;
  link(name: string): Link;
}
