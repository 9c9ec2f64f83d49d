/** What this kernel says of the sockets in this network namespace and of the whole host's processors. */
import { readFileSync } from 'node:fs';

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

function rowsOf(table: string, port: number): { state: string }[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows: { state: string }[] = [];
  for (const line of readFileSync(table, 'latin1').split('\n').slice(1)) {
    const [, address, , code] = line.trim().split(/\s+/, 4);
    if (address?.endsWith(local) && code !== undefined) rows.push({ state: STATES[Number.parseInt(code, 16)] ?? code });
  }
  return rows;
}

/** A reader of how idle the host was, and how much was stolen from it, since the last reading: shares of all its processors. */
export function idleShare(): () => Record<string, number> {
  let last = processorTimes();
  return () => {
    const now = processorTimes();
    const total = now.total - last.total;
    const gauges = total > 0 ? { 'host.idle': (now.idle - last.idle) / total, 'host.steal': (now.steal - last.steal) / total } : {};
    last = now;
    return gauges;
  };
}

function processorTimes(): { total: number; idle: number; steal: number } {
  const [, ...fields] = (readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '').split(/\s+/);
  // user nice system idle iowait irq softirq steal (proc(5)); guest times are contained in user and nice.
  const times = fields.slice(0, 8).map(Number);
  return { total: times.reduce((sum, time) => sum + time, 0), idle: (times[3] ?? 0) + (times[4] ?? 0), steal: times[7] ?? 0 };
}
