/**
 * A cluster as data: which nodes there are, and over which links they talk. It is written by the typed
 * builders under `containers/`, saved with the plan, and started by `start.ts`. Nothing here knows what runs
 * inside a node.
 */
import type { NodeName } from '../core/names.ts';

/** A question that a node answers when it is well. One exchange is one probe. */
export interface ProbeSpec {
  /** Bytes to send, as text. Nothing, where a connection is all that is asked for. */
  readonly send: string;
  /** What the answer begins with. */
  readonly expect: string;
  /** What it ends with; the end of a line when it is left out. */
  readonly ends?: string;
  /** A question with an answer of about two kilobytes, which comes in one piece and contains what it ends with nowhere else. */
  readonly bulky?: { readonly send: string; readonly ends: string };
  /** What makes the node close the connection without a word. */
  readonly bye?: string;
}

/**
 * What a node's process takes of the machine, as far as its configuration tells it beforehand: for the plan's budget. Written by its
 * builder; a node without it counts one descriptor for each of its clients, and nothing onwards.
 */
export interface NodeNeeds {
  /** It takes no more connections than this at once. */
  readonly mostConnections?: number;
  /**
   * How it reaches the nodes that its links lead to. 'one for each': for each connection of a client it opens one onwards, to one of them. A
   * number: it holds so many to each of them, whoever asks.
   */
  readonly onwards?: 'one for each' | number;
  /** It takes the soft limit on descriptors as it is; most programs raise theirs to the hard one. */
  readonly keepsSoftLimit?: boolean;
  /** Processor time that a request takes in it, microseconds. */
  readonly cpuUs?: HopCost;
  /** What it keeps of what is stored in it, MiB: beyond that it drops the oldest. */
  readonly storesMiB?: number;
  /** It refuses what is longer with its key, bytes. */
  readonly longestItemBytes?: number;
}

/**
 * Processor time of one process for one request, microseconds. Up to 2,000/s every request wakes it up; when it is busy all the time it finds several
 * at once and pays for the waking only now and then.
 */
export interface HopCost {
  readonly quietUs: number;
  readonly busyUs: number;
}

/** What is said to a node, and a regular expression, as text, for what is looked for in its answers: `^` is the beginning of a line, the first group is what is meant. */
export interface Words {
  readonly send: string;
  readonly find: string;
}

/** How a cache is asked for what it holds, in its own words. In them `${key}` stands for a key, and `${bytes}` for its length; several may be said one behind the other. */
export interface ContentsSpec {
  /** Stores something small; found once for each key that was stored. */
  readonly store: Words;
  /** Found once for each key that is there. */
  readonly ask: Words;
  /** Found once for each key that is not there any more; and once, where all is gone. */
  readonly drop: Words;
  readonly flush: Words;
  /**
   * Finds each key that it holds; escaped as in a URL, where the node does so. `ends` is a pattern of the answer's last line, for a node that answers nothing else on this connection.
   */
  readonly list: Words & { readonly escaped?: boolean; readonly ends?: string };
  /** Find how many items it holds, and how often it was flushed. */
  readonly items: Words;
  readonly flushes: Words;
}

/** Where the configuration of a node is, and how its program is told of another. In arguments `${path}` stands for a file. */
export interface ConfigurationSpec {
  /** One of its `files`. */
  readonly path: string;
  /** A program in its container, with arguments, that ends with 0 when such a file can be used. */
  readonly check: readonly string[];
  /** The signal on which its first process reads the file again; without one it is started again. */
  readonly reload?: NodeJS.Signals;
  /** What the running process tells of it by itself, at another port: `until` is a pattern of its end, `find` finds names there, and `inFile` the same names in the file. */
  readonly shows?: Words & { readonly port: number; readonly until: string; readonly inFile: string };
}

/** How a node that serves only who logs in is given another password, and the right login, as it is said to it: `until` is a pattern of the answer's end, `find` finds something only when it was accepted. */
export interface LoginSpec {
  /** The file with the password, one of its `files`. */
  readonly path: string;
  /** A program in its container, with arguments, that makes what is in the file the password. */
  readonly apply: readonly string[];
  readonly right: Words & { readonly until: string };
}

