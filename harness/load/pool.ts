/**
 * The connections of one client, and the rules by which its requests use them: what an application with a connection pool does.
 *
 * - One request at a time on each connection. A request takes the connection that has been free longest, else it opens a closed one (and the time that
 *   this takes is its own), else it waits in line.
 * - Who still waits when the deadline, counted from due, is over is abandoned. The timeout counts from sent, or from starting to connect.
 * - After a timeout the connection is either kept, out of use until the late answer has been read (this protocol's answers carry no
 *   number, so that the next request would be given the wrong one), or destroyed.
 * - With a backoff, a slot whose request failed with its connection opens no new one for a while: exponential, and reset by an answer.
 *
 * Time comes from the caller's clock (ms); nothing here sets a timer: `sweep` acts on what has expired, and `nextExpiryMs` says when that is. Both
 * bounds are the same for all requests, so that the next to expire is always the first of its list.
 */
import { connect, type Socket } from 'node:net';
import type { Random } from '../core/random.ts';
import type { ErrorKind } from '../timeline/types.ts';
import { type Backoff, RestingConnections, restMs } from './backoff.ts';
import { Connection, ConnectionList } from './connection.ts';
import type { Conversation, Protocol } from './protocol.ts';
import { WaitingLine } from './waiting.ts';

export interface PoolOptions {
  /** An IP address: names would be resolved for each connect, and the resolver would be what is measured. */
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly onTimeout: 'fail' | 'reconnect';
  readonly backoff?: Backoff;
  readonly protocol: Protocol;
  /** For the jitter. */
  readonly random: Random;
}

/** Is told how every request ended; each ends exactly once. Times are of the caller's clock. */
export interface Outcomes {
  answered(dueMs: number, operation: number, key: number, endedMs: number, miss: boolean): void;
  failed(dueMs: number, operation: number, key: number, endedMs: number, kind: ErrorKind): void;
  /** A connection was opened. */
  connected(atMs: number): void;
  /** This machine, not the system under test, could not open a connection: a code such as EMFILE. */
  shortOf(code: string): void;
}

/** Errors of connect that tell of the client's own limits. */
const OWN_LIMITS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** One read takes at most this much; one buffer serves all connections, since what was read is parsed before the next read. */
const READ_BYTES = 65_536;

export class Pool {
  readonly #options: PoolOptions;
  #clock: () => number;
  #outcomes: Outcomes;
  readonly #buffer = Buffer.alloc(READ_BYTES);
  readonly #waiting = new WaitingLine();
  readonly #closed = new ConnectionList();
  readonly #resting = new RestingConnections();
  readonly #idle = new ConnectionList();
  /** Connecting or busy, by `sinceMs`. */
  readonly #inFlight = new ConnectionList();
  readonly #late = new ConnectionList();
  #carried = 0;
  #open = 0;

  readonly #close = (connection: Connection) => this.#place(connection, 'closed', this.#closed);

  constructor(options: PoolOptions, clock: () => number, outcomes: Outcomes) {
    this.#options = options;
    this.#clock = clock;
    this.#outcomes = outcomes;
    for (let i = 0; i < options.connections; i++) this.#closed.push(new Connection());
  }

  /** Connections that are open. */
  get open(): number {
    return this.#open;
  }

  /** Connections that are being opened without a request, or with one. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Requests that have not ended. */
  get underWay(): number {
    return this.#waiting.size + this.#carried;
  }

  /** Goes on with another clock and for another listener; no request may be under way. Rests end with it. */
  handOver(clock: () => number, outcomes: Outcomes): void {
    this.#clock = clock;
    this.#outcomes = outcomes;
    this.#resting.wake(Number.POSITIVE_INFINITY, this.#close);
  }

  /** Carries out a request that is due. */
  offer(dueMs: number, operation: number, key: number): void {
    this.#waiting.push(dueMs, operation, key);
    this.#serve();
  }

