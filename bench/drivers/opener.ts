/**
 * Opens many connections at once, each proved by one get and its answer, and goes on proving them when it is asked to.
 */
import { monotonicMs } from '../../harness/core/clock.ts';
import type { Behaviour } from '../../harness/load/connections/behaviour.ts';
import type { Connection } from '../../harness/load/connections/connection.ts';
import { ConnectionEngine } from '../../harness/load/connections/engine.ts';
import { flood } from '../../harness/load/connections/flood.ts';
import { LocalPorts } from '../../harness/load/connections/local-ports.ts';
import type { Protocol } from '../../harness/load/protocol.ts';
import type { WireAddress, Wires } from '../../harness/load/wires/handle.ts';
import { GET } from './setup.ts';

/** Nothing in these measurements lasts longer. */
const FOR_MS = 600_000;
const TIMEOUT_MS = 30_000;

export interface OpenerOptions {
  readonly address: WireAddress;
  readonly wires: Wires;
  readonly protocol: Protocol;
  readonly count: number;
  readonly openingAtOnce: number;
}

export class Opener {
  readonly #options: OpenerOptions;
  readonly #engine: ConnectionEngine;
  readonly #connections = new Set<Connection>();
  #settled = 0;
  #answers = 0;
  #wake: () => void = () => undefined;
  /** Errors of connect that tell of this machine's own limits. */
  shortages = 0;
  firstShortage: string | undefined;

  constructor(options: OpenerOptions) {
    this.#options = options;
    const behaviour: Behaviour = {
      ...flood({ atMs: 0, count: options.count, openingAtOnce: options.openingAtOnce }),
      answered: (connection) => {
        this.#answers++;
        if (!this.#connections.has(connection)) {
          this.#connections.add(connection);
          this.#settled++;
        }
        this.#wake();
      },
      ended: (connection, _nowMs, how) => {
        if (how === 'failed') this.#settled++;
        this.#connections.delete(connection);
        this.#wake();
      },
    };
    // As every load of connections does.
    const ports = LocalPorts.ofThisKernel(0);
    this.#engine = new ConnectionEngine({
      wires: options.wires,
      address: options.address,
      ...(ports ? { ports } : {}),
      protocol: options.protocol,
      operation: GET,
      drawKey: () => 0,
      behaviour,
      tenant: 'everyone',
      timeoutMs: TIMEOUT_MS,
      deadlineMs: TIMEOUT_MS,
      closeBy: 'reset',
      zeroMs: monotonicMs(),
      forMs: FOR_MS,
      onReport: () => undefined,
      onGauges: () => undefined,
      onDone: () => undefined,
      onShortOf: (code) => {
        this.shortages++;
        this.firstShortage ??= code;
      },
    });
  }

  /** Connections that are open and were answered. */
  get open(): number {
    return this.#connections.size;
  }

  /** Opens all; resolves when each was answered or has failed. */
  async openAll(): Promise<void> {
    this.#engine.start();
    await this.#until(() => this.#settled === this.#options.count);
  }

  /** Asks once more on each connection, a few at a time; resolves to how many answered within `patienceMs`. */
  async proveAll(patienceMs: number): Promise<number> {
    const before = this.#answers;
    let asked = 0;
    const all = [...this.#connections];
    const askMore = (): void => {
      while (asked < all.length && asked - (this.#answers - before) < this.#options.openingAtOnce) all[asked++]?.ask();
    };
    await this.#until(() => {
      askMore();
      return this.#answers - before >= all.length;
    }, patienceMs);
    return this.#answers - before;
  }

  /** Closes all with a reset, so that no port of ours stays behind in TIME_WAIT. */
  close(): void {
    for (const connection of this.#connections) connection.leave();
    this.#engine.close();
  }

  /** Resolves as soon as it is so, looked at after each answer and each end; or when the time is over. */
  #until(isSo: () => boolean, patienceMs = FOR_MS): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(settle, patienceMs);
      this.#wake = () => {
        if (isSo()) settle();
      };
      this.#wake();
    });
  }
}
