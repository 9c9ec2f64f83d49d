import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { deafPort, until } from '../pool/pool.fixture.ts';
import { chooseWires, type Wire, type WireAddress, type Wires } from './handle.ts';

async function server(serve: (socket: Socket) => void, host = '127.0.0.1') {
  const sockets: Socket[] = [];
  const listening = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  listening.listen(0, host);
  await once(listening, 'listening');
  const close = () => {
    for (const socket of sockets) socket.destroy();
    listening.close();
  };
  return { address: { host, port: (listening.address() as AddressInfo).port }, sockets, [Symbol.dispose]: close };
}

/** A wire and what it has told. */
function opened(wires: Wires, address: WireAddress) {
  const told: string[] = [];
  const heard: Buffer[] = [];
  const wire: Wire = wires.open(address, {
    connected: () => told.push('connected'),
    heard: (bytes, length) => heard.push(Buffer.from(bytes.subarray(0, length))),
    ended: () => told.push('ended'),
    drained: () => told.push('drained'),
    failed: (code) => told.push(code),
  });
  return { wire, told, text: () => Buffer.concat(heard).toString('latin1'), length: () => heard.reduce((sum, { length }) => sum + length, 0) };
}

const CLOSING = ['close', 'reset'] as const;

describe.each(['public', 'internal'] as const)('%s wires', (kind) => {
  it('carry bytes both ways and both FINs', async () => {
    const wires = await chooseWires(kind);
    expect(wires.kind).toBe(kind);
    using far = await server((socket) => socket.pipe(socket));
    const { wire, told, text } = opened(wires, far.address);
    expect(told).toEqual([]);
    await until(() => told.length === 1);
    expect(wire.write(Buffer.from('one '))).toBe(true);
    expect(wire.write(Buffer.from('two'))).toBe(true);
    await until(() => text() === 'one two');
    wire.end();
    await until(() => told.length === 2);
    expect(told).toEqual(['connected', 'ended']);
    wire.close();
  });

  it('go out from the port that is named, and fail where it is in use', async () => {
    using far = await server((socket) => socket.resume());
    const wires = await chooseWires(kind);
    // Outside the range from which the kernel takes them, where nobody else connects from.
    const localPort = 21_000 + (process.pid % 5_000);
    const first = opened(wires, { ...far.address, localPort });
    await until(() => first.told.length === 1);
    expect(first.told).toEqual(['connected']);
    await until(() => far.sockets.length === 1);
    expect(far.sockets[0]?.remotePort).toBe(localPort);
    const second = opened(wires, { ...far.address, localPort });
    await until(() => second.told.length === 1);
    expect(['EADDRINUSE', 'EADDRNOTAVAIL']).toContain(second.told[0]);
    first.wire.reset();
    await until(() => far.sockets[0]?.destroyed === true);
    const third = opened(wires, { ...far.address, localPort });
    await until(() => third.told.length === 1);
    expect(third.told).toEqual(['connected']);
    third.wire.reset();
  });

  it('speak IPv6', async () => {
    using far = await server((socket) => socket.end('six'), '::1');
    const { wire, told, text } = opened(await chooseWires(kind), far.address);
    await until(() => told.includes('ended'));
    expect(text()).toBe('six');
    wire.close();
  });

  it('answer no FIN by themselves', async () => {
    let ended = 0;
    using far = await server((socket) =>
      socket
        .on('end', () => ended++)
        .resume()
        .end(),
    );
    const { wire, told } = opened(await chooseWires(kind), far.address);
    await until(() => told.length === 2);
    expect(told).toEqual(['connected', 'ended']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ended).toBe(0);
    expect(wire.write(Buffer.from('still'))).toBe(true);
    wire.close();
    await until(() => ended === 1);
  });

  it('keep what the kernel does not take, say so, and tell when it has', async () => {
    using far = await server(() => undefined);
    const { wire, told } = opened(await chooseWires(kind), far.address);
    await until(() => told.length === 1);
    const bytes = Buffer.alloc(1_000_000, 'a');
    const taken: boolean[] = [];
    for (let n = 0; n < 20; n++) taken.push(wire.write(bytes));
    expect(taken.at(-1)).toBe(false);
    expect(told).toEqual(['connected']);
    let came = 0;
    far.sockets[0]?.on('data', (some) => (came += some.length)).resume();
    await until(() => told.length === 2);
    expect(told).toEqual(['connected', 'drained']);
    await until(() => came === 20_000_000);
    expect(wire.write(Buffer.from('more'))).toBe(true);
    wire.close();
  });

  it('read nothing between stop and start', async () => {
    using far = await server((socket) => socket.resume());
    const { wire, told, length } = opened(await chooseWires(kind), far.address);
    await until(() => told.length === 1 && far.sockets.length === 1);
    wire.readStop();
    far.sockets[0]?.write(Buffer.alloc(8_000_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(length()).toBe(0);
    // More than both kernels' buffers hold.
    expect(far.sockets[0]?.writableLength).toBeGreaterThan(0);
    wire.readStart();
    await until(() => length() === 8_000_000);
    wire.close();
  });

  it.each(CLOSING)('%s, and tell nothing afterwards', async (how) => {
    const errors: string[] = [];
    let ended = 0;
    using far = await server((socket) => {
      socket.on('end', () => ended++).on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''));
      socket.resume().write('bytes');
    });
    const { wire, told, text } = opened(await chooseWires(kind), far.address);
    await until(() => text() === 'bytes');
    wire[how]();
    wire[how]();
    await until(() => errors.length + ended > 0);
    expect({ errors, ended }).toEqual(how === 'reset' ? { errors: ['ECONNRESET'], ended: 0 } : { errors: [], ended: 1 });
    expect(told).toEqual(['connected']);
    // Also before it is connected.
    const early = opened(await chooseWires(kind), far.address);
    early.wire[how]();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(early.told).toEqual([]);
  });

  it('tell when they are refused, and when they are reset', async () => {
    const wires = await chooseWires(kind);
    const refused = opened(wires, { host: '127.0.0.1', port: await deafPort() });
    await until(() => refused.told.length > 0);
    expect(refused.told).toEqual(['ECONNREFUSED']);
    using far = await server((socket) => setTimeout(() => socket.resetAndDestroy(), 20));
    const reset = opened(wires, far.address);
    await until(() => reset.told.length === 2);
    expect(reset.told).toEqual(['connected', 'ECONNRESET']);
  });
});

