/**
 * This end's sockets towards one far address, by state, as this kernel counts them: what the engine believes of its connections, held against what is.
 *
 * They stand in /proc/self/net/tcp, of which no part can be asked for, and which comes in pieces of 4 kB: 2.4 MB with 16,000 connections, 33 ms of processor time, and 13 ms with 2,000. By
 * the event loop's own means (`fs.promises`) that is twice as much, a third of which stands in its way. So a thread of its own reads it, at most twice a second and for at most a twentieth of a core.
 */
import { readSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { endianness } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { WireAddress } from '../wires/handle.ts';

/** Linux, include/net/tcp_states.h. */
const STATES = ['', 'ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'FIN_WAIT1', 'FIN_WAIT2', 'TIME_WAIT', 'CLOSE', 'CLOSE_WAIT', 'LAST_ACK', 'LISTEN', 'CLOSING'];

const PIECE_BYTES = 65_536;
const LINE_END = 10;
const COLON = 58;

export interface ThreadSettings {
  readonly table: string;
  /** The far end as it stands in the table. */
  readonly far: string;
}

/** What the thread tells: that it could open the table, or why not; then counts with the moment of each on the monotonic clock. */
export type FromThread =
  | { readonly opened: true }
  | { readonly opened: false; readonly why: string }
  | { readonly clockMs: number; readonly gauges: Readonly<Record<string, number>> };

/** 'sockets.<state>' of the sockets that lead to the address, and when that was, on the monotonic clock. */
export type TellSockets = (gauges: Readonly<Record<string, number>>, clockMs: number) => void;

export class OwnSockets {
  readonly #thread: Worker;

  /** Answers with why there are no counts where the table cannot be read. It is opened here, so that a load which has used up its descriptors is still counted. */
  static async open(address: WireAddress): Promise<OwnSockets | string> {
    const settings: ThreadSettings = { table: isIPv6(address.host) ? '/proc/self/net/tcp6' : '/proc/self/net/tcp', far: inTable(address) };
    const thread = new Worker(new URL('./own-sockets-thread.ts', import.meta.url), { workerData: settings });
    // The load ends when it ends.
    thread.unref();
    const first = await new Promise<FromThread>((resolve, reject) => thread.once('message', resolve).once('error', reject));
    return 'opened' in first && !first.opened ? first.why : new OwnSockets(thread);
  }

  private constructor(thread: Worker) {
    this.#thread = thread;
  }

  /** Counts now and every so often. */
  start(tell: TellSockets): void {
    this.#thread.on('message', (message: FromThread) => {
      if ('gauges' in message) tell(message.gauges, message.clockMs);
    });
    this.#thread.postMessage('start');
  }

  close(): void {
    this.#thread.removeAllListeners('message');
    void this.#thread.terminate();
  }
}

/** Reads an open table once. States of which there is none are left out, but for those that loads are judged by. */
export function countSockets(table: number, far: Buffer): Record<string, number> {
  const counts = Array.from({ length: STATES.length }, () => 0);
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  // A line that a piece ends in is put before the next one.
  let kept = 0;
  for (let position = 0; ; ) {
    const length = readSync(table, piece, kept, PIECE_BYTES - kept, position);
    if (length === 0) break;
    position += length;
    const end = kept + length;
    const from = countLines(piece, end, far, counts);
    piece.copyWithin(0, from, end);
    kept = end - from;
  }
  const gauges: Record<string, number> = { 'sockets.ESTABLISHED': 0, 'sockets.CLOSE_WAIT': 0, 'sockets.TIME_WAIT': 0 };
  counts.forEach((count, state) => {
    if (count > 0) gauges[`sockets.${STATES[state]}`] = count;
  });
  return gauges;
}

/** Counts whole lines by state; answers with where the first line begins that is not whole. `  12: 0100007F:C350 0200007F:2BCB 01 ...`: number, near, far, state. */
function countLines(bytes: Buffer, end: number, far: Buffer, counts: number[]): number {
  let line = 0;
  for (;;) {
    const next = bytes.indexOf(LINE_END, line) + 1;
    if (next === 0 || next > end) return line;
    // Behind the number come a space, the near end, which is as long as the far one, and a space.
    const farAt = bytes.indexOf(COLON, line) + 2 + far.length + 1;
    const stateAt = farAt + far.length + 1;
    if (stateAt + 2 < next && bytes.compare(far, 0, far.length, farAt, farAt + far.length) === 0) {
      const state = Number.parseInt(bytes.toString('latin1', stateAt, stateAt + 2), 16);
      counts[state] = (counts[state] ?? 0) + 1;
    }
    line = next;
  }
}

/** '127.0.0.1', 11211 to '0100007F:2BCB': words of four bytes in this machine's own order, as hexadecimal numbers. */
export function inTable({ host, port }: WireAddress): string {
  const bytes = isIPv6(host) ? bytesOfIPv6(host) : host.split('.').map(Number);
  const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0');
  let words = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const word = bytes.slice(at, at + 4).map(hex);
    words += (endianness() === 'LE' ? word.reverse() : word).join('');
  }
  return `${words}:${hex(port >> 8)}${hex(port & 0xff)}`;
}

/** Sixteen bytes. */
function bytesOfIPv6(host: string): number[] {
  // The parser of addresses writes every address in one way: groups in hexadecimal, the longest run of zeros left out.
  const [head = '', tail] = new URL(`http://[${host}]/`).hostname.slice(1, -1).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}
