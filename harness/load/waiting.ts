/**
 * Requests that are due and have no connection yet: first in, first out, in a ring of numbers that grows by doubling and allocates nothing
 * per request. Its length is bounded by rate x deadline, since who waits longer is abandoned.
 */
export class WaitingLine {
  #dueMs = new Float64Array(1_024);
  #operation = new Uint8Array(1_024);
  #key = new Uint32Array(1_024);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Of the first in line; these mean nothing when it is empty. */
  get dueMs(): number {
    return this.#dueMs[this.#head] as number;
  }

  get operation(): number {
    return this.#operation[this.#head] as number;
  }

  get key(): number {
    return this.#key[this.#head] as number;
  }

  push(dueMs: number, operation: number, key: number): void {
    if (this.#size === this.#dueMs.length) this.#grow();
    const tail = (this.#head + this.#size) & (this.#dueMs.length - 1);
    this.#dueMs[tail] = dueMs;
    this.#operation[tail] = operation;
    this.#key[tail] = key;
    this.#size++;
  }

  /** Drops the first in line. */
  shift(): void {
    this.#head = (this.#head + 1) & (this.#dueMs.length - 1);
    this.#size--;
  }

  #grow(): void {
    const length = this.#dueMs.length;
    const unrolled = <A extends Float64Array | Uint8Array | Uint32Array>(from: A, to: A): A => {
      to.set(from.subarray(this.#head));
      to.set(from.subarray(0, this.#head), length - this.#head);
      return to;
    };
    this.#dueMs = unrolled(this.#dueMs, new Float64Array(2 * length));
    this.#operation = unrolled(this.#operation, new Uint8Array(2 * length));
    this.#key = unrolled(this.#key, new Uint32Array(2 * length));
    this.#head = 0;
  }
}
