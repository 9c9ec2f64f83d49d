/**
 * TCP connections as thin as Node gives them: the one module in which a handle of Node's own inside may stand.
 *
 * `node:net` makes a stream of every connection, which a flood of thousands pays for and has no use of. Beneath it lies the handle that a stream wraps
 * (`process.binding('tcp_wrap')`, `('stream_wrap')`): no public interface, so it is used only after a look at its shape and a whole
 * conversation with ourselves over loopback, and `node:net` does the same work wherever that fails, is refused by Node's permission model, or would
 * print a deprecation warning.
 *
 * What it buys, measured with Node 24.21 on one core, against a server of a few lines in C on the other (medians of 7 interleaved rounds): 16,000 connections, 128 at once, each
 * answered 40 bytes: 20.0k/s, 44 us of processor time and 950 bytes each, by `node:net` 13.9k/s, 67 us and 3,130 bytes. Requests of 40 bytes on 50 connections, one write
 * each: 151k/s and 6.6 us of processor time, by `node:net` 140k/s and 7.1 us.
 */
import { createServer, isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { InputError, messageOf } from '../../core/errors.ts';
import { WIRES_VARIABLE, wiresAskedFor } from './asked-for.ts';
import { lookingUp } from './named-wire.ts';
import { HEARD, publicWires } from './net-wire.ts';

export interface WireAddress {
  /** An IP address, or a name that is looked up for each connection. */
  readonly host: string;
  readonly port: number;
  /** This end's port; without it, the kernel chooses one. In use already, it fails with EADDRINUSE or EADDRNOTAVAIL. */
  readonly localPort?: number;
}

/** What a connection tells its owner. Nothing is told before `open` has returned, nor after the owner closed or reset it. */
export interface WireEvents {
  connected(): void;
  /** `length` bytes came, at the start of `bytes`; the buffer is only lent for the time of the call. */
  heard(bytes: Buffer, length: number): void;
  /** The far end will send no more (FIN). The wire stays open until its owner closes it. */
  ended(): void;
  /** All that `write` had kept is with the kernel now. */
  drained(): void;
  /** It could not connect, was reset, or could not be written to: a code such as 'ECONNREFUSED'. The wire is closed. */
  failed(code: string): void;
}

export interface Wire {
  /**
   * Sends bytes; only once connected. True when the kernel has taken them all and the buffer is free for other use. False when some are kept: then these
   * bytes must not be changed before `drained`, so a caller that fills one buffer again and again takes another one.
   */
  write(bytes: Buffer): boolean;
  /** Sends FIN behind what was written, and goes on hearing. */
  end(): void;
  /** Closes with RST: what is under way is thrown away, and no port is kept in TIME_WAIT. */
  reset(): void;
  close(): void;
  /** Whether the kernel's receive buffer is emptied; it is from the start. */
  readStop(): void;
  readStart(): void;
}

export interface Wires {
  readonly kind: 'internal' | 'public';
  /** Why it is the public one; absent where it is not, or was asked for. */
  readonly why?: string;
  open(address: WireAddress, events: WireEvents): Wire;
}

export { publicWires };

/** A note for whoever reads of the run. */
export function byPublicMeans(why: string): string {
  return `connections are opened by node:net, which takes more memory and processor time: ${why}`;
}

/** A conversation over loopback takes a millisecond or two. */
const SELF_CHECK_WITHIN_MS = 1_000;

/** The internal handle where it is there and works, else `node:net`. Throws InputError when 'internal' is asked for and cannot be had. */
export async function chooseWires(wanted = wiresAskedFor()): Promise<Wires> {
  if (wanted === 'public') return publicWires();
  const internal = internalWires();
  const why = typeof internal === 'string' ? internal : await selfCheck(internal);
  if (why === undefined) return internal as Wires;
  if (wanted === 'internal') throw new InputError(`${WIRES_VARIABLE}: 'internal' cannot be had: ${why}`);
  return publicWires(why);
}

/** As much of Node's inside as is used here. Numbers are 0 or a negative errno; `this` of a callback is the object that it stands on. */
interface TcpHandle {
  onread: (this: TcpHandle) => void;
  wire: InternalWire;
  bind(host: string, port: number): number;
  bind6(host: string, port: number, flags: number): number;
  connect(request: Request, host: string, port: number): number;
  connect6(request: Request, host: string, port: number): number;
  setNoDelay(on: boolean): number;
  useUserBuffer(buffer: Buffer): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: Request, bytes: Buffer): number;
  shutdown(request: Request): number;
  reset(): number;
  close(): void;
}
interface Request {
  oncomplete: (this: Request, status: number) => void;
  wire: InternalWire;
  /** Kept from the collector while the kernel has not taken them. */
  bytes?: Buffer;
}
type Class<T> = new (type?: number) => T;
interface Inside {
  readonly TCP: Class<TcpHandle>;
  readonly ConnectRequest: Class<Request>;
  readonly WriteRequest: Class<Request>;
  readonly ShutdownRequest: Class<Request>;
  /** What the last read and the last write came to. */
  readonly state: Int32Array;
  readonly readAt: number;
  readonly keptAt: number;
}

/** Linux, errno.h, negated as libuv does; its own number for the end of a stream is -4095 everywhere. */
const END_OF_STREAM = -4_095;

