/**
 * One attempt and the connection that comes of it: connecting, logging in where the protocol wants it, the first request, its answer, and then whatever the
 * behaviour does, until one of both ends closes it. It counts as open only from its first answer on: a proxy that has nothing behind it takes connections, too.
 */
import type { ErrorKind } from '../../timeline/types.ts';
import { OWN_LIMITS } from '../pool/pool-options.ts';
import type { Answer, Conversation, Protocol } from '../protocol.ts';
import type { Wire, WireAddress, WireEvents, Wires } from '../wires/handle.ts';
import type { End } from './behaviour.ts';
import type { LocalPorts } from './local-ports.ts';

/** Ports of the other half are seldom in use, and then by connections that stood in a row. */
const MOST_PORTS_NAMED = 32;
const PORT_IN_USE: ReadonlySet<string> = new Set(['EADDRINUSE', 'EADDRNOTAVAIL']);

/** What all connections of a load share. */
export interface Owner {
  readonly wires: Wires;
  readonly address: WireAddress;
  /** Absent where the kernel chooses all of them. */
  readonly ports?: LocalPorts;
  readonly protocol: Protocol;
  /** What is asked: an operation of the protocol, on a key that is drawn. */
  readonly operation: number;
  drawKey(): number;
  nowMs(): number;
  /** How long the first answer may take, ms: from when it began, or from when its request was whole if that is later. */
  readonly timeoutMs: number;
  /** How this end closes. */
  readonly closeBy: 'fin' | 'reset';
  /** Sends a request at once. */
  send(wire: Wire, write: (out: Buffer) => number): void;
  connected(connection: Connection): void;
  answered(connection: Connection, isFirst: boolean): void;
  step(connection: Connection): void;
  closedByPeer(connection: Connection): boolean;
  /** Its attempt failed, with `kind`; or, once it was answered, it is at its end. */
  ended(connection: Connection, how: End, kind?: ErrorKind): void;
  /** This machine could not open it. */
  shortOf(code: string): void;
  /** Its next moment (`nextMs`) may have become an earlier one. */
  armed(connection: Connection): void;
}

/** `lost`: the far end has closed it, and this end does not. */
type State = 'connecting' | 'login' | 'asking' | 'open' | 'lost' | 'over';

export class Connection implements WireEvents {
  readonly dueMs: number;
  readonly beganMs: number;
  /** Whose it is, a number of the behaviour's. */
  readonly ticket: number;
  readonly #owner: Owner;
  #wire: Wire;
  /** How often it has asked for a port by name. */
  #named = 0;
  #state: State = 'connecting';
  /** When its attempt is given up or, once it was answered, its time is over. */
  #expiresMs: number;
  #stepMs = Number.POSITIVE_INFINITY;
  #conversation: Conversation | undefined;
  /** Requests that were sent and not answered, and the key of the first of them. */
  #asked = 0;
  #key = 0;
  /** A request that is sent a few bytes at a time, and how many of them were. */
  #slow: Buffer | undefined;
  #slowSent = 0;

  constructor(owner: Owner, dueMs: number, ticket: number) {
    this.#owner = owner;
    this.dueMs = dueMs;
    this.beganMs = owner.nowMs();
    this.ticket = ticket;
    this.#expiresMs = this.beganMs + owner.timeoutMs;
    this.#wire = this.#open(owner.ports?.forNext());
  }

  get isAnswered(): boolean {
    return this.#state === 'open';
  }

