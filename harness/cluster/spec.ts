/**
 * A cluster as data: which nodes there are, and over which links they talk. It is written by the typed
 * builders under `containers/`, saved with the plan, and started by `start.ts`. Nothing here knows what runs
 * inside a node.
 */
import type { NodeName } from '../core/names.ts';

/** A question that a node answers when it is well. One exchange is one probe. */
export interface ProbeSpec {
  /** Bytes to send, as text. */
  readonly send: string;
  /** What the answer begins with. */
  readonly expect: string;
  /** What it ends with; the end of a line when it is left out. */
  readonly ends?: string;
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
  /** The most memory that it may use, MiB: a hard limit, and its share of the plan's budget. */
  readonly memoryMiB: number;
  /** Read its sockets by state while the run lasts. */
  readonly watchSockets?: boolean;
  readonly needs?: NodeNeeds;
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
  readonly reaper: ToolProgram;
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
  /** Succeeds (exit 0) once the whole path answers; prints what it saw. */
  readonly ready: ProgramSpec;
  readonly tools: ToolSpec;
}

/** Hard limits of what stands beside the nodes, MiB: Toxiproxy holds a few tens, and some kilobytes for each connection; a hand is one idle Node. */
export const TOXIPROXY_MEMORY_MIB = 512;
export const HAND_MEMORY_MIB = 128;