describe('chooseWires', () => {
  /** What a Node of its own chooses, and what it says on stderr. */
  const chosen = (args: readonly string[], environment: Record<string, string> = {}) => {
    const program = `import { chooseWires } from ${JSON.stringify(new URL('./handle.ts', import.meta.url).href)};
      const { kind, why } = await chooseWires(); console.log(JSON.stringify({ kind, why })); process.exit();`;
    const { stdout, stderr } = spawnSync(process.execPath, [...args, '--input-type=module', '-e', program], {
      encoding: 'utf8',
      env: { ...process.env, ...environment },
    });
    return { ...(stdout === '' ? {} : JSON.parse(stdout)), stderr };
  };

  it('takes the inside of Node where it is there and works, and prints no warning', () => {
    expect(chosen([])).toEqual({ kind: 'internal', stderr: '' });
  });

  it.each<[string, string[], Record<string, string>, string]>([
    ['the permission model refuses it', ['--permission', '--allow-fs-read=*'], {}, 'process.binding'],
    ['it would print a warning', ['--pending-deprecation'], {}, 'it would print a deprecation warning'],
    ['it would print a warning, by the environment', [], { NODE_PENDING_DEPRECATION: '1' }, 'it would print a deprecation warning'],
  ])('takes node:net where %s, and says why', (_, args, environment, why) => {
    const choice = chosen(args, environment);
    expect(choice).toMatchObject({ kind: 'public', why: expect.stringContaining(why) });
    expect(choice.stderr).not.toContain('DEP0111');
  });

  it('takes node:net when it is told to', () => {
    expect(chosen([], { AFTERSHOCK_SOCKETS: 'public' })).toEqual({ kind: 'public', stderr: '' });
  });

  it('refuses other words, and an inside that cannot be had', () => {
    expect(chosen([], { AFTERSHOCK_SOCKETS: 'both' }).stderr).toContain("AFTERSHOCK_SOCKETS: 'both' is not allowed; write 'public' or 'internal'");
    expect(chosen(['--pending-deprecation'], { AFTERSHOCK_SOCKETS: 'internal' }).stderr).toContain("AFTERSHOCK_SOCKETS: 'internal' cannot be had");
  });
});
