/**
 * One exchange with a node: send the question, wait until the answer begins as it should. On a new connection the time
 * counts from dialling, on a kept one from sending.
 */
import net from 'node:net';

export interface Question {
  /** host:port */
  readonly to: string;
  readonly send: string;
  readonly expect: string;
  readonly ends: string;
  readonly connection: 'kept' | 'new';
  /** Which kept connection. */
  readonly keep: string;
  readonly patienceMs: number;
}

type Kind = 'answered' | 'silent' | 'refused' | 'closed' | 'reset';

/** Connections that are kept between two questions. */
export const kept = new Map<string, net.Socket>();

export async function ask(question: Question): Promise<{ kind: Exclude<Kind, 'reset'>; ms: number; reset?: boolean; code?: string }> {
  const standing = question.connection === 'kept' ? kept.get(question.keep) : undefined;
  const startedAt = performance.now();
  const socket = standing ?? dial(question.to);
  const { kind, code } = await exchange(socket, standing === undefined, question);
  const ms = performance.now() - startedAt;
  // A connection that owes an answer is of no more use: the late answer would be taken for the next one's.
  if (question.connection === 'new' || kind !== 'answered') {
    socket.destroy();
    if (question.connection === 'kept') kept.delete(question.keep);
  } else {
    kept.set(question.keep, socket);
  }
  if (kind === 'refused' && code !== undefined) return { kind, ms, code };
  return kind === 'closed' || kind === 'reset' ? { kind: 'closed', ms, reset: kind === 'reset' } : { kind, ms };
}

/** Closes the connection that is kept under this name, and those whose names begin with it and a slash. */
export function closeKept(keep: string): void {
  for (const [name, socket] of kept) {
    if (name !== keep && !name.startsWith(`${keep}/`)) continue;
    socket.destroy();
    kept.delete(name);
  }
}

export function dial(to: string): net.Socket {
  const colon = to.lastIndexOf(':');
  const socket = net.connect({ host: to.slice(0, colon), port: Number(to.slice(colon + 1)), noDelay: true });
  // Errors of a kept connection between two questions show at the next one, as closed.
  socket.on('error', () => socket.destroy());
  return socket;
}

function exchange(socket: net.Socket, fresh: boolean, question: Question): Promise<{ kind: Kind; code?: string }> {
  return new Promise((resolve) => {
    let received = '';
    const end = (kind: Kind, code?: string) => {
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('error', onError);
      socket.off('close', onClose);
      resolve({ kind, ...(code !== undefined && { code }) });
    };
    const onData = (bytes: Buffer) => {
      received += bytes.toString('latin1');
      if (received.startsWith(question.expect) && received.endsWith(question.ends)) end('answered');
    };
    // A host that is not there at all (its namespace is gone) counts as refused: nobody took the connection.
    const onError = (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') end('reset');
      else end(fresh && socket.bytesRead === 0 ? 'refused' : 'closed', error.code);
    };
    const onClose = () => end('closed');
    const timer = setTimeout(() => end('silent'), question.patienceMs);
    if (socket.destroyed || socket.readableEnded) return end('closed');
    socket.on('data', onData);
    socket.on('error', onError);
    socket.on('close', onClose);
    // Where nothing is to be said, the connection is the answer.
    if (question.send === '') socket.once('connect', () => end('answered'));
    else socket.write(question.send, 'latin1');
  });
}
