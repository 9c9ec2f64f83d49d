/** The two libraries against servers that do as they are told: what they say of it, and what that is taken for. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Ending, Library } from './library-carrier.ts';
import { openNpmMemcached } from './library-memcached.ts';
import { isMemjsRequest, openMemjs } from './library-memjs.ts';
import { type SocketWatch, watchSockets } from './library-sockets.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that answers each part that it hears by `act`, and counts its connections. */
async function server(act: (socket: Socket, bytes: Buffer) => void) {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => act(socket, bytes));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const close = () => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  };
  closing.push(close);
  return { port: (listener.address() as AddressInfo).port, sockets, close };
}

/** 'never' when the library says nothing within the patience. */
function ending(ask: (ended: (ending: Ending) => void) => void, patienceMs = 3_000): Promise<Ending | 'never'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('never'), patienceMs);
    ask((told) => {
      clearTimeout(timer);
      resolve(told);
    });
  });
}

const got = (library: Library, bytes = 3, patienceMs?: number) => ending((ended) => library.get('k:1', bytes, ended), patienceMs);
const stored = (library: Library, bytes = 3) => ending((ended) => library.set('k:1', bytes, ended));

function watchedFor<Options>(open: (options: Options) => Library, options: Options, isRequest?: Parameters<typeof watchSockets>[1]) {
  const seen = { sent: 0, connected: 0 };
  const watch: SocketWatch = watchSockets({ sent: () => seen.sent++, connected: () => seen.connected++, shortOf: () => undefined }, isRequest);
  const library = open(options);
  closing.push(() => {
    library.close();
    watch.close();
  });
  return { library, seen, watch };
}

describe('npm memcached', () => {
  const opened = (port: number, { poolSize = 2, timeoutMs = 200 } = {}) =>
    watchedFor(openNpmMemcached, { host: '127.0.0.1', port, poolSize, mostBytes: 100, timeoutMs, restMs: 300 });

  it.each<[string, string, Ending]>([
    ['a value', 'VALUE k:1 0 3\r\nxxx\r\nEND\r\n', 'hit'],
    ['nothing', 'END\r\n', 'miss'],
    ['a value of another length', 'VALUE k:1 0 4\r\nxxxx\r\nEND\r\n', 'garbled'],
    ['a server error, of which the library says nothing', 'SERVER_ERROR Connection timed out\r\n', 'server'],
    ['a client error', 'CLIENT_ERROR bad command line format\r\n', 'server'],
    ['an error', 'ERROR\r\n', 'server'],
  ])('takes %s for what it is', async (_, answer, expected) => {
    const { port } = await server((socket) => socket.write(answer));
    const { library, seen } = opened(port);
    expect(await got(library)).toBe(expected);
    expect(seen).toEqual({ sent: 1, connected: 1 });
  });

  it('stores what it is told to, as long as it is told to', async () => {
    const heard: string[] = [];
    const { port } = await server((socket, bytes) => {
      heard.push(bytes.toString('latin1'));
      socket.write(heard.length === 1 ? 'STORED\r\n' : 'SERVER_ERROR out of memory storing object\r\n');
    });
    const { library } = opened(port);
    expect(await stored(library)).toBe('done');
    expect(await stored(library, 0)).toBe('server');
    expect(heard).toEqual(['set k:1 0 0 3\r\nxxx\r\n', 'set k:1 0 0 0\r\n\r\n']);
  });

  it('refuses everything for its rest after a server error, and then asks again', async () => {
    let answer = 'SERVER_ERROR Connection refused\r\n';
    const { port } = await server((socket) => socket.write(answer));
    const { library, seen } = opened(port);
    expect(await got(library)).toBe('server');
    answer = 'END\r\n';
    expect(await got(library)).toBe('unconnected');
    expect(seen.sent).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect(await got(library)).toBe('miss');
  });

  it('says refused when nobody listens, in less time than the application waits', async () => {
    const { port, close } = await server(() => undefined);
    close();
    // Four times within 1.6 s: after 0, 0.4, 0.8 and 1.2 s.
    expect(await got(opened(port, { timeoutMs: 1_600 }).library, 3, 1_600)).toBe('refused');
  });

  it('never says a word of requests whose connection is lost', async () => {
    const { port } = await server((socket) => socket.destroy());
    expect(await got(opened(port).library, 3, 400)).toBe('never');
  });

  it('never says a word of what is no answer, nor of anything behind it', async () => {
    let answer = 'HELLO\r\n';
    const { port } = await server((socket) => socket.write(answer));
    const { library } = opened(port);
    const first = got(library, 3, 400);
    await new Promise((resolve) => setTimeout(resolve, 100));
    answer = 'END\r\n';
    expect(await Promise.all([first, got(library, 3, 300)])).toEqual(['never', 'never']);
  });

  it('opens its pool only while it has no connection, and then uses one', async () => {
    const { port } = await server((socket, bytes) => socket.write('END\r\n'.repeat(bytes.toString('latin1').split('\r\n').length - 1)));
    const { library, watch, seen } = opened(port, { poolSize: 4 });
    expect(await got(library)).toBe('miss');
    expect(await Promise.all(Array.from({ length: 20 }, () => got(library)))).toEqual(Array.from({ length: 20 }, () => 'miss'));
    expect(watch.open).toBe(1);
    expect(seen.sent).toBe(21);
    const { library: other, watch: otherWatch } = opened(port, { poolSize: 4 });
    await Promise.all(Array.from({ length: 4 }, () => got(other)));
    expect(otherWatch.open).toBe(4);
  });
});

