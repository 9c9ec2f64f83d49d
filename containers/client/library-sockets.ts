/**
 * Sees the TCP connections of this process, whoever opens them: an application's library keeps its connections to itself, and a generator has to tell
 * how many it holds and opens, and how often it asks.
 *
 * It stands in front of `Socket.prototype.connect`, which every way of opening a connection in Node ends in, so that nothing
 * here depends on the inside of a library. It listens and counts, and changes nothing that the library does or hears.
 */
import { type EventEmitter, errorMonitor } from 'node:events';
import { Socket } from 'node:net';

export interface SocketEvents {
  connected(): void;
  /** A write of bytes that `isRequest` takes for a request. */
  sent(): void;
  /** This machine, not the system under test, could not open a connection: a code such as EMFILE. */
  shortOf(code: string): void;
}

export interface SocketWatch {
  /** Connections that are open. */
  readonly open: number;
  /** Closes all connections at once, and watches no more. */
  close(): void;
}

/** Errors of connect that tell of the client's own limits. */
const OWN_LIMITS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** Watches all connections that are opened from now on. One watch at a time. */
export function watchSockets(events: SocketEvents, isRequest: (bytes: Uint8Array | string) => boolean = () => true): SocketWatch {
  const sockets = new Set<Socket>();
  let open = 0;

  const watch = (socket: Socket) => {
    sockets.add(socket);
    let isOpen = false;
    socket.once('connect', () => {
      isOpen = true;
      open++;
      events.connected();
    });
    socket.once('close', () => {
      sockets.delete(socket);
      if (isOpen) open--;
    });
    // Unlike 'error', this takes no error away from a library that does not listen.
    (socket as EventEmitter).once(errorMonitor, (error: NodeJS.ErrnoException) => {
      if (OWN_LIMITS.has(error.code ?? '')) events.shortOf(error.code as string);
    });
  };
  const watchWrites = (socket: Socket) => {
    const write: (...bytes: never[]) => boolean = socket.write;
    socket.write = (...bytes: never[]) => {
      if (isRequest(bytes[0] as unknown as Uint8Array | string)) events.sent();
      return Reflect.apply(write, socket, bytes);
    };
  };

  const connect: (...target: never[]) => Socket = Socket.prototype.connect;
  Socket.prototype.connect = function (this: Socket, ...target: never[]) {
    watch(this);
    Reflect.apply(connect, this, target);
    // Only now: `connect` puts back the `write` of the prototype.
    watchWrites(this);
    return this;
  };

  return {
    get open() {
      return open;
    },
    close: () => {
      Socket.prototype.connect = connect as Socket['connect'];
      for (const socket of sockets) socket.destroy();
    },
  };
}
