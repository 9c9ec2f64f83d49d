/**
 * What the engine needs to know of a protocol and of what is asked: two plugs, so that a further protocol is one file under
 * `containers/` and none here.
 */
import type { SavedSeries } from '../timeline/records.ts';

/**
 * What an answer was.
 * - `hit`, `miss`: correct answers of something that looks for a key.
 * - `done`: a correct answer of something that changes a key, or of something that has no key.
 * - `unmet`: a correct answer that says that the condition of a change did not hold (add of a key that is there, cas of one that changed).
 * - `server`: the server answered with an error.
 * - `garbled`: bytes that are no answer to what was asked; the connection is of no further use.
 */
export type Answer = 'hit' | 'miss' | 'done' | 'unmet' | 'server' | 'garbled';

/**
 * One connection's side of a protocol. Several requests can be under way; answers come in the order of the requests, so the caller knows
 * which request the next bytes belong to and hands it in: nothing here remembers what was asked. All that is kept is where the parsing of one answer stands.
 */
export interface Conversation {
  /**
   * Writes the bytes of a request into `out`, from `at` on, and returns where they end. There is room for `Protocol.longestRequestBytes`.
   * Operation and key are numbers of the workload.
   */
  ask(out: Buffer, at: number, operation: number, key: number): number;
  /**
   * Reads on in `bytes`, from `at` up to `end`, in the answer to this request. Returns where it stopped: behind the end of the answer,
   * and `answer` says what it was, or at `end`, and `answer` is undefined because more must come. The buffer is only lent.
   */
  hear(bytes: Buffer, at: number, end: number, operation: number, key: number): number;
  readonly answer: Answer | undefined;
}

export interface Protocol {
  /** More than this no request takes, bytes. */
  readonly longestRequestBytes: number;
  /**
   * An operation that every new connection begins with, such as logging in (its key is 0); the connection is of use once it was answered,
   * and is lost as `server` when that answer is an error.
   */
  readonly opening?: number;
  /** For a new connection. */
  converse(): Conversation;
}

/** What is asked, request by request. */
export interface Workload {
  /** [operation, shard, tenant] by number: requests are told apart by these. A shard is the node that owns the key, or `SEVERAL`. */
  readonly series: readonly SavedSeries[];
  /** The number of the series that a request belongs to. */
  seriesOf(operation: number, key: number): number;
  /** Draws the next request into `operation` and `key`. */
  next(): void;
  readonly operation: number;
  readonly key: number;
  /**
   * Before the load, `operation` is carried out once on each of the keys below `keys`: on all, or on every `step`-th from `first` on where several processes share
   * the work. Nothing is stored where `keys` is 0.
   */
  readonly fill: { readonly operation: number; readonly keys: number; readonly first?: number; readonly step?: number };
}
