/** What is known of a run while it goes on: the newest reading of each gauge, and what ended in the last minute, a tenth of a second at a time. */
import type { Tick } from './observer.ts';

/** What ended of one load in a tenth of a second. */
export type Slice = Pick<Tick, 'atMs' | 'answered' | 'failed' | 'p99Ms'> & { readonly load: string };

/** Nothing asks for more than the last minute. */
const KEPT_MS = 61_000;
/** A gauge is read five times a second; one that was not for two seconds is of a node that is gone. */
const GAUGE_FRESH_MS = 2_000;

export class Running {
  readonly #slices: Slice[] = [];
  readonly #gauges = new Map<string, { node: string; name: string; atMs: number; value: number }>();
  readonly #listeners = new Set<() => void>();
  #nowMs = 0;

  tick({ load, atMs, answered, failed, p99Ms }: Slice): void {
    this.#slices.push({ load, atMs, answered, failed, ...(p99Ms === undefined ? {} : { p99Ms }) });
    this.#advance(atMs);
    while ((this.#slices[0]?.atMs ?? this.#nowMs) < this.#nowMs - KEPT_MS) this.#slices.shift();
  }

  read(node: string, atMs: number, gauges: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(gauges)) this.#gauges.set(`${node} ${name}`, { node, name, atMs, value });
    this.#advance(atMs);
  }

  /** The sum of a gauge's newest readings over the nodes that are asked for; undefined when none of them was read lately. */
  gauge(name: string, of: (node: string) => boolean): number | undefined {
    const fresh = [...this.#gauges.values()].filter((one) => one.name === name && of(one.node) && one.atMs >= this.#nowMs - GAUGE_FRESH_MS);
    return fresh.length === 0 ? undefined : fresh.reduce((sum, { value }) => sum + value, 0);
  }

  /** The slices of the last so many milliseconds, and over how many of them anything is known: fewer than asked for at a load's beginning. */
  last(ms: number): { spansMs: number; slices: readonly Slice[] } {
    const from = this.#nowMs - ms;
    return {
      spansMs: this.#slices.length === 0 ? 0 : this.#nowMs - (this.#slices[0]?.atMs ?? this.#nowMs),
      slices: this.#slices.filter(({ atMs }) => atMs > from),
    };
  }

  /** Calls back whenever there is something new, until the answer is called. */
  onNews(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #advance(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs);
    for (const listener of this.#listeners) listener();
  }
}
