/**
 * A running cluster as faults and loads see it: nodes and links that can be disturbed and probed.
 */
import type { LinkName, NodeName } from '../core/names.ts';
import type { Flooder } from './flooder.ts';
import type { NameLie, Resolved } from './names.ts';
import type { Resources } from './resources.ts';
import type { Toxic } from './toxiproxy.ts';
import type { Flights, WireHand } from './wire.ts';

/** How one exchange with a node ended. `ms` counts from sending (or from dialling, on a new connection). */
export type Answer =
  | { readonly kind: 'answered'; readonly ms: number }
  /** Connected, and nothing came back within the patience of the probe. */
  | { readonly kind: 'silent'; readonly ms: number }
  /** `code` is the system's word for it: ECONNREFUSED, or EHOSTUNREACH where a router (or a rule) said that there is no way. */
  | { readonly kind: 'refused'; readonly ms: number; readonly code?: string }
  /** Closed by the far end before an answer: in order (FIN), or by a reset. */
  | { readonly kind: 'closed'; readonly ms: number; readonly reset: boolean };

/** Asks a node, apart from the load, whether and how fast it answers. */
export interface Prober {
  /** One exchange on a connection that is kept between calls, or on a new one. */
  ask(connection: 'kept' | 'new', patienceMs: number): Promise<Answer>;
  /** Opens connections over which nothing is said. Those that were made stay until `hangUp` when they are held; otherwise each ends at once. */
  dial(calls: Calls): Promise<Dialled>;
  hangUp(): Promise<void>;
  close(): Promise<void>;
}

export interface Calls {
  readonly count: number;
  /** The first so many at once, and then so many a second. */
  readonly atOnce: number;
  readonly perSecond: number;
  readonly patienceMs: number;
  readonly held: boolean;
}

/** How those that were dialled ended: made, refused (or reset), or without a word within the patience. */
export interface Dialled {
  readonly made: number;
  readonly refused: number;
  readonly silent: number;
}

/** From where a node is looked at, and at which port, where these are not the usual ones. */
export interface Vantage {
  /** A node, or TOXIPROXY: whatever comes over a link comes from there. A client, or else any other node, when left out. */
  readonly from?: NodeName;
  /** Not the port that it serves. Nobody knows what is spoken there, so that a connection is an answer. */
  readonly port?: number;
}

/** Asks over a link, and sees how bytes and closes come through. */
export interface LinkProber extends Prober {
  /** So many exchanges, on so many connections at once, which are kept or new for each. */
  askRow(connection: 'kept' | 'new', row: { readonly count: number; readonly lanes: number; readonly patienceMs: number }): Promise<Answer[]>;
  /** Asks for much: so many long answers (or short ones, where the far end has no others), no more than `window` questions unanswered, 128 when left out. */
  draw(connection: 'kept' | 'new', draw: { readonly count: number; readonly window?: number; readonly patienceMs: number }): Promise<Drawn>;
  /** Has a connection ended: by the far end at a word that it does not answer, or by us where it knows none. `ms` counts from the word to the end. */
  part(connection: 'kept' | 'new', patienceMs: number): Promise<Answer>;
  /** Whether it is the far end that ends a connection then. */
  readonly partsByWord: boolean;
  /** One answer of those that are drawn comes in one piece from the far end. */
  readonly drawsWhole: boolean;
}

/** What came of a draw. */
export interface Drawn {
  /** 'answered' when all came. */
  readonly kind: Answer['kind'];
  readonly ms: number;
  readonly bytes: number;
  /** In how many pieces the bytes came. */
  readonly pieces: number;
}

/** Something that was done, and the way back. */
export interface Disturbance {
  /** Makes another dose of it, without a moment without it; absent where it has no doses. Throws EnvironmentError. */
  change?(to: Toxic): Promise<void>;
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
  /** The same, which may put devices there and has the program that packets can be led through. It has a sidecar of its own. */
  wire(): Promise<WireHand>;
  /** The same in the namespace of a node that it is asked from: the link's near end, or a client. */
  peer(): Promise<Peer>;
  /** Somebody with an address of his own who can flood it with connections. His container is made at the first call, in some tenths of a second. */
  flooder(): Promise<Flooder>;
  /** Connections from an address to that port, as the kernel has them where the port is. */
  connectionsFrom(address: string): Promise<ConnectionsSeen>;
}

