/**
 * One slot for a connection, with the request that it carries, and lists of such slots.
 *
 * Slots live as long as the load; sockets come and go in them. Each slot stands in one list at a time, by its state, and lists are linked through
 * the slots themselves: moving one from list to list costs a few assignments and no memory.
 */
import type { Socket } from 'node:net';
import type { Conversation } from './protocol.ts';

/**
 * - `closed`: no socket; the next request may open one.
 * - `resting`: no socket, and none before its backoff is over.
 * - `connecting`: with or without a request that waits for it.
 * - `idle`: open and free.
 * - `busy`: open, and its request not answered yet.
 * - `late`: open, its request given up; out of use until the answer has been read.
 */
export type ConnectionState = 'closed' | 'resting' | 'connecting' | 'idle' | 'busy' | 'late';

export class Connection {
  state: ConnectionState = 'closed';
  socket: Socket | undefined = undefined;
  conversation: Conversation | undefined = undefined;

  /** The request under way, when there is one: numbers of the workload, and when it was due. */
  carries = false;
  dueMs = 0;
  operation = 0;
  key = 0;
  /** When it was sent or, if it had to connect first, when that began. */
  sinceMs = 0;

  /** Failures since the last answer, for the backoff. */
  failuresInARow = 0;
  restsUntilMs = 0;

  list: ConnectionList | undefined = undefined;
  before: Connection | undefined = undefined;
  after: Connection | undefined = undefined;
}

/** First in, first out, with removal from anywhere. */
export class ConnectionList {
  #first: Connection | undefined;
  #last: Connection | undefined;
  #size = 0;

  get first(): Connection | undefined {
    return this.#first;
  }

  get size(): number {
    return this.#size;
  }

  /** Puts a connection at the end, taking it out of the list that it was in. */
  push(connection: Connection): void {
    connection.list?.remove(connection);
    connection.list = this;
    connection.before = this.#last;
    if (this.#last) this.#last.after = connection;
    else this.#first = connection;
    this.#last = connection;
    this.#size++;
  }

  remove(connection: Connection): void {
    if (connection.before) connection.before.after = connection.after;
    else this.#first = connection.after;
    if (connection.after) connection.after.before = connection.before;
    else this.#last = connection.before;
    connection.before = undefined;
    connection.after = undefined;
    connection.list = undefined;
    this.#size--;
  }
}
