/** What this kernel says of the sockets in this network namespace and of the whole host's processors. */
import { readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { monotonicMs } from '../../harness/core/clock.ts';

const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];

/** Linux, include/net/tcp_states.h. */
const STATES = ['', 'ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'FIN_WAIT1', 'FIN_WAIT2', 'TIME_WAIT', 'CLOSE', 'CLOSE_WAIT', 'LAST_ACK', 'LISTEN', 'CLOSING'];

/**
 * The kernel's tables in which a port is listened on: IPv4, IPv6, or both. Reading one walks the whole host's hash of sockets, some milliseconds each
 * time, so a table that cannot hold anything of interest is not read.
 */
export function tablesOf(port: number): string[] {
  return TABLES.filter((table) => rowsOf(table, port).some(({ state }) => state === 'LISTEN'));
}

/** Sockets whose local port is `port`, by state, as 'sockets.<state>', and those that hold a descriptor of the process as 'sockets.total'. */
export function socketsByState(port: number, tables: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = { 'sockets.total': 0, 'sockets.ESTABLISHED': 0, 'sockets.CLOSE_WAIT': 0 };
  for (const { state } of tables.flatMap((table) => rowsOf(table, port))) {
    if (state === 'LISTEN') continue;
    counts[`sockets.${state}`] = (counts[`sockets.${state}`] ?? 0) + 1;
    // In TIME_WAIT and while the handshake is under way no process holds a descriptor.
    if (state !== 'TIME_WAIT' && state !== 'SYN_RECV') counts['sockets.total'] = (counts['sockets.total'] ?? 0) + 1;
  }
  return counts;
}

/** The far ends of the sockets at a local port, as address:port; not of those that listen, or only wait for late packets. */
export function farEnds(port: number): string[] {
  const rows = TABLES.flatMap((table) => rowsOf(table, port));
  return rows.filter(({ state }) => state !== 'LISTEN' && state !== 'TIME_WAIT').map(({ far }) => readable(far));
}

/** Sockets at a local port whose far end is at this address: how many stand, of how many the far end has closed its half, and of how many it has not taken all bytes. */
export function connectionsFrom(port: number, address: string): { standing: number; halfClosed: number; unread: number } {
  const rows = TABLES.flatMap((table) => rowsOf(table, port));
  const over = ['LISTEN', 'TIME_WAIT', 'SYN_RECV'];
  const those = rows.filter(({ state, far }) => !over.includes(state) && readable(far).startsWith(`${address}:`));
  // A table comes in pieces, and a row can move into the next one meanwhile: while 3,900 connections were opened, 5,441 rows were read.
  const standing = [...new Map(those.map((row) => [row.far, row])).values()];
  return {
    standing: standing.length,
    halfClosed: standing.filter(({ state }) => state === 'CLOSE_WAIT').length,
    unread: standing.filter(({ unsent }) => unsent > 0).length,
  };
}

/** '020011AC:D431' to '172.17.0.2:54321': the last four bytes are all of an IPv4 address, and of one mapped into IPv6, in this machine's order. */
function readable(far: string): string {
  const [address = '', port = ''] = far.split(':');
  const bytes = Buffer.from(address.slice(-8), 'hex');
  return `${[...(endianness() === 'LE' ? bytes.toReversed() : bytes)].join('.')}:${Number.parseInt(port, 16)}`;
}

/** `unsent`: bytes that wait here until the far end takes them. */
function rowsOf(table: string, port: number): { state: string; far: string; unsent: number }[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows: { state: string; far: string; unsent: number }[] = [];
  for (const line of readFileSync(table, 'latin1').split('\n').slice(1)) {
    const [, address, far = '', code, queues = ''] = line.trim().split(/\s+/, 5);
    if (address?.endsWith(local) && code !== undefined)
      rows.push({ state: STATES[Number.parseInt(code, 16)] ?? code, far, unsent: Number.parseInt(queues, 16) });
  }
  return rows;
}

/**
 * A reader of how busy this kernel's whole host was since the last reading. Each reading takes two small files:
 * - `host.idle`, `host.steal`: shares of all its processors; stolen is what another machine on the same hardware got.
 * - `host.runQueue`: tasks that run or want to, at this moment, without the reader itself.
 * - `host.cpuPressure`: share of the time in which some task waited for a processor; only where the kernel counts it (PSI).
 */
export function hostGauges(proc = '/proc'): () => Record<string, number> {
  let last = hostTimes(proc);
  return () => {
    const now = hostTimes(proc);
    const ticks = now.total - last.total;
    const gauges: Record<string, number> = { 'host.runQueue': Math.max(0, now.running - 1) };
    if (ticks > 0) {
      gauges['host.idle'] = (now.idle - last.idle) / ticks;
      gauges['host.steal'] = (now.steal - last.steal) / ticks;
    }
    const sinceUs = (now.atMs - last.atMs) * 1_000;
    // The kernel brings its sum up to date only now and then, so that a short reading can find more waiting than there was time.
    if (now.waitedUs !== undefined && last.waitedUs !== undefined && sinceUs > 0)
      gauges['host.cpuPressure'] = Math.min(1, (now.waitedUs - last.waitedUs) / sinceUs);
    last = now;
    return gauges;
  };
}

interface HostTimes {
  readonly atMs: number;
  /** Ticks since boot, over all processors. */
  readonly total: number;
  readonly idle: number;
  readonly steal: number;
  readonly running: number;
  readonly waitedUs: number | undefined;
}

function hostTimes(proc: string): HostTimes {
  const text = readFileSync(`${proc}/stat`, 'latin1');
  const [, ...fields] = (text.split('\n', 1)[0] ?? '').split(/\s+/);
  // user nice system idle iowait irq softirq steal (proc(5)); guest times are contained in user and nice.
  const times = fields.slice(0, 8).map(Number);
  return {
    atMs: monotonicMs(),
    total: times.reduce((sum, time) => sum + time, 0),
    idle: (times[3] ?? 0) + (times[4] ?? 0),
    steal: times[7] ?? 0,
    running: Number(/^procs_running (\d+)/m.exec(text)?.[1] ?? 0),
    waitedUs: waitedUs(`${proc}/pressure/cpu`),
  };
}

/** 'some avg10=0.00 avg60=0.00 avg300=0.00 total=2175003104': microseconds since boot in which some task waited. Undefined where the kernel does not count. */
function waitedUs(path: string): number | undefined {
  try {
    return Number(/^some .*total=(\d+)/m.exec(readFileSync(path, 'latin1'))?.[1] ?? Number.NaN);
  } catch (thrown) {
    // Built without it, or switched off at boot (psi=0).
    if (['ENOENT', 'EOPNOTSUPP', 'EACCES'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw thrown;
  }
}
