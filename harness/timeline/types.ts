/**
 * What a run was seen to do: written by a run, read by everything else.
 *
 * All times are milliseconds since the load's time zero, on one monotonic clock. Two views of the same
 * requests stand side by side: **windows** are keyed by when a request was *due* and say how it
 * ended; **completions** are keyed by when it *ended* and say when answers came back.
 */
import type { Histogram } from './histogram.ts';

/** Length of a window, ms. At 2,000 requests/s a window holds 200; recovery is told to a tenth of a second. */
export const WINDOW_MS = 100;

/** Requests are told apart by what they did, whose key it was, and who asked. */
export interface Series {
  readonly operation: string;
  /** Name of the node that owns the key while all nodes are well, or `SEVERAL`. */
  readonly shard: string;
  readonly tenant: string;
}

/** The shard of requests whose keys lie on more than one node, or on none: such a request is never a healthy shard's. */
export const SEVERAL = '*';

/**
 * How a request failed, from the client's side.
 * - `timeout`: sent, and not answered within the client's timeout.
 * - `abandoned`: never sent, because no connection came free before its deadline.
 * - `refused`: the connection that it needed was refused.
 * - `unconnected`: the connection that it needed was not there within the client's timeout.
 * - `closed`: its connection was closed or reset before the answer.
 * - `server`: answered with an error of the server.
 * - `garbled`: answered with bytes that are no answer to it.
 * - `dropped`: never started, because the generator had nobody free to send it (k6's dropped iterations).
 */
export const ERROR_KINDS = ['timeout', 'abandoned', 'refused', 'unconnected', 'closed', 'server', 'garbled', 'dropped'] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/** Requests of one series that were due in one window. `due` = answered + all failed. */
export interface Window {
  /** Start of the window, ms. */
  readonly at: number;
  readonly series: Series;
  readonly due: number;
  /** Answered correctly, whenever. */
  readonly answered: number;
  /** Answered correctly within the deadline counted from due: goodput. */
  readonly good: number;
  /** Of the answered, those that found nothing (a miss is a correct answer). */
  readonly misses: number;
  readonly failed: Readonly<Partial<Record<ErrorKind, number>>>;
  /** Due to answered, microseconds. */
  readonly latency: Histogram;
  /** Due to given up, microseconds, of the failed: no percentile gets better by failing. */
  readonly gaveUp: Histogram;
}

/** Requests of one series that ended in one window. */
export interface Completion {
  readonly at: number;
  readonly series: Series;
  readonly answered: number;
  readonly failed: number;
  /** When the first and the last answer of this window came, ms; absent when none did. */
  readonly firstAnswerAt?: number;
  readonly lastAnswerAt?: number;
}

/** How well a load generator kept its own schedule in one window. */
export interface GeneratorWindow {
  readonly at: number;
  readonly load: string;
  readonly due: number;
  /** Requests that the generator looked at more than 10 ms after they were due. */
  readonly late: number;
  /** Schedule error, ms: due to looked at by the generator. */
  readonly p99LatenessMs: number;
  readonly maxLatenessMs: number;
  /** Longest time the generator's event loop stood, ms. */
  readonly maxLoopDelayMs: number;
  /** Connections that the generator holds open. */
  readonly connections: number;
  /** Connections that it opened in this window, over all. */
  readonly connects: number;
  /** Requests that it sent in this window, those that were sent again included: more than due is amplification by retries. */
  readonly sent: number;
  /** Processor time that the generator's own process used, as a share of one core of this window; absent where it is not known. */
  readonly cpuShare?: number;
  /** Share of this window in which its one thread ran or waited for a processor: at 1 it had no time left; absent where it is not known. */
  readonly busyShare?: number;
}

/** A number read at a node: sockets by state, and at one node of the cluster how busy the whole host is. */
export interface Gauge {
  readonly at: number;
  readonly node: string;
  /** Such as 'sockets.total', 'sockets.CLOSE_WAIT', 'host.idle', 'host.steal', 'host.runQueue', 'host.cpuPressure'. */
  readonly name: string;
  readonly value: number;
}

/** What a probe asked for and saw. */
export interface Proof {
  readonly holds: boolean;
  /** Such as '+1 s on each answer'. */
  readonly asked: string;
  /** Such as '+1.001 s (median of 3, baseline 0.31 ms)'. */
  readonly measured: string;
}

/** One moment in the life of a fault. */
export interface Mark {
  /** ms: when the action began (injecting, healing) or had taken effect (injected, changed to another magnitude, reapplied after it was lost, healed), or when it was seen to be lost. */
  readonly at: number;
  /** Which step of the scenario, from 0. */
  readonly step: number;
  readonly fault: string;
  readonly target: string;
  readonly event: 'injecting' | 'injected' | 'changed' | 'lost' | 'reapplied' | 'healing' | 'healed';
  /** Nodes that the fault stands between the load and: the shards that are not healthy. */
  readonly affects: readonly string[];
  /** With injected, changed, reapplied and healed: what a probe saw, and when it had seen it (ms). */
  readonly proof?: Proof;
  readonly provenAt?: number;
}

/** What a probe has to have seen. */
export const PROVEN_EVENTS: readonly Mark['event'][] = ['injected', 'changed', 'reapplied', 'healed'];

/** Something the run noticed that bears on whether it can be judged. */
export interface Finding {
  readonly at: number;
  /** `invalid` findings make the run invalid; notes are shown. */
  readonly severity: 'invalid' | 'note';
  readonly text: string;
}

export interface Timeline {
  /** The load offered requests from 0 to here, ms. */
  readonly durationMs: number;
  readonly windows: readonly Window[];
  readonly completions: readonly Completion[];
  readonly generator: readonly GeneratorWindow[];
  readonly gauges: readonly Gauge[];
  readonly marks: readonly Mark[];
  readonly findings: readonly Finding[];
  /** Why the run stopped before its time, in one line; absent when it ran to its end. */
  readonly aborted?: string;
}
