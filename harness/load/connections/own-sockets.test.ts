import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../pool/pool.fixture.ts';
import { FarEnd } from './far-end.fixture.ts';
import { countSockets, inTable, OwnSockets } from './own-sockets.ts';

describe('the table of sockets', () => {
  it('holds addresses as numbers in the order of this machine', () => {
    expect(inTable({ host: '127.0.0.1', port: 11_211 })).toBe('0100007F:2BCB');
    expect(inTable({ host: '::1', port: 80 })).toBe('00000000000000000000000001000000:0050');
    expect(inTable({ host: '2001:db8::ff00:42:8329', port: 1 })).toBe('B80D01200000000000FF000029834200:0001');
  });

  it.runIf(process.platform === 'linux')('is counted by state, for one far address alone', async () => {
    await using far = await FarEnd.listen(undefined, false);
    await using other = await FarEnd.listen();
    const table = openSync('/proc/self/net/tcp', 'r');
    const count = () => countSockets(table, Buffer.from(inTable({ host: '127.0.0.1', port: far.port })));
    const opened = [...Array.from({ length: 700 }, () => far.port), other.port].map((port) => connect({ host: '127.0.0.1', port, allowHalfOpen: true }));
    await Promise.all(opened.map((socket) => once(socket, 'connect')));
    await until(() => far.seen.length === 700);
    expect(count()).toEqual({ 'sockets.ESTABLISHED': 700, 'sockets.CLOSE_WAIT': 0, 'sockets.TIME_WAIT': 0 });
    // Five by the far end, ten others by this one.
    const portOf = (socket: Socket | undefined) => socket?.localPort;
    const lost = far.seen.slice(0, 5).map(({ socket }) => socket);
    const lostPorts = new Set(lost.map(({ remotePort }) => remotePort));
    for (const socket of lost) socket.end();
    for (const socket of opened.filter((one) => one.remotePort === far.port && !lostPorts.has(portOf(one))).slice(0, 10)) socket.end();
    await until(() => far.seen.filter(({ finMs }) => finMs !== undefined).length === 10);
    await until(() => count()['sockets.CLOSE_WAIT'] === 5);
    expect(count()).toEqual({ 'sockets.ESTABLISHED': 685, 'sockets.CLOSE_WAIT': 5, 'sockets.FIN_WAIT2': 10, 'sockets.TIME_WAIT': 0 });
    for (const socket of opened) socket.destroy();
    closeSync(table);
  });

  it('is counted whole where a piece ends in a line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'aftershock-table-'));
    const line = (n: number) => `${String(n).padStart(4)}: 0100007F:C350 0100007F:2BCB ${n < 1_000 ? '01' : '08'} 00000000:00000000`.padEnd(149);
    // 2,000 lines of 150 bytes, and 65,536 is no multiple of 150.
    writeFileSync(join(folder, 'tcp'), `${['  sl  local_address', ...Array.from({ length: 2_000 }, (_, n) => line(n))].join('\n')}\n`);
    const table = openSync(join(folder, 'tcp'), 'r');
    expect(countSockets(table, Buffer.from('0100007F:2BCB'))).toEqual({ 'sockets.ESTABLISHED': 1_000, 'sockets.CLOSE_WAIT': 1_000, 'sockets.TIME_WAIT': 0 });
    expect(countSockets(table, Buffer.from('0100007F:2BCC'))).toMatchObject({ 'sockets.ESTABLISHED': 0 });
    closeSync(table);
    rmSync(folder, { recursive: true });
  });

  it.runIf(process.platform === 'linux')('is told of at once and again, until it is closed', async () => {
    const sockets = await OwnSockets.open({ host: '127.0.0.1', port: 1 });
    if (typeof sockets === 'string') throw new Error(sockets);
    const told: number[] = [];
    sockets.start((_gauges, clockMs) => told.push(clockMs));
    await until(() => told.length === 2);
    sockets.close();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(told.length).toBe(2);
    expect((told[1] ?? 0) - (told[0] ?? 0)).toBeGreaterThanOrEqual(499);
  });
});
