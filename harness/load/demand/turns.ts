/** Who is due when, where nobody who comes later is due earlier: a ring of numbers, each of `places` at most once in it. */
export class Turns {
  readonly #atMs: Float64Array;
  readonly #items: Uint32Array;
  #head = 0;
  #size = 0;

  constructor(places: number) {
    this.#atMs = new Float64Array(places);
    this.#items = new Uint32Array(places);
  }

  /** The time of the first; infinite when there is none. */
  get nextMs(): number {
    return this.#size > 0 ? (this.#atMs[this.#head] as number) : Number.POSITIVE_INFINITY;
  }

  add(atMs: number, item: number): void {
    const tail = (this.#head + this.#size) % this.#atMs.length;
    this.#atMs[tail] = atMs;
    this.#items[tail] = item;
    this.#size++;
  }

  /** Takes out the first if it is due by `nowMs`; undefined when it is not. */
  take(nowMs: number): number | undefined {
    if (this.nextMs > nowMs || this.#size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#head = (this.#head + 1) % this.#atMs.length;
    this.#size--;
    return item;
  }
}