/** The internal wires, or why there are none. */
function internalWires(): Wires | string {
  const flags = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  if (flags.includes('pending-deprecation') || process.env['NODE_PENDING_DEPRECATION'] === '1') return 'it would print a deprecation warning';
  let inside: Inside;
  try {
    const { binding } = process as unknown as { binding(name: string): Record<string, unknown> };
    const [tcp, stream] = [binding('tcp_wrap'), binding('stream_wrap')];
    inside = {
      TCP: tcp['TCP'],
      ConnectRequest: tcp['TCPConnectWrap'],
      WriteRequest: stream['WriteWrap'],
      ShutdownRequest: stream['ShutdownWrap'],
      state: stream['streamBaseState'],
      readAt: stream['kReadBytesOrError'],
      keptAt: stream['kLastWriteWasAsync'],
    } as Inside;
  } catch (thrown) {
    return messageOf(thrown);
  }
  const missing = Object.entries(inside).find(([, value]) => value === undefined);
  if (missing) return `this Node has no ${missing[0]} there`;
  return { kind: 'internal', open: lookingUp((address, events) => new InternalWire(inside, address, events)) };
}

// One function each for all wires: the object that it is called on leads to its own.
function onConnect(this: Request, status: number): void {
  this.wire.connectEnded(status);
}
function onWritten(this: Request, status: number): void {
  this.wire.writeEnded(status);
}
function onShutdown(this: Request, status: number): void {
  if (status !== 0) this.wire.fail(status);
}
function onRead(this: TcpHandle): void {
  this.wire.readEnded();
}

/** A write that is taken at once leaves its request untouched, for the next one. */
let spareWrite: Request | undefined;

class InternalWire implements Wire {
  readonly #inside: Inside;
  readonly #handle: TcpHandle;
  readonly #events: WireEvents;
  #closed = false;
  /** Writes that the kernel has not taken. */
  #kept = 0;

  constructor(inside: Inside, { host, port, localPort }: WireAddress, events: WireEvents) {
    this.#inside = inside;
    this.#events = events;
    // 0: a socket that connects, not one that listens.
    this.#handle = new inside.TCP(0);
    this.#handle.wire = this;
    this.#handle.onread = onRead;
    const isIPv6Host = isIPv6(host);
    if (localPort !== undefined) this.#check(isIPv6Host ? this.#handle.bind6('::', localPort, 0) : this.#handle.bind('0.0.0.0', localPort));
    const request = this.#request(inside.ConnectRequest, onConnect);
    this.#check(isIPv6Host ? this.#handle.connect6(request, host, port) : this.#handle.connect(request, host, port));
  }

  #request(of: Class<Request>, oncomplete: Request['oncomplete']): Request {
    const request = new of();
    request.oncomplete = oncomplete;
    request.wire = this;
    return request;
  }

  /** What fails at once is told like what fails later. */
  #check(status: number): void {
    if (status < 0) process.nextTick(() => this.fail(status));
  }

  connectEnded(status: number): void {
    if (this.#closed) return;
    if (status !== 0) {
      this.fail(status);
      return;
    }
    this.#handle.setNoDelay(true);
    this.#handle.useUserBuffer(HEARD);
    this.#handle.readStart();
    this.#events.connected();
  }

  readEnded(): void {
    const length = this.#inside.state[this.#inside.readAt] as number;
    if (this.#closed || length === 0) return;
    if (length > 0) this.#events.heard(HEARD, length);
    else if (length === END_OF_STREAM) this.#events.ended();
    else this.fail(length);
  }

  writeEnded(status: number): void {
    if (this.#closed) return;
    this.#kept--;
    if (status !== 0) this.fail(status);
    else if (this.#kept === 0) this.#events.drained();
  }

  fail(status: number): void {
    if (this.#closed) return;
    this.close();
    this.#events.failed(getSystemErrorName(status));
  }

  write(bytes: Buffer): boolean {
    const { WriteRequest, state, keptAt } = this.#inside;
    const request = spareWrite ?? new WriteRequest();
    spareWrite = undefined;
    const status = this.#handle.writeBuffer(request, bytes);
    this.#check(status);
    if (status !== 0 || state[keptAt] === 0) {
      spareWrite = request;
      return this.#kept === 0;
    }
    request.oncomplete = onWritten;
    request.wire = this;
    request.bytes = bytes;
    this.#kept++;
    return false;
  }

  end(): void {
    this.#check(this.#handle.shutdown(this.#request(this.#inside.ShutdownRequest, onShutdown)));
  }

  reset(): void {
    if (this.#closed) return;
    // Not possible while a FIN is on its way: then the wire is closed without.
    if (this.#handle.reset() === 0) this.#closed = true;
    else this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handle.close();
  }

  readStop(): void {
    this.#handle.readStop();
  }

  readStart(): void {
    this.#handle.readStart();
  }
}

/** Talks to itself over loopback: connects, says a word, hears it, sees both FINs, and is refused where nobody listens. Answers with what went wrong. */
async function selfCheck(wires: Wires): Promise<string | undefined> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => undefined).pipe(socket));
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as { port: number };
    return await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(() => resolve('a word to itself over loopback was not answered within 1 s'), SELF_CHECK_WITHIN_MS);
      const settle = (trouble?: string) => {
        clearTimeout(timer);
        resolve(trouble);
      };
      let heard = '';
      const wire = wires.open(
        { host: '127.0.0.1', port },
        {
          connected: () => {
            wire.write(Buffer.from('word'));
            wire.end();
          },
          heard: (bytes, length) => {
            heard += bytes.toString('latin1', 0, length);
          },
          ended: () => {
            wire.close();
            settle(heard === 'word' ? undefined : `over loopback it said 'word' to itself and heard '${heard}'`);
          },
          drained: () => undefined,
          failed: (code) => settle(`over loopback it failed with ${code}`),
        },
      );
    });
  } catch (thrown) {
    return messageOf(thrown);
  } finally {
    server.close();
  }
}
