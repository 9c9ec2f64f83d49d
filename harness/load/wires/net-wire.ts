/** A wire by the public `node:net`. */
import { connect, type Socket } from 'node:net';
import type { Wire, WireAddress, WireEvents, Wires } from './handle.ts';

/** One buffer for everything that is heard: each part of it is handled before the next is read. */
export const HEARD = Buffer.allocUnsafeSlow(65_536);

const NOTHING = Buffer.alloc(0);

/** `why` nothing better can be had, where something better was looked for. */
export function publicWires(why?: string): Wires {
  return { kind: 'public', ...(why === undefined ? {} : { why }), open: (address, events) => new PublicWire(address, events) };
}

class PublicWire implements Wire {
  readonly #socket: Socket;
  readonly #events: WireEvents;
  #closed = false;
  #keeps = false;

  constructor({ host, port, localPort }: WireAddress, events: WireEvents) {
    this.#events = events;
    const callback = (length: number) => {
      if (!this.#closed) events.heard(HEARD, length);
      return true;
    };
    // Half open, as the handle beneath is: whether a FIN is answered is for the owner to say.
    this.#socket = connect({
      host,
      port,
      ...(localPort === undefined ? {} : { localPort }),
      noDelay: true,
      allowHalfOpen: true,
      onread: { buffer: HEARD, callback },
    });
    this.#socket.on('connect', () => {
      if (!this.#closed) events.connected();
    });
    this.#socket.on('end', () => {
      if (!this.#closed) events.ended();
    });
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#closed) return;
      this.#closed = true;
      events.failed(error.code ?? 'UNKNOWN');
    });
  }

  write(bytes: Buffer): boolean {
    this.#socket.write(bytes);
    if (this.#socket.writableLength === 0) return true;
    // Nothing, behind these bytes, tells of their end: a word for each write costs 1.4 us, and few are kept.
    this.#socket.write(NOTHING, this.#taken);
    this.#keeps = true;
    return false;
  }

  readonly #taken = () => {
    // Several that were kept are taken together.
    if (!this.#keeps || this.#closed || this.#socket.writableLength > 0) return;
    this.#keeps = false;
    this.#events.drained();
  };

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#closed = true;
    this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  readStop(): void {
    this.#socket.pause();
  }

  readStart(): void {
    this.#socket.resume();
  }
}
