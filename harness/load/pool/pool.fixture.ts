/** A protocol of single words and a server that does as it is told, for the tests of the load engine. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { type Random, seeded } from '../../core/random.ts';
import type { ErrorKind } from '../../timeline/types.ts';
import type { Outcomes } from '../carrier.ts';
import type { Answer, Protocol, Workload } from '../protocol.ts';
import { Pool } from './pool.ts';
import type { PoolOptions } from './pool-options.ts';

/** `get 7` asks, one line answers: 'hit', 'miss', 'done', 'unmet' or 'server' followed by the key; anything else is garbled. */
export const words: Protocol = {
  longestRequestBytes: 32,
  converse() {
    let heard = '';
    let answer: Answer | undefined;
    return {
      get answer() {
        return answer;
      },
      ask(out, at, operation, key) {
        return at + out.write(`${operation === 0 ? 'get' : 'set'} ${key}\n`, at, 'latin1');
      },
      hear(bytes, at, end, _operation, key) {
        answer = undefined;
        for (let next = at; next < end; next++) {
          const byte = String.fromCharCode(bytes[next] as number);
          if (byte !== '\n') {
            heard += byte;
            continue;
          }
          const [word = '', told] = heard.split(' ');
          heard = '';
          answer = ['hit', 'miss', 'done', 'unmet', 'server'].includes(word) && Number(told) === key ? (word as Answer) : 'garbled';
          return next + 1;
        }
        return end;
      },
    };
  },
};

/** Operation 0 on keys 0, 1, 2, ... of 8, which lie on two shards in turn. */
export function countingWorkload(): Workload {
  let drawn = 0;
  const workload = {
    series: [
      ['get', 'even', 'everyone'],
      ['get', 'odd', 'everyone'],
      ['set', 'even', 'everyone'],
      ['set', 'odd', 'everyone'],
    ] as const,
    operation: 0,
    key: 0,
    fill: { operation: 1, keys: 8 },
    seriesOf: (operation: number, key: number) => operation * 2 + (key % 2),
    next() {
      workload.key = drawn++ % 8;
    },
  };
  return workload;
}

/** The same with keys that are drawn, and the list of the draws. */
export function drawingWorkload(random: Random): { readonly workload: Workload; readonly draws: readonly number[] } {
  const draws: number[] = [];
  const workload = {
    ...countingWorkload(),
    next() {
      workload.key = random.below(8);
      draws.push(workload.key);
    },
  };
  return { workload, draws };
}

export type Act = (socket: Socket, operation: string, key: string, connection: number) => void;

export const answer: Act = (socket, operation, key) => {
  socket.write(`${operation === 'get' ? 'hit' : 'done'} ${key}\n`);
};

export class FakeServer implements AsyncDisposable {
  /** What it does with each request; may be changed at any time. */
  act: Act = answer;
  /** Connections accepted so far. */
  accepted = 0;
  /** 'get 7' and so on, as they came. */
  readonly requests: string[] = [];
  readonly sockets = new Set<Socket>();
  /** Pieces in which bytes came. */
  reads = 0;
  readonly #server: Server;

  private constructor() {
    // Without Nagle's delay: a second small answer would wait 40 ms for the acknowledgement of the first.
    this.#server = createServer({ noDelay: true }, (socket) => {
      const connection = this.accepted++;
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
      let text = '';
      socket.on('data', (bytes) => {
        this.reads++;
        text += bytes.toString('latin1');
        for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
          const request = text.slice(0, end);
          text = text.slice(end + 1);
          this.requests.push(request);
          const [operation = '', key = ''] = request.split(' ');
          this.act(socket, operation, key, connection);
        }
      });
    });
  }

  static async listen(act: Act = answer): Promise<FakeServer> {
    const server = new FakeServer();
    server.act = act;
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A port of loopback at which nobody listens: one that was just given back. */
export async function deafPort(): Promise<number> {
  const server = await FakeServer.listen();
  const { port } = server;
  await server[Symbol.asyncDispose]();
  return port;
}

export function optionsFor(port: number, changes: Partial<PoolOptions> = {}): PoolOptions {
  return {
    host: '127.0.0.1',
    port,
    connections: 1,
    deadlineMs: 10_000,
    timeoutMs: 10_000,
    onTimeout: 'reconnect',
    protocol: words,
    random: seeded(1),
    ...changes,
  };
}

export interface Ended {
  readonly key: number;
  readonly outcome: 'answered' | ErrorKind;
  readonly endedMs: number;
  readonly worker?: number;
}

/** A pool on a clock that stands until it is moved, and the list of what ended. */
export function pooled(port: number, changes: Partial<PoolOptions> = {}) {
  const ended: Ended[] = [];
  const shortages: string[] = [];
  const clock = { nowMs: 0 };
  const counts = { sent: 0 };
  const told = (worker: number | undefined) => (worker === undefined || worker < 0 ? {} : { worker });
  const outcomes: Outcomes = {
    answered: (_dueMs, _operation, key, endedMs, _miss, worker) => ended.push({ key, outcome: 'answered', endedMs, ...told(worker) }),
    failed: (_dueMs, _operation, key, endedMs, kind, worker) => ended.push({ key, outcome: kind, endedMs, ...told(worker) }),
    sent: () => counts.sent++,
    connected: () => undefined,
    shortOf: (code) => shortages.push(code),
  };
  const pool = new Pool(optionsFor(port, changes), () => clock.nowMs, outcomes);
  return {
    pool,
    outcomes,
    ended,
    shortages,
    clock,
    /** Requests that were sent, repeats included. */
    get sent() {
      return counts.sent;
    },
    /** The warm-up is over. */
    begin: () => pool.begin(),
    offer: (dueMs: number, operation: number, key: number) => {
      pool.offer(dueMs, operation, key);
      pool.flush();
    },
    own: (worker: number, dueMs: number, key: number) => {
      pool.offerOwn(worker, dueMs, 0, key);
      pool.flush();
    },
    [Symbol.dispose]: () => pool.close(),
  };
}

/** Waits until something is so; throws after five seconds. */
export async function until(what: () => boolean, name = what.toString()): Promise<void> {
  for (const start = Date.now(); !what(); ) {
    if (Date.now() - start > 5_000) throw new Error(`not so after 5 s: ${name}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
