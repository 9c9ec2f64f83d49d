/**
 * One way the world can go wrong, and the way back.
 *
 * A fault cannot be written without its proofs: `inject` answers with an `Injected` whose proofs say what
 * a probe saw, and a run whose proofs do not hold is invalid. Add a fault by adding a file beside this
 * one and naming it in `index.ts`.
 */
import type { z } from 'zod';
import type { Engine } from '../cluster/engine.ts';
import type { ClusterSpec } from '../cluster/spec.ts';
import type { Cluster } from '../cluster/types.ts';
import type { NodeName } from '../core/names.ts';
import type { Proof } from '../timeline/types.ts';

/**
 * What of a target a fault can change, and a proof can depend on. Two faults exclude each other on one target when one alters what the other's proof needs: it could then not be told which of them
 * was seen, or that one is over.
 */
export type Aspect =
  /** Whether new connections are made. */
  | 'connects'
  /** Whether what is asked is answered. */
  | 'answers'
  /** How long a small answer takes. */
  | 'timing'
  /** How fast a large one comes. */
  | 'throughput'
  /** How many packets arrive, and when. */
  | 'packets'
  /** Which process runs, and whether it does. */
  | 'process'
  | 'cpu'
  | 'memory'
  | 'descriptors'
  | 'disk'
  | 'clock'
  /** What names stand for. */
  | 'names'
  /** What a cache holds. */
  | 'contents'
  | 'configuration';

/** What a probe that asks and is answered depends on: 'answers as before'. */
export const ANSWERING: readonly Aspect[] = ['connects', 'answers', 'timing'];

/** What a fault acts on. */
export type Target =
  | { readonly kind: 'link'; readonly pattern: string }
  | {
      readonly kind: 'node';
      readonly pattern: string;
      /** Seen from inside of it, so that it need not answer a probe, as clients do not. */
      readonly unprobed?: true;
    };

/** A fault in force. Both proofs measure with probes of their own, apart from the load. */
export interface Injected {
  /** Waits until a probe has seen the fault bite; does not hold when it did not within `limitMs`, 10 s when left out. */
  prove(limitMs?: number): Promise<Proof>;
  /** Gives it another magnitude, without a moment of being healed; `to` is another fault of the same kind on the same target. `prove` then measures that. */
  change?(to: { readonly kind: string }): Promise<void>;
  /** Takes the fault back. Calling it again does nothing. */
  heal(): Promise<void>;
  /** Why it is not in force any more: a target that was started again has a new namespace, without our rules. Undefined while it is; throws when nobody can tell. */
  missing(): Promise<string | undefined>;
  /** Waits until a probe has seen the fault gone; does not hold when it stayed for `limitMs`. */
  proveHealed(limitMs?: number): Promise<Proof>;
}

/** A fault ready to be injected: its probes stand, and know what is normal. */
export interface Prepared {
  inject(): Promise<Injected>;
  /** Closes the probes. */
  close(): Promise<void>;
}

/** One kind of fault: how it is written down, what it acts on, and how it is done. F is its data, as saved in the plan. */
export interface FaultKind<F extends { readonly kind: string }> {
  readonly kind: F['kind'];
  /** What it does, in a line, for lists. */
  readonly summary: string;
  readonly schema: z.ZodType<F>;
  target(fault: F): Target;
  /** 'latency 1s on proxy-* -> mc-3', for people. */
  describe(fault: F): string;
  /** What it changes of its target, and what has to be as before for its proofs to hold. */
  readonly alters: readonly Aspect[];
  readonly needs: readonly Aspect[];
  /** One of its kind, for its page. */
  readonly example: F;
  /** Its magnitude can be changed while it is in force: what it injects has `change`. */
  readonly ramps?: boolean;
  /** How long its proof takes, ms: it has to last longer than that. */
  provingMs(fault: F): number;
  /** Why it cannot be done with this engine or on its kernel, in a few words; undefined where it can. Asked before any container of a cluster starts. */
  lacks?(engine: Engine): Promise<string | undefined>;
  /** The same of this very fault, where others of its kind can be done: by the images of its cluster, or by one of its fields. */
  lacksFor?(fault: F, engine: Engine, tools: ClusterSpec['tools']): Promise<string | undefined>;
  /** Why it cannot be done to a cluster of this kind, in a few words that say what can; undefined where it can. Asked when a plan is made. */
  misfit?(fault: F, cluster: ClusterSpec): string | undefined;
  /** Makes what takes long to make, before the load begins: sidecars. Throws EnvironmentError for what cannot be done here. */
  ready?(fault: F, cluster: Cluster): Promise<void>;
  /** Opens the probes and measures what is normal, before the fault. */
  prepare(fault: F, cluster: Cluster): Promise<Prepared>;
  /** The nodes that the load cannot reach well while it lasts. */
  affects(fault: F, cluster: { nodes: readonly { name: NodeName }[]; links: readonly { from: NodeName; to: NodeName }[] }): NodeName[];
}
