/**
 * One slot for a connection, with the line of requests that it carries, and lists of such slots.
 *
 * Slots live as long as the load; sockets come and go in them. A slot stands in one list at a time, and lists are linked through
 * the slots themselves: moving one from list to list costs a few assignments and no memory.
 */

import type { Conversation } from '../protocol.ts';
import type { Wire, WireAddress, Wires } from '../wires/handle.ts';
import type { Request } from './request.ts';

/**
 * - `closed`: no socket; a request may open one.
 * - `resting`: no socket, and none before its backoff is over.
 * - `connecting`: connecting, or connected and not logged in yet.
 * - `open`: of use.
 */
export type ConnectionState = 'closed' | 'resting' | 'connecting' | 'open';

/** Is told of a connection while it is the slot's. */
export interface ConnectionListener {
  connected(slot: Connection): void;
  /** The bytes are lent for the length of the call. */
  heard(slot: Connection, bytes: Buffer, length: number): void;
  /** Refused, reset, or closed by the far end: a code, or 'end'. */
  lost(slot: Connection, code: string): void;
}

export class Connection {
  state: ConnectionState = 'closed';
  wire: Wire | undefined = undefined;
  conversation: Conversation | undefined = undefined;

  /** The line of requests in the order in which they are sent: the first, the last, and the first that was not sent yet. */
  head: Request | undefined = undefined;
  tail: Request | undefined = undefined;
  unsent: Request | undefined = undefined;
  /** Requests in the line, and those of them that were sent. */
  carried = 0;
  sent = 0;
  /** Has something to send, and is in the pool's list of such. */
  isDirty = false;

  /** Stands for the connecting itself, where no request waits for it. */
  opener: Request | undefined = undefined;
  /** From then on its next request replaces it. */
  livesUntilMs = Number.POSITIVE_INFINITY;

  /** Failures since the last answer, for the backoff. */
  failuresInARow = 0;

  list: ConnectionList | undefined = undefined;
  before: Connection | undefined = undefined;
  after: Connection | undefined = undefined;

  connect(wires: Wires, address: WireAddress, listener: ConnectionListener): void {
    // A connection that was left behind still tells of itself, and nobody listens.
    const isStill = () => this.wire === wire;
    const lost = (code: string) => {
      if (isStill()) listener.lost(this, code);
    };
    const wire = wires.open(address, {
      connected: () => {
        if (isStill()) listener.connected(this);
      },
      heard: (bytes, length) => {
        if (isStill()) listener.heard(this, bytes, length);
      },
      ended: () => lost('end'),
      drained: () => undefined,
      failed: lost,
    });
    this.wire = wire;
  }

  startLife(nowMs: number, livesMs: number): void {
    this.livesUntilMs = nowMs + livesMs;
  }

  disconnect(): void {
    this.wire?.close();
    this.wire = undefined;
  }

  /** Leaves its socket behind, open, and hands it over. */
  leave(): Wire {
    const wire = this.wire as Wire;
    this.wire = undefined;
    return wire;
  }

  /** Itself, while it has something to send and room for more: what is due together travels together, as far as one connection carries it. */
  filling(depth: number): Connection | undefined {
    return this.unsent && this.state === 'open' && this.carried < depth ? this : undefined;
  }

  /** Puts a request at the end of the line; it is sent with the next flush. */
  append(request: Request): void {
    request.connection = this;
    request.behind = undefined;
    if (this.tail) this.tail.behind = request;
    else this.head = request;
    this.tail = request;
    if (!this.unsent) this.unsent = request;
    this.carried++;
  }

  /** Takes the first of the line out of it. */
  shift(): Request {
    const first = this.head as Request;
    this.head = first.behind;
    if (!this.head) this.tail = undefined;
    if (this.unsent === first) this.unsent = this.head;
    else this.sent--;
    this.carried--;
    first.connection = undefined;
    first.behind = undefined;
    return first;
  }

  /** Takes a request that was not sent out of the line. */
  withdraw(request: Request): void {
    let before: Request | undefined;
    for (let other = this.head; other && other !== request; other = other.behind) before = other;
    if (before) before.behind = request.behind;
    else this.head = request.behind;
    if (this.tail === request) this.tail = before;
    if (this.unsent === request) this.unsent = request.behind;
    this.carried--;
    request.connection = undefined;
    request.behind = undefined;
  }
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

  /** Puts a connection at the end, taking it out of the list that it was in, and gives it back. */
  push(connection: Connection): Connection {
    connection.list?.remove(connection);
    connection.list = this;
    connection.before = this.#last;
    if (this.#last) this.#last.after = connection;
    else this.#first = connection;
    this.#last = connection;
    this.#size++;
    return connection;
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
