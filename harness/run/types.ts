/**
 * The nouns of a run: the scenario that a person writes, the plan that is made of it, the report that comes out.
 */
import type { ClusterSpec, ProgramSpec } from '../cluster/spec.ts';
import type { ExitCode } from '../core/errors.ts';
import type { Duration } from '../core/units.ts';
import type { Fault } from '../faults/index.ts';
import type { Objective } from '../slo/index.ts';
import type { Verdict } from '../slo/types.ts';
import type { Gauge, Mark } from '../timeline/types.ts';
import type { Condition } from './conditions.ts';

/** Traffic: a program in a client node that offers requests open loop. Built by `containers/client`. */
export interface LoadSpec {
  readonly name: string;
  readonly node: string;
  /** For people: '2000/s over 50 connections, 90% get'. */
  readonly title: string;
  readonly program: ProgramSpec;
  /** For the plan's budgets: requests a second at the peak, and the most connections at once, over all of its processes. */
  readonly ratePerSecond: number;
  readonly connections: number;
  /** From here on nothing falls due, ms; left out where the schedule goes on to the end of the run. */
  readonly endsMs?: number;
  /** The most requests in any minute, where the peak does not last. Default: 60 times the peak. */
  readonly requestsPerMinute?: number;
  /** Connections that it opens a second at the peak, where it opens and closes them all the time. */
  readonly connectsPerSecond?: number;
  /** The most of them in any minute, where the peak does not last: by these ports are counted, which stay taken for a minute. Default: 60 times as many. */
  readonly connectsPerMinute?: number;
  /** It forgets connections instead of closing them: those that it opens anew stay open to the end. */
  readonly leaks?: boolean;
  /** What each of its processes holds beside itself and its connections, MiB: the names of its keys above all. */
  readonly memoryMiB?: number;
  /** What it stores, names and all, over all of its shards, MiB. */
  readonly storesMiB?: number;
  /** The longest value that it stores, with its key, bytes. */
  readonly longestItemBytes?: number;
  /** Series that each of its processes records: what its results on disk are counted by. Default: two operations on each shard. */
  readonly series?: number;
  /** Several requests travel together on a connection, so that none costs what one by itself does: the plan says so and refuses no sum of processor time. */
  readonly pipelined?: boolean;
  /** A request that fails is tried again up to so many times, by no budget: in no sum, since nobody knows what will fail. */
  readonly mostRetries?: number;
  /** A thread of its own wakes it for each request. */
  readonly exactPacing?: boolean;
  /** It asks no faster than it is answered: its rates above are the most that they could come to, and nothing that the engine must have room for. */
  readonly closedLoop?: boolean;
  /** Programs that share it, 1 when left out. Each is told its part, from 0, as `part: { index, of }` in its settings; rate, connections and keys are divided by it. */
  readonly processes?: number;
  /** The longest that its programs take to connect and to store their keys before they give up, ms. Default 10,000. */
  readonly prepareMs?: number;
  /** The longest that one request can stay open, ms: deadline for a connection plus the client's timeout. */
  readonly longestRequestMs: number;
  /** The shards that its keys fall on: node names. */
  readonly shards: readonly string[];
}

/** One event of the scenario. */
export interface Step {
  /** When, from the start of the load. Either this or `when`. */
  readonly at?: Duration;
  /** As soon as this is seen on the running timeline. */
  readonly when?: Condition;
  /** With `when`: until then it has to have been seen, or the run is invalid, since the fault never was. */
  readonly by?: Duration;
  /** For how long. */
  readonly for: Duration;
  /** Shifts `at` by up to this much either way, drawn from the seed. */
  readonly jitter?: Duration;
  readonly fault: Fault;
  /** Its targets in turn, each so much later than the one before. */
  readonly stagger?: Duration;
  /** So many times in all, each beginning so much later than the one before. */
  readonly repeat?: { readonly times: number; readonly every: Duration };
  /** Its magnitude over time: from that of `fault` to that of another of its kind, in so many equal steps over `for`, each of them proven. */
  readonly ramp?: { readonly to: Fault; readonly steps: number };
  /** What becomes of a fault that was lost before its time. Left out, the run is invalid. */
  readonly ifLost?: 'reapply';
}

