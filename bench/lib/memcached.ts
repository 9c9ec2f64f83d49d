/**
 * The server that generators are measured against: one memcached with one worker thread, on a core of its own.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentError } from '../../harness/core/errors.ts';
import { Program } from './processes.ts';

export const VALUE_BYTES = 100;

/** Keys of 32 bytes: 24 that are the same and eight digits, which tools that number their keys append by themselves. */
export const KEY_PREFIX = 'aftershock-bench-key-000';
export const FIRST_KEY = 10_000_000;
/** mc-crusher counts from 0 and does not pad: 28 bytes and up to four digits. */
export const CRUSHER_PREFIX = 'aftershock-bench-mc-crusher-';

/** Connections beyond the ones under test: ours for statistics, and some that are being closed. */
const SPARE_CONNECTIONS = 64;

export interface MemcachedOptions {
  readonly core: number;
  /** Most connections at a time; 1,024 when left out. */
  readonly connections?: number;
  /** Keys to store beforehand, under both prefixes. */
  readonly keys?: number;
}

export type Stats = Readonly<Record<string, number>>;

export class Memcached implements AsyncDisposable {
  readonly port: number;
  readonly program: Program;
  readonly #control: Socket;

  private constructor(port: number, program: Program, control: Socket) {
    this.port = port;
    this.program = program;
    this.#control = control;
  }

  /** A server that answers. Throws EnvironmentError. */
  static async start({ core, connections = 1_024, keys = 0 }: MemcachedOptions): Promise<Memcached> {
    const port = await freePort();
    const most = connections + SPARE_CONNECTIONS;
    // As root it wants to be told whom to run as; with a backlog of 4,096 a flood is not held up by dropped handshakes.
    const user = userInfo().username;
    const words = ['memcached', '-l', '127.0.0.1', '-p', port, '-U', 0, '-t', 1, '-m', 1_024, '-c', most, '-b', 4_096, '-u', user].map(String);
    const program = await Program.start(words, { core });
    const control = await connected(port, program);
    const server = new Memcached(port, program, control);
    if (keys > 0) await server.#fill(keys);
    return server;
  }

  /** Its statistics. */
  async stats(): Promise<Stats> {
    const text = await this.#exchange('stats\r\n', (answer) => answer.endsWith('END\r\n'));
    return Object.fromEntries([...text.matchAll(/^STAT (\S+) (\S+)\r$/gm)].map(([, name, value]) => [name, Number(value)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#control.destroy();
    await this.program.stop('SIGKILL');
  }

  async #fill(keys: number): Promise<void> {
    const value = 'x'.repeat(VALUE_BYTES);
    const names = Array.from({ length: keys }, (_, key) => [`${KEY_PREFIX}${FIRST_KEY + key}`, `${CRUSHER_PREFIX}${key}`]).flat();
    const request = names.map((name) => `set ${name} 0 0 ${VALUE_BYTES}\r\n${value}\r\n`).join('');
    const stored = await this.#exchange(request, (answer) => answer.length >= names.length * 'STORED\r\n'.length);
    if (stored !== 'STORED\r\n'.repeat(names.length)) throw await this.program.failure('did not store every key');
  }

  #exchange(request: string, complete: (answer: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#control.off('data', hear).off('close', lost);
        act();
      };
      const hear = (bytes: Buffer): void => {
        answer += bytes.toString('latin1');
        if (complete(answer)) settle(() => resolve(answer));
      };
      const lost = (): void => settle(() => reject(new EnvironmentError('memcached closed the connection')));
      const timer = setTimeout(() => settle(() => reject(new EnvironmentError('memcached did not answer within 10 s'))), 10_000);
      this.#control.on('data', hear).on('close', lost);
      this.#control.write(request, 'latin1');
    });
  }
}

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.on('error', reject).listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function connected(port: number, program: Program): Promise<Socket> {
  const giveUpAt = performance.now() + 5_000;
  for (;;) {
    if (program.over) throw await program.failure('ended at once');
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const error = await new Promise<Error | undefined>((resolve) => socket.once('connect', () => resolve(undefined)).once('error', resolve));
    if (error === undefined) return socket.on('error', () => undefined);
    if (performance.now() > giveUpAt) throw await program.failure(`cannot be reached (${error.message})`);
    await sleep(10);
  }
}
