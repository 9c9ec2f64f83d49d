/**
 * The engine of a load that consists of connections: opens one for each attempt of its behaviour when that falls due, and has what becomes of it recorded.
 *
 * An attempt is a request like any other: due when it should have begun, answered when the first request on its connection was answered. All attempts that
 * have fallen due are looked at when the engine wakes, and begun a few at a time, so that sockets are read in between: a thousand connects at
 * 40 to 130 us each are a good tenth of a second of this process, which stands in their latencies and in the gauge `connections.waiting`.
 */
import { monotonicMs } from '../../core/clock.ts';
import { type ErrorKind, SEVERAL, WINDOW_MS } from '../../timeline/types.ts';
import { Agenda } from '../agenda.ts';
import type { EngineReport } from '../engine.ts';
import type { Protocol } from '../protocol.ts';
import { Recorder } from '../recording/recorder.ts';
import type { Wire, WireAddress, Wires } from '../wires/handle.ts';
import type { Behaviour, End } from './behaviour.ts';
import { Connection, type Owner } from './connection.ts';
import type { LocalPorts } from './local-ports.ts';

/** The longest sleep: what begins while the engine sleeps is noticed at most this late. */
const LONGEST_SLEEP_MS = 2;

/** Attempts begun before sockets are read again: at 40 to 130 us each, 3 to 8 ms. */
const BEGUN_PER_TURN = 64;

/** What would fall due at the very end does not. */
const JUST_BEFORE_MS = 0.001;

/** The one series of such a load. */
const SERIES = 0;

export interface ConnectionEngineOptions {
  readonly wires: Wires;
  readonly address: WireAddress;
  /** Names local ports; absent where the kernel chooses them all. */
  readonly ports?: LocalPorts;
  readonly protocol: Protocol;
  /** What the first request on each connection asks, a number of the protocol's, on a key that `drawKey` names. */
  readonly operation: number;
  readonly drawKey: () => number;
  readonly behaviour: Behaviour;
  readonly tenant: string;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  /** This end closes each connection so long after its first answer. */
  readonly holdMs?: number;
  readonly closeBy: 'fin' | 'reset';
  /** Time zero, on this process's monotonic clock, and for how long attempts fall due and connections are held from there, ms. */
  readonly zeroMs: number;
  readonly forMs: number;
  /** Called about every 100 ms, and a last time when all has been told. */
  readonly onReport: (report: EngineReport) => void;
  readonly onGauges: (atMs: number, gauges: Readonly<Record<string, number>>) => void;
  /** The time is over, and every attempt has ended and was reported. Connections that are held still are. */
  readonly onDone: () => void;
  /** This machine could not open a connection: a code such as EMFILE, and how many were open or opening by then. */
  readonly onShortOf: (code: string, open: number) => void;
}

export class ConnectionEngine {
  readonly #options: ConnectionEngineOptions;
  readonly #recorder: Recorder;
  readonly #owner: Owner;
  /** Due, looked at, and not begun. */
  readonly #waiting: { readonly dueMs: number; readonly ticket: number }[] = [];
  /** Begun, and not answered. */
  readonly #attempts = new Set<Connection>();
  /** Answered, and not closed by this end. */
  readonly #held = new Set<Connection>();
  readonly #agenda = new Agenda<Connection>();
  #open = 0;
  readonly #lost = { fin: 0, rst: 0, garbled: 0 };
  #out: Buffer;
  #nextReportMs = WINDOW_MS;
  #wakeMs = 0;
  /** The last moment at which something can fall due. */
  #lastMs: number;
  #isEnded = false;
  #isLooking = false;

  constructor(options: ConnectionEngineOptions) {
    this.#options = options;
    this.#lastMs = options.forMs - JUST_BEFORE_MS;
    this.#recorder = new Recorder({ series: [['connect', SEVERAL, options.tenant]], deadlineMs: options.deadlineMs });
    this.#out = Buffer.allocUnsafeSlow(options.protocol.longestRequestBytes);
    this.#owner = this.#ownerOf(options);
  }

  start(): void {
    this.#sleep();
  }

