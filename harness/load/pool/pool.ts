/**
 * The connections of one client, and the rules by which its requests use them: what an application with a connection pool does.
 *
 * - A connection carries `depth` requests at a time (one, unless the client pipelines); what is due together travels together. Else a request takes the open connection that has
 *   waited longest for one, else it opens a closed one (and the time that this takes is its own), else it waits in line. A worker's request goes by the worker's own connection alone.
 * - Who still waits when the deadline, counted from due, is over is abandoned. The timeout counts from sent, or from starting to connect.
 * - After a timeout the connection is either kept, the place of the request taken until the late answer has been read (answers come in order and
 *   carry no number, so that the next request would be given the wrong one), or destroyed with all that it carries.
 * - With a backoff, a slot whose request failed with its connection opens no new one for a while: exponential, and reset by an answer.
 *
 * Time comes from the caller's clock (ms); nothing here sets a timer: `sweep` acts on what has expired, and `nextExpiryMs` says when that is.
 */
import type { ErrorKind } from '../../timeline/types.ts';
import { Agenda } from '../agenda.ts';
import type { Carrier, Outcomes } from '../carrier.ts';
import type { Answer, Conversation } from '../protocol.ts';
import { publicWires, type Wire, type Wires } from '../wires/handle.ts';
import { restMs } from './backoff.ts';
import { Book } from './book.ts';
import { Connection, ConnectionList, type ConnectionListener } from './connection.ts';
import { Outbox } from './outbox.ts';
import { type ConnectionUse, fateOf, livesMs, OWN_LIMITS, type PoolOptions } from './pool-options.ts';
import type { Request } from './request.ts';
import { Retries } from './retry.ts';

export class Pool implements Carrier {
  readonly #options: PoolOptions;
  readonly #depth: number;
  readonly #wires: Wires;
  #clock: () => number;
  readonly #book: Book;
  readonly #outbox: Outbox;

  readonly #slots: Connection[];
  readonly #closed = new ConnectionList();
  /** Open, with room for a request. */
  readonly #ready = new ConnectionList();
  readonly #resting = new Agenda<Connection>();
  readonly #leaked: Wire[] = [];
  /** The connection that was given a request last. */
  #last: Connection | undefined;
  #connecting = 0;
  #open = 0;
  #isHearing = false;
  #use: ConnectionUse = 'pooled';

