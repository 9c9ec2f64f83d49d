/**
 * A wire to a name: the name is looked up anew for each connection, as `node:net` does it, and then dialled. By the system's own resolver (getaddrinfo), of which libuv lets two be under
 * way at a time in a whole process (half of its four threads): while two look-ups wait for a slow name service, a third waits for them, whatever name it is for.
 */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Wire, WireAddress, WireEvents, Wires } from './handle.ts';

/** Opens addresses as it is, and names once they are looked up. A name that nobody knows fails with ENOTFOUND, one of which nobody can tell with EAI_AGAIN. */
export function lookingUp(open: Wires['open']): Wires['open'] {
  return (address, events) => (isIP(address.host) === 0 ? new NamedWire(open, address, events) : open(address, events));
}

class NamedWire implements Wire {
  #wire: Wire | undefined;
  #closed = false;

  constructor(open: Wires['open'], address: WireAddress, events: WireEvents) {
    // A look-up cannot be called off: one that nobody waits for any more keeps its thread until it ends.
    lookup(address.host, (error, host) => {
      if (this.#closed) return;
      if (error) events.failed(error.code ?? 'UNKNOWN');
      else this.#wire = open({ ...address, host }, events);
    });
  }

  write(bytes: Buffer): boolean {
    return this.#dialled.write(bytes);
  }

  end(): void {
    this.#dialled.end();
  }

  reset(): void {
    this.#closed = true;
    this.#wire?.reset();
  }

  close(): void {
    this.#closed = true;
    this.#wire?.close();
  }

  readStop(): void {
    this.#dialled.readStop();
  }

  readStart(): void {
    this.#dialled.readStart();
  }

  /** Nobody writes before he was told that it is connected. */
  get #dialled(): Wire {
    if (!this.#wire) throw new Error('a wire was used before it was connected');
    return this.#wire;
  }
}