/** Sockets of a port that lead to one far address, by the kernel's own table. */
export interface ConnectionsSeen {
  /** Those that are not over: neither in TIME_WAIT nor still in their handshake. */
  readonly standing: number;
  /** Of these, whose far end has closed its half (CLOSE_WAIT). */
  readonly halfClosed: number;
  /** Of these, with bytes that the far end has not taken. */
  readonly unread: number;
}

export interface Link extends Passage {
  readonly name: LinkName;
  readonly from: NodeName;
  readonly to: NodeName;
  prober(): Promise<LinkProber>;
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
  /** Of the last process, once it has ended: 137 for SIGKILL. */
  readonly exitCode: number;
  /** It does not run, and was ended by the kernel for want of memory. */
  readonly outOfMemory: boolean;
}

/** A process as the kernel tells of it inside its node's namespace. */
export interface Process {
  /** In that namespace. Together with the start time it names one process for ever. */
  readonly pid: number;
  readonly parent: number;
  /** Clock ticks (hundredths of a second) from boot. */
  readonly startTicks: number;
  /** The letter of proc(5): 'R', 'S', 'T' for stopped by a signal, 'Z' for ended and not yet waited for. */
  readonly state: string;
  /** The first 15 characters of its program's name. */
  readonly name: string;
  /** Its arguments, the program first. */
  readonly command: readonly string[];
}

/** What a cache holds, apart from the load. Each throws EnvironmentError when it was not answered. */
export interface Contents {
  /** Stores something small under each. */
  store(keys: readonly string[]): Promise<void>;
  /** How many of these are there. */
  count(keys: readonly string[]): Promise<number>;
  /** All keys that it holds. */
  list(): Promise<string[]>;
  /** By its own counters: items, and how often it was flushed. */
  counters(): Promise<{ readonly items: number; readonly flushes: number }>;
  /** Nobody takes back that these are gone. */
  drop(keys: readonly string[]): Promise<Disturbance>;
  /** Everything at once. */
  flush(): Promise<Disturbance>;
}

/** The configuration of a node, as a file in its container and as its process has it. */
export interface Configuration {
  /** The process takes another file without a new start. */
  readonly isReloadable: boolean;
  /** The file as it is now. */
  read(): Promise<string>;
  /** Why its program does not take such a file, in its own words; undefined when it does. */
  refuses(text: string): Promise<string | undefined>;
  /** Names that the running process tells, and the same names in such a file, both sorted; undefined for one that tells none. */
  shown(): Promise<readonly string[] | undefined>;
  namedIn(text: string): readonly string[] | undefined;
  /** Puts another file in its place, and has the process take it; or, where it does not take it, starts it with that and sees it end. Taken back by the former file, in the same way. */
  push(text: string, options: { readonly comesUp: boolean }): Promise<Disturbance>;
}

/** The login of a node that serves only who logs in. */
export interface Login {
  /** Whether the login that its builder made is accepted, on a new connection. */
  accepts(): Promise<boolean>;
  /** Another password; taken back by the former one. */
  change(password: string): Promise<Disturbance>;
}

