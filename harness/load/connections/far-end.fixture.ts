/** A server that notes what it sees of each connection, and an engine on it that is run to its end, for the tests of connection loads. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { monotonicMs } from '../../core/clock.ts';
import type { SavedCompletion, SavedWindow } from '../../timeline/records.ts';
import type { GeneratorWindow } from '../../timeline/types.ts';
import { words } from '../pool/pool.fixture.ts';
import { chooseWires } from '../wires/handle.ts';
import { ConnectionEngine, type ConnectionEngineOptions } from './engine.ts';

/** One connection as the far end saw it; moments on the monotonic clock. */
export interface Seen {
  readonly socket: Socket;
  readonly openedMs: number;
  readonly requests: string[];
  readonly pieces: { readonly atMs: number; readonly bytes: number }[];
  finMs?: number;
  /** Closed, by whomever; with the code of an error, if it was one. */
  closedMs?: number;
  error?: string;
}

export type Act = (seen: Seen, operation: string, key: string) => void;

export const answer: Act = ({ socket }, operation, key) => {
  socket.write(`${operation === 'get' ? 'hit' : 'done'} ${key}\n`);
};

export class FarEnd implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly #server: Server;

  private constructor(act: Act, answersFin: boolean) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const seen: Seen = { socket, openedMs: monotonicMs(), requests: [], pieces: [] };
      this.seen.push(seen);
      socket.on('error', (error: NodeJS.ErrnoException) => (seen.error = error.code ?? 'unknown'));
      socket.on('close', () => (seen.closedMs = monotonicMs()));
      socket.on('end', () => {
        seen.finMs = monotonicMs();
        if (answersFin) socket.end();
      });
      let text = '';
      socket.on('data', (bytes) => {
        seen.pieces.push({ atMs: monotonicMs(), bytes: bytes.length });
        text += bytes.toString('latin1');
        for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
          const request = text.slice(0, end);
          text = text.slice(end + 1);
          seen.requests.push(request);
          const [operation = '', key = ''] = request.split(' ');
          act(seen, operation, key);
        }
      });
    });
  }

  /** `answersFin`: closes its own side when the other end has closed. */
  static async listen(act: Act = answer, answersFin = true): Promise<FarEnd> {
    const far = new FarEnd(act, answersFin);
    far.#server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
    await once(far.#server, 'listening');
    return far;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Those that neither end has closed. */
  get open(): Seen[] {
    return this.seen.filter(({ closedMs, finMs }) => closedMs === undefined && finMs === undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.seen) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A port at which somebody listens, with room for one, and never takes a connection: a thread that stands still. */
export async function fullPort(): Promise<{ port: number } & AsyncDisposable> {
  const program = `
    const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20000), 20);
    });`;
  const worker = new Worker(program, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  // By then it stands.
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { port, [Symbol.asyncDispose]: async () => void (await worker.terminate()) };
}

export type Options = Partial<ConnectionEngineOptions> & Pick<ConnectionEngineOptions, 'behaviour' | 'forMs'>;

/** A load under way, and what it has told. */
export interface Run extends AsyncDisposable {
  readonly engine: ConnectionEngine;
  readonly zeroMs: number;
  readonly done: Promise<void>;
  readonly windows: SavedWindow[];
  readonly completions: SavedCompletion[];
  readonly generator: Omit<GeneratorWindow, 'load'>[];
  readonly gauges: Readonly<Record<string, number>>[];
  readonly shortages: string[];
  /** Sums over all windows. */
  totals(): { due: number; answered: number; failed: Record<string, number> };
}

export async function start(port: number, options: Options, wires?: 'public' | 'internal'): Promise<Run> {
  const zeroMs = monotonicMs() + 20;
  const done = Promise.withResolvers<void>();
  const told = { windows: [] as SavedWindow[], completions: [] as SavedCompletion[], generator: [] as Omit<GeneratorWindow, 'load'>[] };
  const gauges: Readonly<Record<string, number>>[] = [];
  const shortages: string[] = [];
  let key = 0;
  const engine = new ConnectionEngine({
    wires: await chooseWires(wires),
    address: { host: '127.0.0.1', port },
    protocol: words,
    operation: 0,
    drawKey: () => key++ % 10,
    tenant: 'everyone',
    timeoutMs: 1_000,
    deadlineMs: 1_000,
    closeBy: 'fin',
    zeroMs,
    onReport: ({ windows, completions, generator }) => {
      told.windows.push(...windows);
      told.completions.push(...completions);
      told.generator.push(...generator);
    },
    onGauges: (_atMs, some) => gauges.push(some),
    onDone: done.resolve,
    onShortOf: (code) => shortages.push(code),
    ...options,
  });
  engine.start();
  return {
    engine,
    zeroMs,
    done: done.promise,
    ...told,
    gauges,
    shortages,
    totals: () => {
      const failed: Record<string, number> = {};
      for (const window of told.windows) for (const [kind, count] of Object.entries(window.failed)) failed[kind] = (failed[kind] ?? 0) + count;
      const sum = (of: 'due' | 'answered') => told.windows.reduce((total, window) => total + window[of], 0);
      return { due: sum('due'), answered: sum('answered'), failed };
    },
    [Symbol.asyncDispose]: async () => engine.close(),
  };
}
