/** Who is told how a run gets on, while it does. */

/** Ten times a second: what ended since the last one. */
export interface Tick {
  readonly atMs: number;
  readonly due: number;
  readonly answered: number;
  readonly good: number;
  readonly failed: number;
  readonly p99Ms: number;
  readonly connections: number;
}

export interface Observer {
  /** A new stage of the run: 'starting 8 nodes'. */
  stage(text: string): void;
  tick(tick: Tick & { readonly load: string }): void;
  /** Which faults are in force; empty when none is. */
  faults(titles: readonly string[]): void;
  /** Something worth a line of its own. */
  note(text: string): void;
}