  /** Opens closed connections, while fewer than `atOnce` are being opened or in use. */
  openSome(atOnce: number): void {
    for (let closed = this.#closed.first; closed && this.#inFlight.size < atOnce; closed = this.#closed.first) this.#connect(closed, this.#clock());
  }

  /** When `sweep` has something to do next; infinite when nothing can expire. */
  nextExpiryMs(): number {
    const abandonMs = this.#waiting.size > 0 ? this.#waiting.dueMs + this.#options.deadlineMs : Number.POSITIVE_INFINITY;
    const timeoutMs = this.#inFlight.first ? this.#inFlight.first.sinceMs + this.#options.timeoutMs : Number.POSITIVE_INFINITY;
    return Math.min(abandonMs, timeoutMs, this.#resting.nextMs);
  }

  /** Gives up what has expired, and lets those go on that have rested. */
  sweep(): void {
    const nowMs = this.#clock();
    this.#abandon(nowMs);
    for (let first = this.#inFlight.first; first && first.sinceMs + this.#options.timeoutMs <= nowMs; first = this.#inFlight.first) this.#timeOut(first, nowMs);
    this.#resting.wake(nowMs, this.#close);
    this.#serve();
  }

  /** Closes all connections. Requests under way end untold. */
  close(): void {
    for (const list of [this.#idle, this.#inFlight, this.#late]) {
      for (let first = list.first; first; first = list.first) this.#disconnect(first, false);
    }
  }

  #abandon(nowMs: number): void {
    const waiting = this.#waiting;
    while (waiting.size > 0 && waiting.dueMs + this.#options.deadlineMs <= nowMs) {
      const { dueMs, operation, key } = waiting;
      waiting.shift();
      this.#outcomes.failed(dueMs, operation, key, nowMs, 'abandoned');
    }
  }

  /** Gives those who wait, in their order, what is free. */
  #serve(): void {
    if (this.#waiting.size === 0) return;
    const nowMs = this.#clock();
    this.#abandon(nowMs);
    while (this.#waiting.size > 0) {
      const connection = this.#idle.first ?? this.#closed.first;
      if (!connection) return;
      connection.carries = true;
      connection.dueMs = this.#waiting.dueMs;
      connection.operation = this.#waiting.operation;
      connection.key = this.#waiting.key;
      this.#waiting.shift();
      this.#carried++;
      if (connection.state === 'idle') {
        connection.sinceMs = nowMs;
        this.#send(connection);
      } else {
        this.#connect(connection, nowMs);
      }
    }
  }

  #send(connection: Connection): void {
    connection.state = 'busy';
    // A connection that carried its request through connecting keeps its place: its timeout began then.
    if (connection.list !== this.#inFlight) this.#inFlight.push(connection);
    const { socket, conversation } = connection as { socket: Socket; conversation: Conversation };
    socket.write(conversation.ask(connection.operation, connection.key));
  }

  #connect(connection: Connection, nowMs: number): void {
    connection.sinceMs = nowMs;
    connection.conversation = this.#options.protocol.converse();
    this.#place(connection, 'connecting', this.#inFlight);
    connection.socket = this.#openSocket(connection);
  }

  #openSocket(connection: Connection): Socket {
    // What an earlier socket of this slot still has to say must not be taken for this one's.
    const ifCurrent = (act: () => void) => {
      if (connection.socket === socket) act();
    };
    const { host, port } = this.#options;
    const callback = (length: number) => {
      ifCurrent(() => this.#hear(connection, length));
      return true;
    };
    const socket: Socket = connect({ host, port, noDelay: true, onread: { buffer: this.#buffer, callback } });
    socket.on('connect', () => ifCurrent(() => this.#connected(connection)));
    socket.on('error', (error: NodeJS.ErrnoException) => ifCurrent(() => this.#lost(connection, error.code ?? 'unknown')));
    socket.on('end', () => ifCurrent(() => this.#lost(connection, 'end')));
    socket.on('close', () => ifCurrent(() => this.#lost(connection, 'close')));
    return socket;
  }

  #connected(connection: Connection): void {
    this.#open++;
    this.#outcomes.connected(this.#clock());
    if (connection.carries) {
      this.#send(connection);
    } else {
      this.#place(connection, 'idle', this.#idle);
      this.#serve();
    }
  }

  #hear(connection: Connection, length: number): void {
    const answer = connection.conversation?.hear(this.#buffer, length);
    if (!answer) return;
    const nowMs = this.#clock();
    if (answer === 'garbled') {
      if (connection.carries) this.#failWithConnection(connection, nowMs, 'garbled');
      else this.#disconnect(connection, false);
    } else {
      this.#place(connection, 'idle', this.#idle);
      if (connection.carries) {
        this.#release(connection);
        if (answer === 'server') {
          this.#outcomes.failed(connection.dueMs, connection.operation, connection.key, nowMs, 'server');
        } else {
          connection.failuresInARow = 0;
          this.#outcomes.answered(connection.dueMs, connection.operation, connection.key, nowMs, answer === 'miss');
        }
      }
    }
    this.#serve();
  }

  /** The socket is of no further use: refused, reset, or closed by the far end. */
  #lost(connection: Connection, code: string): void {
    if (OWN_LIMITS.has(code)) this.#outcomes.shortOf(code);
    if (connection.carries) {
      const kind = connection.state === 'busy' ? 'closed' : code === 'ECONNREFUSED' ? 'refused' : 'unconnected';
      this.#failWithConnection(connection, this.#clock(), kind);
    } else {
      this.#disconnect(connection, connection.state === 'connecting');
    }
    this.#serve();
  }

  #timeOut(connection: Connection, nowMs: number): void {
    if (connection.state === 'connecting') {
      if (connection.carries) this.#failWithConnection(connection, nowMs, 'unconnected');
      else this.#disconnect(connection, true);
    } else if (this.#options.onTimeout === 'reconnect') {
      this.#failWithConnection(connection, nowMs, 'timeout');
    } else {
      this.#release(connection);
      this.#place(connection, 'late', this.#late);
      this.#outcomes.failed(connection.dueMs, connection.operation, connection.key, nowMs, 'timeout');
    }
  }

  #failWithConnection(connection: Connection, nowMs: number, kind: ErrorKind): void {
    this.#release(connection);
    this.#disconnect(connection, true);
    this.#outcomes.failed(connection.dueMs, connection.operation, connection.key, nowMs, kind);
  }

  #release(connection: Connection): void {
    connection.carries = false;
    this.#carried--;
  }

  #disconnect(connection: Connection, failed: boolean): void {
    if (connection.state !== 'connecting') this.#open--;
    const socket = connection.socket;
    connection.socket = undefined;
    socket?.destroy();
    const backoff = this.#options.backoff;
    if (!failed || !backoff) {
      this.#close(connection);
      return;
    }
    this.#resting.add(connection, this.#clock() + restMs(backoff, connection.failuresInARow, this.#options.random));
    connection.failuresInARow++;
  }

  #place(connection: Connection, state: Connection['state'], list: ConnectionList): void {
    connection.state = state;
    list.push(connection);
  }
}