  get isConnecting(): boolean {
    return this.#state === 'connecting';
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** When it has something to do, ms; infinite when nothing is to come. */
  get nextMs(): number {
    return this.#state === 'over' || this.#state === 'lost' ? Number.POSITIVE_INFINITY : Math.min(this.#expiresMs, this.#stepMs);
  }

  /** Does what `nextMs` was for. */
  act(nowMs: number): void {
    if (this.#expiresMs <= nowMs) {
      if (this.#state === 'open') this.leave();
      else this.#fail(this.#state === 'connecting' ? 'unconnected' : 'timeout');
    } else if (this.#stepMs <= nowMs) {
      this.#stepMs = Number.POSITIVE_INFINITY;
      this.#owner.step(this);
    }
  }

  // What a behaviour does with it.

  /** Asks a request at once. Answers come in order; only the last key asked for is known, so several at a time are for those who do not read. */
  ask(): void {
    const { drawKey, operation } = this.#owner;
    this.#key = drawKey();
    this.#conversation ??= this.#owner.protocol.converse();
    const conversation = this.#conversation;
    this.#asked++;
    this.#owner.send(this.#wire, (out) => conversation.ask(out, 0, operation, this.#key));
  }

  /** Gets a request ready for `sendSome`. */
  prepareRequest(): void {
    this.#key = this.#owner.drawKey();
    this.#conversation ??= this.#owner.protocol.converse();
    const bytes = Buffer.allocUnsafe(this.#owner.protocol.longestRequestBytes);
    this.#slow = bytes.subarray(0, this.#conversation.ask(bytes, 0, this.#owner.operation, this.#key));
    this.#slowSent = 0;
    // Until it is whole, nobody can answer it.
    if (this.#state !== 'open') this.#expiresMs = Number.POSITIVE_INFINITY;
  }

  /** Sends the next bytes of the prepared request; false when it is whole. */
  sendSome(bytes: number): boolean {
    const request = this.#slow;
    if (!request) return false;
    const from = this.#slowSent;
    this.#slowSent = Math.min(request.length, from + bytes);
    const isWhole = this.#slowSent === request.length;
    // The answer can be read while this write is still told.
    if (isWhole) {
      this.#asked++;
      this.#slow = undefined;
      if (this.#state !== 'open') this.#expire(this.#owner.nowMs() + this.#owner.timeoutMs);
    }
    this.#wire.write(request.subarray(from, this.#slowSent));
    return !isWhole;
  }

  /** FIN behind what was asked; the answer is still read. */
  finish(): void {
    this.#wire.end();
  }

  stopReading(): void {
    this.#wire.readStop();
  }

  /** The behaviour's `step` is called then. */
  stepAt(atMs: number): void {
    this.#stepMs = atMs;
    this.#owner.armed(this);
  }

  /** Closes it from this end. */
  leave(): void {
    this.#end('left');
  }

  /** Closes it from this end at `atMs`. */
  leaveAt(atMs: number): void {
    this.#expire(atMs);
  }

  /** At the end of the load: nothing more is told. */
  abandon(): void {
    this.#state = 'over';
    this.#wire.close();
  }

  // What its wire tells.

  connected(): void {
    const { protocol } = this.#owner;
    const { opening } = protocol;
    if (opening === undefined) {
      this.#begin();
      return;
    }
    this.#state = 'login';
    this.#conversation = protocol.converse();
    const conversation = this.#conversation;
    this.#asked = 1;
    this.#key = 0;
    this.#owner.send(this.#wire, (out) => conversation.ask(out, 0, opening, 0));
  }

  heard(bytes: Buffer, length: number): void {
    for (let at = 0; at < length && this.#state !== 'over'; ) {
      if (this.#asked === 0 || !this.#conversation) {
        this.#spoil();
        return;
      }
      const operation = this.#state === 'login' ? (this.#owner.protocol.opening as number) : this.#owner.operation;
      at = this.#conversation.hear(bytes, at, length, operation, this.#key);
      const { answer } = this.#conversation;
      if (answer !== undefined) this.#take(answer);
    }
  }

  ended(): void {
    if (this.#state === 'lost') return;
    if (this.#state !== 'open') {
      this.#fail('closed');
      return;
    }
    if (this.#owner.closedByPeer(this)) {
      this.#end('fin');
      return;
    }
    this.#state = 'lost';
    this.#owner.ended(this, 'fin');
  }

  drained(): void {
    // Nobody here waits for room.
  }

  failed(code: string): void {
    if (this.#state === 'connecting' && this.#named > 0 && PORT_IN_USE.has(code)) this.#openElsewhere();
    else if (OWN_LIMITS.has(code)) this.#owner.shortOf(code);
    else if (this.#state === 'open') this.#end('rst');
    else if (this.#state === 'connecting') this.#fail(code === 'ECONNREFUSED' ? 'refused' : 'unconnected');
    else if (this.#state !== 'lost') this.#fail('closed');
  }

  /** The port that it named is in use: the next one, or after so many whichever the kernel finds. */
  #openElsewhere(): void {
    const isLast = this.#named > MOST_PORTS_NAMED;
    const port = isLast ? undefined : this.#owner.ports?.next();
    if (port === undefined) this.#named = 0;
    this.#wire = this.#open(port);
  }

  #open(localPort?: number): Wire {
    const { wires, address } = this.#owner;
    if (localPort === undefined) return wires.open(address, this);
    this.#named++;
    return wires.open({ ...address, localPort }, this);
  }

  #begin(): void {
    this.#state = 'asking';
    this.#owner.connected(this);
  }

  #take(answer: Answer): void {
    this.#asked--;
    if (answer === 'garbled') {
      this.#spoil();
    } else if (this.#state === 'login') {
      if (answer === 'server') this.#fail('server');
      else this.#begin();
    } else if (this.#state === 'open') {
      this.#owner.answered(this, false);
    } else if (answer === 'server') {
      this.#fail('server');
    } else {
      this.#state = 'open';
      this.#expiresMs = Number.POSITIVE_INFINITY;
      this.#owner.answered(this, true);
      // An idle connection costs no parser.
      if (this.#asked === 0 && !this.#slow) this.#conversation = undefined;
    }
  }

  #expire(atMs: number): void {
    this.#expiresMs = atMs;
    this.#owner.armed(this);
  }

  #spoil(): void {
    if (this.#state === 'open') this.#end('garbled');
    else this.#fail('garbled');
  }

  #fail(kind: ErrorKind): void {
    this.#end('failed', kind);
  }

  #end(how: End, kind?: ErrorKind): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    if (this.#owner.closeBy === 'reset' && how === 'left') this.#wire.reset();
    else this.#wire.close();
    this.#owner.ended(this, how, kind);
  }
}