  constructor(options: PoolOptions, clock: () => number, outcomes: Outcomes) {
    const { deadlineMs, timeoutMs, retry } = options;
    this.#options = options;
    this.#depth = options.depth ?? 1;
    this.#wires = options.wires ?? publicWires();
    this.#clock = clock;
    const retries = retry && new Retries(retry, options.random.fork('retry'));
    this.#book = new Book(
      { deadlineMs, timeoutMs, retries, again: (request) => (request.worker < 0 ? this.#book.waiting.insertByDue(request) : this.#assignOwn(request)) },
      outcomes,
    );
    const sent = (request: Request, nowMs: number) => this.#book.sent(request, nowMs);
    this.#outbox = new Outbox({ longestRequestBytes: options.protocol.longestRequestBytes, depth: this.#depth, clock: () => this.#clock(), sent });
    this.#slots = Array.from({ length: options.connections }, () => this.#closed.push(new Connection()));
  }

  get open(): number {
    return this.#open;
  }

  /** Connections that are being opened. */
  get connecting(): number {
    return this.#connecting;
  }

  get underWay(): number {
    return this.#book.underWay;
  }

  /** Rests end with it, and what is being opened begins anew by the new clock. */
  handOver(clock: () => number, outcomes: Outcomes): void {
    this.#clock = clock;
    this.#book.outcomes = outcomes;
    for (const { opener } of this.#slots) if (opener) this.#book.begin(opener, clock());
    this.#wake(Number.POSITIVE_INFINITY);
  }

  begin(): void {
    this.#use = this.#options.use ?? 'pooled';
    for (const slot of this.#slots) slot.startLife(this.#clock(), livesMs(this.#use, this.#options.random));
  }

  offer(dueMs: number, operation: number, key: number): void {
    this.#book.waiting.push(this.#book.enter(dueMs, operation, key, -1));
    this.#serve();
  }

  /** The same for a worker, by the connection of this number alone (0 to `connections` - 1). */
  offerOwn(worker: number, dueMs: number, operation: number, key: number): void {
    this.#assignOwn(this.#book.enter(dueMs, operation, key, worker));
  }

  flush(): void {
    if (!this.#isHearing) this.#outbox.flush();
  }

  /** Opens closed connections, while fewer than `atOnce` are being opened. */
  openSome(atOnce: number): void {
    for (let closed = this.#closed.first; closed && this.#connecting < atOnce; closed = this.#closed.first) this.#connect(closed, this.#clock());
  }

  nextExpiryMs(): number {
    return Math.min(this.#book.nextExpiryMs(), this.#resting.nextMs);
  }

  sweep(): void {
    const nowMs = this.#clock();
    this.#book.abandon(nowMs);
    for (let late = this.#book.expired(nowMs); late; late = this.#book.expired(nowMs)) this.#timeOut(late, nowMs);
    this.#wake(nowMs);
    this.#book.retryDue(nowMs);
    this.#serve();
    this.flush();
  }

  close(): void {
    for (const slot of this.#slots) slot.disconnect();
    for (const wire of this.#leaked) wire.close();
  }

  readonly #listener: ConnectionListener = {
    connected: (slot) => this.#connected(slot),
    heard: (slot, bytes, length) => (slot.state === 'connecting' ? this.#heardOpening(slot, bytes, length) : this.#heard(slot, bytes, length)),
    lost: (slot, code) => this.#lost(slot, code),
  };

  /** Gives those who wait, in their order, what has room. */
  #serve(): void {
    const { waiting } = this.#book;
    if (!waiting.first) return;
    const nowMs = this.#clock();
    this.#book.abandon(nowMs);
    for (let request = waiting.first; request; request = waiting.first) {
      const slot = this.#last?.filling(this.#depth) ?? this.#ready.first ?? this.#closed.first;
      if (!slot) return;
      this.#assign(slot, request, nowMs);
    }
  }

  #assignOwn(request: Request): void {
    const slot = this.#slots[request.worker] as Connection;
    if (slot.state === 'resting' || (slot.state === 'open' && slot.carried >= this.#depth)) {
      slot.append(request);
      this.#book.waitingForOwn.insertByDue(request);
    } else {
      this.#assign(slot, request, this.#clock());
    }
  }

  /** Puts a request on a connection that is open with room, connecting, or closed and can be opened for it. */
  #assign(slot: Connection, request: Request, nowMs: number): void {
    if (slot.state === 'open' && slot.carried === 0 && slot.livesUntilMs <= nowMs) this.#disconnect(slot);
    slot.append(request);
    this.#last = slot;
    this.#book.begin(request, nowMs);
    if (slot.state === 'closed') this.#connect(slot, nowMs);
    else if (slot.state === 'open') this.#arrange(slot);
  }

  /** Lets an open connection send what it carries, and puts it behind all others that have room, or out of them. */
  #arrange(slot: Connection): void {
    if (slot.unsent) this.#outbox.add(slot);
    if (slot.carried < this.#depth) this.#ready.push(slot);
    else slot.list?.remove(slot);
  }

  #connect(slot: Connection, nowMs: number): void {
    const { host, port, protocol } = this.#options;
    slot.list?.remove(slot);
    slot.state = 'connecting';
    this.#connecting++;
    if (!slot.head) this.#book.enterOpener(slot, nowMs);
    slot.conversation = protocol.converse();
    slot.connect(this.#wires, { host, port }, this.#listener);
  }

  #connected(slot: Connection): void {
    const { opening } = this.#options.protocol;
    if (opening === undefined) this.#opened(slot);
    else this.#outbox.sendAlone(slot.wire as Wire, slot.conversation as Conversation, opening, 0);
  }

  #heardOpening(slot: Connection, bytes: Buffer, length: number): void {
    const conversation = slot.conversation as Conversation;
    const end = conversation.hear(bytes, 0, length, this.#options.protocol.opening as number, 0);
    const { answer } = conversation;
    if (answer === undefined) return;
    if (end === length && (answer === 'hit' || answer === 'done')) this.#opened(slot);
    else this.#dropAndServe(slot, answer === 'server' ? 'server' : 'garbled');
  }

  #opened(slot: Connection): void {
    const nowMs = this.#clock();
    this.#connecting--;
    this.#open++;
    this.#book.strikeOpener(slot);
    slot.state = 'open';
    slot.startLife(nowMs, livesMs(this.#use, this.#options.random));
    this.#book.outcomes.connected(nowMs);
    this.#arrange(slot);
    this.#serve();
    this.flush();
  }

  #heard(slot: Connection, bytes: Buffer, length: number): void {
    const { wire } = slot;
    const conversation = slot.conversation as Conversation;
    const nowMs = this.#clock();
    this.#isHearing = true;
    for (let at = 0; at < length && slot.wire === wire; ) {
      // Where nobody asked, nothing that comes next on this connection can be told to be anybody's answer.
      if (!slot.head || slot.sent === 0) {
        this.#drop(slot, nowMs, 'garbled', false);
        break;
      }
      at = conversation.hear(bytes, at, length, slot.head.operation, slot.head.key);
      const { answer } = conversation;
      if (answer === undefined) break;
      // Bytes behind the last answer make it doubtful whose it was.
      if (answer === 'garbled' || (at < length && slot.sent === 1)) this.#drop(slot, nowMs, 'garbled', true);
      else this.#answered(slot, answer, nowMs);
    }
    this.#isHearing = false;
    this.#serve();
    this.#outbox.flushSoon();
  }

  #answered(slot: Connection, answer: Answer, nowMs: number): void {
    const request = slot.shift();
    if (answer !== 'server') slot.failuresInARow = 0;
    this.#settle(slot);
    if (request.isGivenUp) this.#book.strike(request);
    else if (answer === 'server') this.#book.failed(request, nowMs, 'server');
    else this.#book.answered(request, nowMs, answer === 'miss');
  }

  /** An answer was read: the connection goes on, or has served. */
  #settle(slot: Connection): void {
    const fate = slot.sent === 0 ? fateOf(this.#use, this.#options.random) : 'stay';
    if (fate === 'leave') this.#leaked.push(slot.leave());
    if (fate === 'stay') {
      this.#arrange(slot);
    } else {
      this.#disconnect(slot);
      this.#goOn(slot);
    }
  }

  /** The socket is of no further use: refused, reset, or closed by the far end. */
  #lost(slot: Connection, code: string): void {
    if (OWN_LIMITS.has(code)) this.#book.outcomes.shortOf(code);
    this.#dropAndServe(slot, slot.state === 'open' ? 'closed' : code === 'ECONNREFUSED' ? 'refused' : 'unconnected');
  }

  #dropAndServe(slot: Connection, kind: ErrorKind): void {
    this.#drop(slot, this.#clock(), kind, slot.state === 'connecting' || slot.sent > 0);
    this.#serve();
    this.flush();
  }

  #timeOut(request: Request, nowMs: number): void {
    const slot = request.connection as Connection;
    if (slot.state === 'connecting') this.#drop(slot, nowMs, 'unconnected', true);
    else if (this.#options.onTimeout === 'reconnect') this.#drop(slot, nowMs, 'closed', true, request);
    else this.#book.giveUp(request, nowMs);
  }

  /** Closes a connection. What was under way on it fails by `kind`, or as `timeout` where it is the one that was waited for too long. */
  #drop(slot: Connection, nowMs: number, kind: ErrorKind, isFailure: boolean, timedOut?: Request): void {
    const failed: Request[] = [];
    while (slot.head && slot.head.list !== this.#book.waitingForOwn) {
      const request = slot.shift();
      if (request.isGivenUp) this.#book.strike(request);
      else failed.push(request);
    }
    this.#disconnect(slot, isFailure ? nowMs : undefined);
    for (const request of failed) this.#book.failed(request, nowMs, request === timedOut ? 'timeout' : kind);
    this.#goOn(slot);
  }

  /** Closes the socket of a slot whose line holds nothing that was sent. With `failedMs`, it may rest before the next one. */
  #disconnect(slot: Connection, failedMs?: number): void {
    if (slot.state === 'connecting') this.#connecting--;
    else this.#open--;
    this.#book.strikeOpener(slot);
    slot.disconnect();
    const { backoff, random } = this.#options;
    slot.list?.remove(slot);
    if (failedMs !== undefined && backoff) {
      slot.state = 'resting';
      this.#resting.add(failedMs + restMs(backoff, slot.failuresInARow++, random), slot);
    } else {
      slot.state = 'closed';
      this.#closed.push(slot);
    }
  }

  #wake(nowMs: number): void {
    for (let slot = this.#resting.take(nowMs); slot; slot = this.#resting.take(nowMs)) {
      slot.state = 'closed';
      this.#closed.push(slot);
      this.#goOn(slot);
    }
  }

  /** A closed slot whose own requests wait, or that is always to be connected, connects. */
  #goOn(slot: Connection): void {
    if (slot.state !== 'closed' || !(slot.head || this.#options.reconnect === 'at once')) return;
    const nowMs = this.#clock();
    for (let request = slot.head; request; request = request.behind) this.#book.begin(request, nowMs);
    this.#connect(slot, nowMs);
  }
}