describe('memjs', () => {
  /** An answer of memcached's binary protocol to the request in `bytes`. */
  function response(bytes: Buffer, status: number, value = '', extras = 0): Buffer {
    const answer = Buffer.alloc(24 + extras + value.length);
    answer[0] = 0x81;
    answer[1] = bytes[1] as number;
    answer[4] = extras;
    answer.writeUInt16BE(status, 6);
    answer.writeUInt32BE(extras + value.length, 8);
    bytes.copy(answer, 12, 12, 16);
    answer.write(value, 24 + extras, 'latin1');
    return answer;
  }
  const lines: string[] = [];
  const opened = (port: number, { clients = 1, tries = 1, auth }: { clients?: number; tries?: number; auth?: { user: string; password: string } } = {}) =>
    watchedFor(
      openMemjs,
      { host: '127.0.0.1', port, clients, mostBytes: 100, timeoutMs: 200, tries, log: (line: string) => lines.push(line), ...(auth ? { auth } : {}) },
      isMemjsRequest,
    );
  const GET = 0;
  const KEY_NOT_FOUND = 1;
  const OUT_OF_MEMORY = 0x82;
  const AUTHENTICATION_ERROR = 0x20;

  it.each<[string, number, string, Ending]>([
    ['a value', 0, 'xxx', 'hit'],
    ['nothing', KEY_NOT_FOUND, 'Not found', 'miss'],
    ['a value of another length', 0, 'xxxx', 'garbled'],
    ['an error of the server', OUT_OF_MEMORY, 'Out of memory', 'server'],
  ])('takes %s for what it is', async (_, status, value, expected) => {
    const { port } = await server((socket, bytes) => socket.write(response(bytes, status, value, status === 0 ? 4 : 0)));
    const { library, seen } = opened(port);
    expect(await got(library)).toBe(expected);
    expect(seen).toEqual({ sent: 1, connected: 1 });
  });

  it('stores, and says when that failed', async () => {
    let status = 0;
    const { port } = await server((socket, bytes) => socket.write(response(bytes, status)));
    const { library } = opened(port);
    expect(await stored(library)).toBe('done');
    status = OUT_OF_MEMORY;
    expect(await stored(library)).toBe('server');
  });

  it('has a client for each connection, and asks them in turn', async () => {
    const { port, sockets } = await server((socket, bytes) => socket.write(response(bytes, KEY_NOT_FOUND)));
    const { library, watch } = opened(port, { clients: 3 });
    for (let i = 0; i < 7; i++) expect(await got(library)).toBe('miss');
    expect(watch.open).toBe(3);
    expect(sockets.size).toBe(3);
  });

  it('gives up a silent server, tries again, and counts each try as sent', async () => {
    const { port } = await server(() => undefined);
    const { library, seen } = opened(port, { tries: 2 });
    expect(await got(library)).toBe('timeout');
    expect(seen).toEqual({ sent: 2, connected: 2 });
  });

  it('never gives up a silent server while further requests go out', async () => {
    const { port } = await server(() => undefined);
    const { library } = opened(port);
    const further = setInterval(() => library.get('k:2', 3, () => undefined), 50);
    closing.push(() => clearInterval(further));
    expect(await got(library, 3, 1_000)).toBe('never');
  });

  it('says refused when nobody listens, and tells that to us and not to the console', async () => {
    const { port, close } = await server(() => undefined);
    close();
    lines.length = 0;
    expect(await got(opened(port).library)).toBe('refused');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^MemJS: Server <127\.0\.0\.1:\d+> failed after \(1\) retries with error - .*ECONNREFUSED/);
  });

  it('logs in first, which counts as no request, and takes a refused login for an error of the server', async () => {
    const opcodes: number[] = [];
    let isWelcome = true;
    const { port } = await server((socket, bytes) => {
      opcodes.push(bytes[1] as number);
      if (bytes[1] === GET) socket.write(response(bytes, KEY_NOT_FOUND));
      else if (bytes[1] === 0x20) socket.write(response(bytes, 0, 'PLAIN'));
      else socket.write(response(bytes, isWelcome ? 0 : AUTHENTICATION_ERROR));
    });
    const auth = { user: 'app', password: 'secret' };
    const { library, seen } = opened(port, { auth });
    expect(await got(library)).toBe('miss');
    expect(opcodes).toEqual([0x20, 0x21, GET]);
    expect(seen).toEqual({ sent: 1, connected: 1 });
    isWelcome = false;
    expect(await got(opened(port, { auth }).library)).toBe('server');
  });
});
