import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type SocketEvents, type SocketWatch, watchSockets } from './library-sockets.ts';

async function listening() {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => server.close() };
}

function watched(isRequest?: Parameters<typeof watchSockets>[1]) {
  const told: string[] = [];
  const events: SocketEvents = { connected: () => told.push('connected'), sent: () => told.push('sent'), shortOf: (code) => told.push(code) };
  const watch: SocketWatch = watchSockets(events, isRequest);
  return { watch, told, [Symbol.dispose]: () => watch.close() };
}

describe('watchSockets', () => {
  it('sees connections however they are opened, and that they go', async () => {
    using server = await listening();
    using seen = watched();
    const one = connect(server.port, '127.0.0.1');
    const other = new Socket().connect({ port: server.port, host: '127.0.0.1' });
    await Promise.all([once(one, 'connect'), once(other, 'connect')]);
    expect(seen.told).toEqual(['connected', 'connected']);
    expect(seen.watch.open).toBe(2);
    one.destroy();
    await once(one, 'close');
    expect(seen.watch.open).toBe(1);
  });

  it('counts what is written and is a request, whether text or bytes', async () => {
    using server = await listening();
    using seen = watched((bytes) => bytes.length > 2);
    const socket = connect(server.port, '127.0.0.1');
    socket.write('before it is connected');
    await once(socket, 'connect');
    await new Promise<void>((resolve) => socket.write(Buffer.from('bytes'), () => resolve()));
    socket.write('no');
    expect(seen.told.toSorted()).toEqual(['connected', 'sent', 'sent']);
  });

  it('leaves errors to those who listen, and counts no connection that never was one', async () => {
    using seen = watched();
    const closed = await listening();
    closed[Symbol.dispose]();
    const socket = connect(closed.port, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    expect(seen.watch.open).toBe(0);
    expect(seen.told).toEqual([]);
    // Who does not listen is thrown at, as without us.
    const deaf = new Socket().connect(closed.port, '127.0.0.1');
    expect(() => deaf.emit('error', new Error('unheard'))).toThrow('unheard');
    deaf.destroy();
    const limited = new Socket();
    limited.connect(closed.port, '127.0.0.1');
    limited.on('error', () => undefined);
    limited.destroy(Object.assign(new Error('no ports'), { code: 'EADDRNOTAVAIL' }));
    // `once` of events would take the error for its own.
    await new Promise((resolve) => limited.once('close', resolve));
    expect(seen.told).toEqual(['EADDRNOTAVAIL']);
  });

  it('closes them all, and sees none that comes later', async () => {
    using server = await listening();
    const seen = watched();
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    seen.watch.close();
    await once(socket, 'close');
    const later = connect(server.port, '127.0.0.1');
    await once(later, 'connect');
    expect(seen.told).toEqual(['connected']);
    later.destroy();
  });
});
