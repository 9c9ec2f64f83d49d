/**
 * Datagrams that are numbered and stamped, and taken in again at the other end: how many came, how often, in which order and how long each was under way. Both ends read the kernel's monotonic
 * clock, which is one for all containers of an engine.
 */
import { createSocket, type Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';

export interface Flight {
  readonly host: string;
  readonly port: number;
  /** The port that they come from; any, when left out. */
  readonly fromPort?: number;
  /** What they are told from all others by: 0 to 2^32 - 1. */
  readonly mark: number;
  readonly count: number;
  readonly perSecond: number;
}

export interface Landed {
  /** All that came, and how many of them bore a number that had not come yet. */
  readonly count: number;
  readonly distinct: number;
  /** The numbers of those that came after one that was sent later. */
  readonly overtaken: readonly number[];
  /** Datagrams that the kernel threw away because their checksum was wrong. */
  readonly damaged: number;
  /** How long each of the distinct ones was under way, ms, in the order in which they were sent. */
  readonly underWayMs: readonly number[];
  /** Of those that were overtaken, in the order of `overtaken`. */
  readonly overtakenMs: readonly number[];
}

export type FlightOrder =
  | { readonly fly: Flight }
  /** Takes in what bears this mark from now on, at this port or at any free one. */
  | { readonly expect: number; readonly port?: number }
  /** What has come of it until now. */
  | { readonly landed: number }
  | { readonly close: number };

const LENGTH = 64;
const EVERY_MS = 1;

/** Answers with what the order asks for: where a flight is expected, or what has landed. Rejects when a port cannot be had. */
export async function flight(order: FlightOrder): Promise<{ port?: number; landed?: Landed }> {
  if ('fly' in order) await fly(order.fly);
  else if ('expect' in order) return { port: await expectFlight(order.expect, order.port) };
  else if ('landed' in order) return { landed: landed(order.landed) };
  else await close(order.close);
  return {};
}

/** Resolves when the last is with the kernel. */
async function fly({ host, port, fromPort = 0, mark, count, perSecond }: Flight): Promise<void> {
  const socket = await bound(fromPort);
  // A refusal by the far end is no concern of ours.
  socket.on('error', () => undefined);
  const beganAt = performance.now();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.ceil(((performance.now() - beganAt + EVERY_MS) * perSecond) / 1_000));
    for (; sent < due; sent++) {
      const bytes = Buffer.alloc(LENGTH);
      bytes.writeUInt32BE(mark, 0);
      bytes.writeUInt32BE(sent, 4);
      bytes.writeBigUInt64BE(process.hrtime.bigint(), 8);
      socket.send(bytes, port, host);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await new Promise<void>((resolve) => socket.close(resolve));
}

interface Landing {
  readonly socket: Socket;
  readonly damagedBefore: number;
  readonly underWayMs: Map<number, number>;
  count: number;
  last: number;
  readonly overtaken: number[];
}

const landings = new Map<number, Landing>();

async function expectFlight(mark: number, port = 0): Promise<number> {
  const socket = await bound(port);
  const landing: Landing = { socket, damagedBefore: damagedDatagrams(), underWayMs: new Map(), count: 0, last: -1, overtaken: [] };
  landings.set(mark, landing);
  socket.on('error', () => undefined);
  socket.on('message', (bytes) => {
    const now = process.hrtime.bigint();
    if (bytes.length !== LENGTH || bytes.readUInt32BE(0) !== mark) return;
    landing.count++;
    const number = bytes.readUInt32BE(4);
    if (landing.underWayMs.has(number)) return;
    landing.underWayMs.set(number, Number(now - bytes.readBigUInt64BE(8)) / 1e6);
    if (number < landing.last) landing.overtaken.push(number);
    else landing.last = number;
  });
  return socket.address().port;
}

function landed(mark: number): Landed {
  const landing = landings.get(mark);
  if (!landing) throw new Error(`no flight ${mark} was expected here`);
  const { count, overtaken, underWayMs } = landing;
  const inOrder = [...underWayMs].sort(([a], [b]) => a - b).map(([, ms]) => ms);
  const damaged = damagedDatagrams() - landing.damagedBefore;
  return { count, distinct: underWayMs.size, overtaken, damaged, underWayMs: inOrder, overtakenMs: overtaken.map((number) => underWayMs.get(number) ?? 0) };
}

async function close(mark: number): Promise<void> {
  const landing = landings.get(mark);
  if (!landing) return;
  landings.delete(mark);
  await new Promise<void>((resolve) => landing.socket.close(resolve));
}

function bound(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** Datagrams that this network namespace has thrown away for their checksum: proc(5), /proc/net/snmp, 'Udp: InDatagrams NoPorts ... InCsumErrors ...' above its numbers. */
export function damagedDatagrams(path = '/proc/self/net/snmp'): number {
  const [names, numbers] = readFileSync(path, 'latin1')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  const value = Number(numbers?.[names?.indexOf('InCsumErrors') ?? -1]);
  if (Number.isNaN(value)) throw new Error('this kernel does not count damaged datagrams');
  return value;
}