  /** No further attempts; those under way end as they would. */
  stop(): void {
    this.#lastMs = Math.min(this.#lastMs, this.#nowMs());
  }

  /** Closes everything; nothing more is told. */
  close(): void {
    this.#isEnded = true;
    for (const connection of [...this.#attempts, ...this.#held]) connection.abandon();
    this.#attempts.clear();
    this.#held.clear();
  }

  #ownerOf({ wires, address, ports, protocol, operation, drawKey, timeoutMs, closeBy, behaviour, holdMs, onShortOf }: ConnectionEngineOptions): Owner {
    return {
      wires,
      address,
      ...(ports ? { ports } : {}),
      protocol,
      operation,
      drawKey,
      timeoutMs,
      closeBy,
      nowMs: () => this.#nowMs(),
      send: (wire, write) => this.#send(wire, write),
      connected: (connection) => {
        if (behaviour.connected) behaviour.connected(connection, this.#nowMs());
        else connection.ask();
      },
      answered: (connection, isFirst) => {
        const nowMs = this.#nowMs();
        if (isFirst) {
          this.#attempts.delete(connection);
          this.#held.add(connection);
          this.#open++;
          this.#recorder.answered(connection.dueMs, SERIES, nowMs, false);
          this.#recorder.schedule.connected(nowMs);
          if (holdMs !== undefined) connection.leaveAt(nowMs + holdMs);
        }
        behaviour.answered?.(connection, nowMs);
        if (isFirst) this.#goOn(nowMs);
      },
      step: (connection) => behaviour.step?.(connection, this.#nowMs()),
      closedByPeer: (connection) => {
        behaviour.closedByPeer?.(connection);
        return behaviour.closedByPeer === undefined;
      },
      ended: (connection, how, kind) => this.#ended(connection, how, kind),
      // All but the one that it was short of.
      shortOf: (code) => onShortOf(code, this.#held.size + this.#attempts.size - 1),
      armed: (connection) => this.#agenda.add(connection.nextMs, connection),
    };
  }

  /** Milliseconds since time zero. */
  #nowMs(): number {
    return monotonicMs() - this.#options.zeroMs;
  }

  #send(wire: Wire, write: (out: Buffer) => number): void {
    this.#recorder.schedule.sent(this.#nowMs());
    // What the wire keeps is not written over.
    if (!wire.write(this.#out.subarray(0, write(this.#out)))) this.#out = Buffer.allocUnsafeSlow(this.#options.protocol.longestRequestBytes);
  }

  #ended(connection: Connection, how: End, kind?: ErrorKind): void {
    const nowMs = this.#nowMs();
    if (this.#attempts.delete(connection)) {
      this.#recorder.failed(connection.dueMs, SERIES, nowMs, kind as ErrorKind);
    } else {
      this.#open--;
      if (how === 'fin' || how === 'rst' || how === 'garbled') this.#lost[how]++;
      // One that the far end alone has closed is still held.
      if (connection.isOver) this.#held.delete(connection);
    }
    this.#options.behaviour.ended?.(connection, nowMs, how);
    this.#goOn(nowMs);
  }

  /** An attempt has ended: another may be due for that. */
  #goOn(nowMs: number): void {
    // A behaviour that closes connections in its turn is looked at when that is over.
    if (this.#isEnded || this.#isLooking) return;
    this.#look(nowMs);
    // One has ended, so one may begin; more wait for the next turn.
    this.#begin(1);
  }

  #wake(): void {
    if (this.#isEnded) return;
    const nowMs = this.#nowMs();
    this.#recorder.schedule.woke(this.#wakeMs, nowMs);
    this.#look(nowMs);
    this.#begin(BEGUN_PER_TURN);
    if (nowMs >= this.#nextReportMs) this.#report(nowMs);
    // Answers that lie in this machine's buffers are read before their attempts are given up: `setImmediate` runs behind the reading of sockets.
    if (this.#agenda.nextMs <= nowMs) setImmediate(() => this.#sweep());
    else this.#sleep();
  }

  #sweep(): void {
    const nowMs = this.#nowMs();
    for (let connection = this.#agenda.take(nowMs); connection && !this.#isEnded; connection = this.#agenda.take(nowMs)) {
      // An entry may speak of a moment that another one has replaced since.
      if (connection.nextMs <= nowMs) connection.act(nowMs);
    }
    this.#sleep();
  }

  #sleep(): void {
    if (this.#isEnded) return;
    const nowMs = this.#nowMs();
    if (nowMs > this.#lastMs && this.#underWay === 0 && this.#nextDueMs(nowMs) === Number.POSITIVE_INFINITY) {
      this.#end();
      return;
    }
    const nextMs = this.#waiting.length > 0 ? nowMs : Math.min(this.#nextDueMs(nowMs), this.#agenda.nextMs, nowMs + LONGEST_SLEEP_MS);
    this.#wakeMs = Math.max(nowMs, nextMs);
    const aheadMs = this.#wakeMs - nowMs;
    if (aheadMs > 0) setTimeout(() => this.#wake(), Math.max(1, Math.floor(aheadMs)));
    else setImmediate(() => this.#wake());
  }

  get #underWay(): number {
    return this.#attempts.size + this.#waiting.length;
  }

  #nextDueMs(nowMs: number): number {
    const dueMs = this.#options.behaviour.nextDueMs(nowMs, this.#underWay);
    return dueMs <= this.#lastMs ? dueMs : Number.POSITIVE_INFINITY;
  }

  /** Takes note of all attempts that have fallen due. */
  #look(nowMs: number): void {
    const { behaviour } = this.#options;
    this.#isLooking = true;
    behaviour.turn?.(Math.min(nowMs, this.#lastMs));
    for (let dueMs = this.#nextDueMs(nowMs); dueMs <= nowMs; dueMs = this.#nextDueMs(nowMs)) {
      this.#recorder.due(dueMs, SERIES, nowMs);
      this.#waiting.push({ dueMs, ticket: behaviour.take() });
    }
    this.#isLooking = false;
  }

  #begin(most: number): void {
    for (const { dueMs, ticket } of this.#waiting.splice(0, most)) {
      const connection = new Connection(this.#owner, dueMs, ticket);
      this.#attempts.add(connection);
      this.#agenda.add(connection.nextMs, connection);
    }
  }

  #report(nowMs: number): void {
    this.#nextReportMs = (Math.floor(nowMs / WINDOW_MS) + 1) * WINDOW_MS;
    const dueBeforeMs = Math.min(nowMs, this.#nextDueMs(nowMs));
    this.#tell(nowMs, nowMs, dueBeforeMs, Math.min(dueBeforeMs, this.#scheduleEndMs()));
  }

  #end(): void {
    this.#isEnded = true;
    // Everything is final: the last windows need not be over by the clock.
    this.#tell(this.#nowMs(), Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, this.#scheduleEndMs());
    this.#options.onDone();
  }

  /** End of the last window in which something could fall due. */
  #scheduleEndMs(): number {
    return (Math.floor(this.#lastMs / WINDOW_MS) + 1) * WINDOW_MS;
  }

  #tell(nowMs: number, endedBeforeMs: number, dueBeforeMs: number, scheduleBeforeMs: number): void {
    const taken = this.#recorder.take(endedBeforeMs, dueBeforeMs, scheduleBeforeMs, this.#open);
    this.#options.onReport({ atMs: nowMs, ...taken, tally: this.#recorder.takeTally(), connections: this.#open });
    this.#options.onGauges(nowMs, this.#gauges());
  }

  #gauges(): Record<string, number> {
    const { fin, rst, garbled } = this.#lost;
    let opening = 0;
    for (const connection of this.#attempts) if (connection.isConnecting) opening++;
    return {
      'connections.open': this.#open,
      'connections.waiting': this.#waiting.length,
      'connections.opening': opening,
      'connections.unanswered': this.#attempts.size - opening,
      'connections.lost': fin + rst + garbled,
      'connections.lost.fin': fin,
      'connections.lost.rst': rst,
    };
  }
}