export interface Variant {
  /** In a few words, for the tables. */
  readonly title: string;
  /** The one that was reported: symptoms must show. */
  readonly reported?: boolean;
  readonly cluster: ClusterSpec;
  /** In place of the scenario's load. */
  readonly load?: readonly LoadSpec[];
  /** In place of the scenario's steps. */
  readonly steps?: readonly Step[];
  /** Promises that this variant is expected to miss; it must meet all others. */
  readonly misses?: readonly string[];
}

/** One incident or drill, told as data: what ran, who called, what broke, what was reported, what is promised. */
export interface Scenario {
  readonly id: string;
  /** One sentence. */
  readonly story: string;
  /** The public account of it, for incidents. */
  readonly source?: string;
  /** What was scaled down, and why the mechanism survives it. */
  readonly scale?: string;
  /** How long the load lasts. */
  readonly duration: Duration;
  readonly load: readonly LoadSpec[];
  readonly steps: readonly Step[];
  readonly symptoms?: Readonly<Record<string, Objective>>;
  readonly slos: Readonly<Record<string, Objective>>;
  readonly variants: Readonly<Record<string, Variant>>;
  /** One sentence over several variants' figures: '{eject.goodput}' becomes what eject measured for goodput. */
  readonly moral?: string;
}

/** One step with its moments fixed, ms from the start of the load. */
export interface PlannedStep {
  readonly atMs: number;
  readonly untilMs: number;
  readonly fault: Fault;
  /** For people: 'latency 1s on proxy-* -> mc-3'. */
  readonly title: string;
  /** Names of the links or nodes that it acts on. */
  readonly targets: readonly string[];
  readonly affects: readonly string[];
  /** It waits for this, from `atMs` on and for `byMs` at the latest, and then lasts for `forMs`: `untilMs` is the latest moment of its end. */
  readonly trigger?: { readonly condition: Condition; readonly title: string; readonly byMs: number; readonly forMs: number };
  /** What it becomes later, in order. */
  readonly stages?: readonly { readonly atMs: number; readonly fault: Fault; readonly title: string }[];
  readonly reapply?: boolean;
}

/** An objective and what this variant is expected to do with it. */
export interface Expectation {
  readonly name: string;
  readonly role: 'promise' | 'symptom';
  readonly objective: Objective;
  readonly expected: 'met' | 'missed';
}

/** Everything that decides a run, saved before it starts. The same scenario, variant and seed give the same plan. */
export interface Plan {
  readonly format: 1;
  readonly scenario: string;
  /** The file that it was loaded from, as it was named, where that was not by id. */
  readonly file?: string;
  readonly variant: string;
  readonly title: string;
  readonly story: string;
  readonly source?: string;
  readonly scale?: string;
  readonly reported: boolean;
  readonly seed: number;
  readonly tags: readonly string[];
  readonly durationMs: number;
  readonly cluster: ClusterSpec;
  readonly load: readonly LoadSpec[];
  readonly steps: readonly PlannedStep[];
  readonly expectations: readonly Expectation[];
  readonly moral?: string;
}

export interface JudgedExpectation extends Expectation {
  readonly verdict: Verdict;
  readonly asExpected: boolean;
}

/**
 * - `as expected`: every promise and symptom came out as the variant says.
 * - `not as expected`: at least one did not.
 * - `invalid`: the run cannot be judged.
 * - `aborted`: somebody stopped it.
 */
export type Outcome = 'as expected' | 'not as expected' | 'invalid' | 'aborted';

export interface Report {
  readonly format: 1;
  readonly scenario: string;
  readonly file?: string;
  readonly variant: string;
  readonly title: string;
  readonly story: string;
  readonly source?: string;
  readonly seed: number;
  readonly tags: readonly string[];
  readonly outcome: Outcome;
  readonly exitCode: ExitCode;
  /** The outcome in one sentence. */
  readonly headline: string;
  /** Why the run is invalid or was aborted, a line each. */
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  readonly results: readonly JudgedExpectation[];
  readonly marks: readonly Mark[];
  /** Totals, for the head of the report. */
  readonly totals: {
    readonly durationMs: number;
    readonly due: number;
    readonly answered: number;
    readonly good: number;
    readonly failed: Readonly<Record<string, number>>;
    readonly misses: number;
  };
  /** How well the generator kept its schedule over the run. */
  readonly generator: { readonly late: number; readonly p99LatenessMs: number; readonly maxLatenessMs: number; readonly maxLoopDelayMs: number };
}

export type { Gauge };
