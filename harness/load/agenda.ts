/** What is to happen when: a binary heap by time. What is entered for one moment comes out in the order in which it was entered. */
export class Agenda<T> {
  readonly #entries: { readonly atMs: number; readonly order: number; readonly item: T }[] = [];
  #order = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** The time of the first entry; infinite when there is none. */
  get nextMs(): number {
    return this.#entries[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  add(atMs: number, item: T): void {
    const entries = this.#entries;
    const entry = { atMs, order: this.#order++, item };
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = entries[parent] as (typeof entries)[number];
      if (!this.#isBefore(entry, above)) break;
      entries[at] = above;
      at = parent;
    }
    entries[at] = entry;
  }

  /** Takes out the first entry that is due by `nowMs`; undefined when none is. */
  take(nowMs: number): T | undefined {
    const entries = this.#entries;
    const first = entries[0];
    if (!first || first.atMs > nowMs) return undefined;
    const moved = entries.pop() as typeof first;
    if (entries.length > 0) this.#sink(moved);
    return first.item;
  }

  /** Puts an entry where the first one was, and lets it sink to its place. */
  #sink(entry: { readonly atMs: number; readonly order: number; readonly item: T }): void {
    const entries = this.#entries;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      const right = entries[child + 1];
      if (right && this.#isBefore(right, entries[child] as typeof right)) child++;
      const below = entries[child] as typeof entry;
      if (!this.#isBefore(below, entry)) break;
      entries[at] = below;
      at = child;
    }
    entries[at] = entry;
  }

  #isBefore(a: { readonly atMs: number; readonly order: number }, b: { readonly atMs: number; readonly order: number }): boolean {
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }
}