export interface NodeSpec {
  readonly name: NodeName;
  /** What it is to the cluster: client, edge, proxy, cache. */
  readonly role: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Files to lay into the container before it starts, by absolute path. `${link:a -> b}` in a file
   * becomes the address (host:port) at which node a reaches node b.
   */
  readonly files?: Readonly<Record<string, string>>;
  /** Source folders of this project to lay under /aftershock, relative to its root. */
  readonly sources?: readonly string[];
  /** Where it listens; absent for clients. */
  readonly port?: number;
  readonly probe?: ProbeSpec;
  /** Of a cache: how its contents are spoken of. */
  readonly contents?: ContentsSpec;
  /** Of what reads a configuration that can be replaced. */
  readonly configuration?: ConfigurationSpec;
  /** Of what serves only who logs in. */
  readonly login?: LoginSpec;
  /** The most memory that it may use, MiB: a hard limit, and its share of the plan's budget. */
  readonly memoryMiB: number;
  /** Small filesystems in memory, by path, MiB each: their own, or for a fault that fills a disk. What is in them counts as memory of the node. */
  readonly tmpfs?: Readonly<Record<string, number>>;
  /** Read its sockets by state while the run lasts. */
  readonly watchSockets?: boolean;
  readonly needs?: NodeNeeds;
  /** How it tells what time it is by its own wall clock; a client is asked without. */
  readonly wallClock?: ClockSpec;
  /** Its processes are started so that their wall clocks can be put wrong. */
  readonly skewable?: boolean;
}

/** What is asked, and where its answer has the time. */
export interface ClockSpec {
  readonly port: number;
  readonly send: string;
  /** A pattern of what the answer ends with. */
  readonly until: string;
  /** A pattern whose first group is the time: in seconds since 1970, or as HTTP writes dates. */
  readonly find: string;
}

/** A hop between two nodes that goes through Toxiproxy, so that it can be disturbed. */
export interface LinkSpec {
  readonly from: NodeName;
  readonly to: NodeName;
  /** Port of `to` at the far end. */
  readonly port: number;
}

/** A program of ours inside a node: it reads lines of JSON on stdin and writes lines of JSON on stdout. */
export interface ProgramSpec {
  readonly node: NodeName;
  /** Path relative to the project's root; it stands at /aftershock/<path> in the container. */
  readonly program: string;
  /** Sent as its first line. `${link:a -> b}` (host:port) and `${host:a}` are filled in, in any string. */
  readonly settings: unknown;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What the harness needs to have beside the nodes, named by `containers/` so that harness need not know it. */
export interface ToolSpec {
  readonly toxiproxyImage: string;
  readonly hand: ToolProgram;
  /** An image in which the same hand also finds the program `wire`, for faults that packets are led through. */
  readonly wireImage?: string;
  /** Floods nodes with connections; without it, no fault can. */
  readonly flooder?: ToolProgram;
  readonly reaper: ToolProgram;
  /** Takes limits on nodes, and files that were laid into them, back when we die; without it, neither can be lent. */
  readonly warden?: ToolProgram;
  /** Answers for names; without it, no cluster can have any. */
  readonly resolver?: ToolProgram;
}

export interface ToolProgram {
  readonly image: string;
  /** As in `ProgramSpec`. */
  readonly program: string;
  readonly sources: readonly string[];
}

export interface ClusterSpec {
  /** In a few words: '4 memcached, 2 twemproxy, HAProxy'. */
  readonly title: string;
  readonly nodes: readonly NodeSpec[];
  readonly links: readonly LinkSpec[];
  /**
   * Hops that are no links: `from` dials `to` straight, at a name of which it asks the cluster's name service each time that it looks it up. `${link:a -> b}` becomes name and port.
   */
  readonly byName?: readonly LinkSpec[];
  /** Succeeds (exit 0) once the whole path answers; prints what it saw. */
  readonly ready: ProgramSpec;
  readonly tools: ToolSpec;
}

/** What the container of all links is called among the nodes. */
export const TOXIPROXY = 'toxiproxy';

/** Hard limits of what stands beside the nodes, MiB: Toxiproxy holds a few tens, and some kilobytes for each connection; a hand is one idle Node. */
export const TOXIPROXY_MEMORY_MIB = 512;
export const HAND_MEMORY_MIB = 128;
/** A hand, and packets that wait: 32 MiB, and what holds them. */
export const WIRE_MEMORY_MIB = 192;
