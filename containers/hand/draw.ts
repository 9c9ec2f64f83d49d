/** How bytes and closes come through a link: rows of exchanges, long answers with the pieces in which they come, and connections that are ended. */
import type net from 'node:net';
import { ask, dial, kept, type Question } from './ask.ts';

export interface Row extends Question {
  readonly count: number;
  /** Connections at once; those that are kept are other ones than `ask` keeps. */
  readonly lanes: number;
}

export interface Draw {
  /** host:port */
  readonly to: string;
  readonly send: string;
  /** What each answer ends with, and contains nowhere else. */
  readonly ends: string;
  readonly count: number;
  /** So many questions are unanswered at most. */
  readonly window: number;
  readonly connection: 'kept' | 'new';
  readonly keep: string;
  readonly patienceMs: number;
}

export interface Parting {
  readonly to: string;
  /** Has the far end close the connection; where there is no such word we close our half, and the far end then its own. */
  readonly bye?: string;
  readonly connection: 'kept' | 'new';
  readonly keep: string;
  readonly patienceMs: number;
}

type Outcome = Awaited<ReturnType<typeof ask>>;
type Ending = 'answered' | 'silent' | 'refused' | 'closed' | 'reset';

/** Each lane asks one question after the other, until all are asked; a lane that has got no answer for as long as it has patience asks no more. */
export async function askRow({ count, lanes, ...question }: Row): Promise<Outcome[]> {
  let asked = 0;
  const rows = Array.from({ length: lanes }, async (_, lane) => {
    const outcomes: Outcome[] = [];
    while (asked < count && outcomes.at(-1)?.kind !== 'silent') {
      asked++;
      outcomes.push(await ask({ ...question, keep: `${question.keep}/${lane}` }));
    }
    return outcomes;
  });
  return (await Promise.all(rows)).flat();
}

/** Asks for much, and tells how much came, in how many pieces. On a new connection the time counts from dialling. */
export async function draw({
  send,
  ends,
  count,
  window,
  ...order
}: Draw): Promise<{ kind: Exclude<Ending, 'reset'>; ms: number; bytes: number; pieces: number }> {
  const { socket, fresh } = connectionFor(order);
  const beganAt = performance.now();
  let [bytes, pieces, answered, asked] = [0, 0, 0, 0];
  let tail = '';
  const askMore = () => {
    const more = Math.min(count, answered + window) - asked;
    if (more > 0) socket.write(send.repeat(more), 'latin1');
    asked += Math.max(0, more);
  };
  const kind = await ending(socket, fresh, order.patienceMs, {
    begin: askMore,
    onData: (piece) => {
      bytes += piece.length;
      pieces++;
      const text = tail + piece.toString('latin1');
      answered += text.split(ends).length - 1;
      // What may be the beginning of an end is looked at again with the next piece; a whole end is never counted twice.
      tail = text.endsWith(ends) ? '' : text.slice(Math.max(0, text.length - ends.length + 1));
      askMore();
      return answered >= count;
    },
  });
  const ms = performance.now() - beganAt;
  keepOrEnd(order, socket, kind === 'answered');
  return { kind: kind === 'reset' ? 'closed' : kind, ms, bytes, pieces };
}

/** Ends a connection, and tells how long it took until we saw the far end's close. */
export async function part({ bye, ...order }: Parting): Promise<Outcome> {
  const { socket, fresh } = connectionFor(order);
  const beganAt = performance.now();
  const kind = await ending(socket, fresh, order.patienceMs, {
    begin: () => (bye === undefined ? socket.end() : socket.write(bye, 'latin1')),
    onData: () => false,
  });
  const ms = performance.now() - beganAt;
  keepOrEnd(order, socket, false);
  return kind === 'closed' || kind === 'reset' ? { kind: 'closed', ms, reset: kind === 'reset' } : { kind, ms };
}

function connectionFor({ to, connection, keep }: Pick<Draw, 'to' | 'connection' | 'keep'>): { socket: net.Socket; fresh: boolean } {
  const standing = connection === 'kept' ? kept.get(keep) : undefined;
  return { socket: standing ?? dial(to), fresh: standing === undefined };
}

function keepOrEnd({ connection, keep }: Pick<Draw, 'connection' | 'keep'>, socket: net.Socket, good: boolean): void {
  if (connection === 'kept' && good) {
    kept.set(keep, socket);
    return;
  }
  socket.destroy();
  if (connection === 'kept') kept.delete(keep);
}

interface Talk {
  begin(): void;
  /** Answers whether that was all. */
  onData(piece: Buffer): boolean;
}

function ending(socket: net.Socket, fresh: boolean, patienceMs: number, { begin, onData }: Talk): Promise<Ending> {
  return new Promise((resolve) => {
    const end = (kind: Ending) => {
      clearTimeout(timer);
      socket.off('data', take);
      socket.off('error', failed);
      socket.off('end', closed);
      socket.off('close', closed);
      resolve(kind);
    };
    const take = (piece: Buffer) => {
      if (onData(piece)) end('answered');
    };
    const failed = (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') end('reset');
      else end(fresh && socket.bytesRead === 0 ? 'refused' : 'closed');
    };
    const closed = () => end('closed');
    const timer = setTimeout(() => end('silent'), patienceMs);
    if (socket.destroyed || socket.readableEnded) return end('closed');
    socket.on('data', take);
    socket.on('error', failed);
    socket.on('end', closed);
    socket.on('close', closed);
    begin();
  });
}
