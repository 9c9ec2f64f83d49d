/**
 * What the engine needs to know of a protocol and of what is asked: two plugs, so that a further protocol is one file under
 * `containers/` and none here.
 */

/**
 * What an answer was.
 * - `hit`, `miss`, `stored`: correct answers.
 * - `server`: the server answered with an error.
 * - `garbled`: bytes that are no answer to what was asked; the connection is of no further use.
 */
export type Answer = 'hit' | 'miss' | 'stored' | 'server' | 'garbled';

/** One connection's side of a protocol. One request is under way at a time. */
export interface Conversation {
  /** The bytes of a request; what is heard from here on is held against it. Operation and key are numbers of the workload. */
  ask(operation: number, key: number): Uint8Array;
  /**
   * Reads the next `length` bytes; the buffer is only lent. The answer once it is complete, undefined while more must come. Bytes that
   * nobody asked for, and bytes behind the end of an answer, are `garbled`.
   */
  hear(bytes: Buffer, length: number): Answer | undefined;
}

export interface Protocol {
  /** For a new connection. */
  converse(): Conversation;
}

/** What is asked, request by request. */
export interface Workload {
  /** Names of the operations, by number. */
  readonly operations: readonly string[];
  /** Names of the nodes that own keys, by number. */
  readonly shards: readonly string[];
  /** Who asks. */
  readonly tenant: string;
  /** The shard of a key, both by number. */
  shardOf(key: number): number;
  /** Draws the next request into `operation` and `key`. */
  next(): void;
  readonly operation: number;
  readonly key: number;
  /** Before the load, `operation` is carried out once on each of the keys 0 to `keys` - 1. */
  readonly fill: { readonly operation: number; readonly keys: number };
}
