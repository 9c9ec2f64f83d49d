/**
 * Questions to one memcached over one connection, one after another: what `ask.ts` and `ask-binary.ts` have in common. Every question ends: with its answer, or with an
 * EnvironmentError of one line that names the server and the question.
 */
import { connect, type Socket } from 'node:net';
import { EnvironmentError, messageOf } from '../../harness/core/errors.ts';
import { wholeNumber } from './items.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface AskOptions {
  /** Connecting, and each question, takes no longer, ms: 1 to 600000. Default 1000. */
  readonly withinMs?: number;
  /** A longer value than this is taken for garbage, bytes. Default 1048576, memcached's own default limit. */
  readonly longestValueBytes?: number;
}

/** How far bytes were read, and the end of the answer when it was there: what it says, the words of a refusal, or that the bytes are no answer. */
export interface Heard<T> {
  readonly at: number;
  readonly end?: { readonly answer: T } | { readonly refusal: string } | 'garbled';
}

/** Reads on in an answer, by one reply or to the end of the bytes. */
export type Hear<T> = (bytes: Buffer, at: number) => Heard<T>;

interface Waiting {
  hear(bytes: Buffer): void;
  fail(why: string): void;
}

const UNASKED = 'it sent something that nobody had asked for';
/** Bytes of what is no answer that are shown. */
const SHOWN_BYTES = 40;

export class Asking implements Disposable {
  readonly #socket: Socket;
  readonly #name: string;
  readonly #withinMs: number;
  #waiting: Waiting | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** Why the connection is of no more use. */
  #ended: string | undefined;

  private constructor(socket: Socket, name: string, withinMs: number) {
    this.#socket = socket;
    this.#name = name;
    this.#withinMs = withinMs;
    socket.on('data', (bytes: Buffer) => (this.#waiting ? this.#waiting.hear(bytes) : this.#end(UNASKED)));
    socket.on('error', (error) => this.#end(messageOf(error)));
    socket.on('close', () => this.#end('it closed the connection'));
  }

  /** Throws EnvironmentError when nobody takes the connection in time. */
  static async open({ host, port }: Target, { withinMs = 1_000 }: AskOptions): Promise<Asking> {
    wholeNumber('withinMs', withinMs, 1, 600_000);
    const name = `memcached at ${host}:${port}`;
    const socket = connect({ host, port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      const refuse = (why: string) => {
        clearTimeout(timer);
        socket.destroy();
        reject(new EnvironmentError(`${name} takes no connection: ${why}`));
      };
      const timer = setTimeout(() => refuse(`nothing within ${withinMs} ms`), withinMs);
      socket.once('error', (error) => refuse(messageOf(error)));
      socket.once('connect', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    return new Asking(socket.removeAllListeners('error'), name, withinMs);
  }

  /** Sends a request when those before it are answered. `what` names it in errors. Throws EnvironmentError. */
  ask<T>(what: string, request: Buffer, hear: Hear<T>): Promise<T> {
    const turn = this.#turn.then(() => this.#exchange(what, request, hear));
    // Who asked hears of a failure; the next in line only waits for its end.
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Questions under way end with an error. */
  close(): void {
    this.#end('the connection was closed here');
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #exchange<T>(what: string, request: Buffer, hear: Hear<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        reject(this.#errorOf(what, why));
      };
      const timer = setTimeout(() => this.#end(`no answer within ${this.#withinMs} ms`), this.#withinMs);
      if (this.#ended !== undefined) return fail(this.#ended);
      this.#waiting = {
        fail,
        hear: (bytes) => {
          const { at, end } = listen(bytes, hear);
          if (end === undefined) return;
          if (end === 'garbled') return this.#end(`it sent what is no answer: ${JSON.stringify(bytes.toString('latin1', 0, SHOWN_BYTES))}`);
          clearTimeout(timer);
          this.#waiting = undefined;
          if ('answer' in end) resolve(end.answer);
          else reject(this.#errorOf(what, `it said '${end.refusal}'`));
          if (at < bytes.length) this.#end(UNASKED);
        },
      };
      this.#socket.write(request);
    });
  }

  #errorOf(what: string, why: string): EnvironmentError {
    return new EnvironmentError(`${this.#name} did not answer '${what}': ${why}`);
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#socket.destroy();
    this.#waiting?.fail(why);
  }
}

function listen<T>(bytes: Buffer, hear: Hear<T>): Heard<T> {
  let heard: Heard<T> = { at: 0 };
  while (heard.end === undefined && heard.at < bytes.length) heard = hear(bytes, heard.at);
  return heard;
}