export interface Node extends Passage, Resources {
  readonly name: NodeName;
  readonly role: string;
  /** Throws EnvironmentError for a node that is no cache, or does not speak of what it holds. */
  contents(): Contents;
  /** Throws EnvironmentError for a node whose builder names none. */
  configuration(): Configuration;
  login(): Login;
  prober(vantage?: Vantage): Promise<Prober>;
  /** `from` as in `Vantage`. */
  peer(from?: NodeName): Promise<Peer>;
  /**
   * A signal, SIGKILL when left out, to its first process, by the engine. Taken back by starting it again, cold, under the same name; links find it again. With `process` to those under
   * the first that fit it (see `processes`), from inside: whoever started them starts them again, and nothing is left to take back. Throws InvalidRunError when none fits.
   */
  kill(how?: { readonly signal?: NodeJS.Signals; readonly process?: string }): Promise<Disturbance>;
  /** SIGTERM to its first process, and SIGKILL once the grace is over; does not wait for it. Taken back as a kill is. */
  stop(graceMs: number): Promise<Disturbance>;
  /** The same, waited for, and started again at once: nothing is left to take back. */
  restart(graceMs: number): Promise<Disturbance>;
  /** Freezes all of its processes. */
  pause(): Promise<Disturbance>;
  /** SIGSTOP to its first process alone, or to those under it that fit `process`. Taken back by SIGCONT, which a sidecar sends when we die. */
  suspend(which?: { readonly process?: string }): Promise<Disturbance>;
  /**
   * Its first process; or with a pattern those under it that fit by name ('memcached', 'memc*') or by command line ('*-p 11212*'), none being an answer. Read by a sidecar in their namespace,
   * made at the first call in some tenths of a second.
   */
  processes(pattern?: string): Promise<readonly Process[]>;
  state(): Promise<NodeState>;
  /** From now on its programs are told this of other nodes when they ask for their names. Throws EnvironmentError in a cluster without names. */
  misinform(names: readonly NodeName[], lie: NameLie): Promise<Disturbance>;
  /** Puts the wall clocks of its processes wrong by so many seconds, within a second. Throws EnvironmentError for a node that is not skewable. */
  skewClock(offsetS: number): Promise<Disturbance>;
  /** How far its wall clock is ahead of ours, ms, as it tells itself; it may know whole seconds alone. Throws EnvironmentError for a node that does not tell. */
  clockOffsetMs(): Promise<number>;
  /** Asks for names as its programs do. */
  asker(): Promise<Asker>;
}

/** Asks for names in a node's place: with its address, of whom its programs ask. */
export interface Asker {
  /** One question, once. */
  resolve(name: NodeName, patienceMs: number): Promise<Resolved>;
  /** What a node that it was told to be at this address answers, over a new connection. Throws EnvironmentError for a node without a probe. */
  ask(name: NodeName, address: string, patienceMs: number): Promise<Answer>;
}

/** Changes a network namespace, and counts in it. */
export interface NetworkHand {
  /** Carries out a script of nftables there, all of it or nothing. Throws EnvironmentError with nft's own words. */
  nft(script: string): Promise<void>;
  /** Packets that a named counter has counted; undefined when there is no such counter. Throws EnvironmentError when nobody knows. */
  counted(family: string, table: string, counter: string): Promise<number | undefined>;
  /** Puts a table of the family inet there by such a script, to count in. It ends when we die. The answer removes it; calling it again, or when it is gone already, does nothing. */
  count(table: string, script: string): Promise<() => Promise<void>>;
  /** A table's sets, chains and rules, without what they have counted and what sets hold; undefined when there is no such table. Throws EnvironmentError when nobody knows. */
  rules(family: string, table: string): Promise<string | undefined>;
  /** How many elements a set holds; undefined when there is no such set. Throws EnvironmentError when nobody knows. */
  elements(family: string, table: string, set: string): Promise<number | undefined>;
  /** The far ends (address:port) of the sockets at a local port, but those that only wait for late packets. */
  farEnds(port: number): Promise<string[]>;
  /** Puts rules of nftables in force that end when we die. The answer takes them back; calling it again does nothing more. */
  lend(name: string, script: { readonly begin: string; readonly renew: string; readonly end: string }): Promise<() => Promise<void>>;
  /** Sends so many datagrams that bear this mark; resolves when the last is on its way. */
  send(datagrams: { readonly host: string; readonly port: number; readonly fromPort?: number; readonly mark: number; readonly count: number }): Promise<void>;
}

export interface Peer {
  readonly address: string;
  readonly hand: NetworkHand;
  readonly flights: Flights;
}

export interface Cluster {
  readonly nodes: readonly Node[];
  readonly links: readonly Link[];
  /** Throws InputError naming the known ones. */
  node(name: NodeName): Node;
  link(name: string): Link;
}
