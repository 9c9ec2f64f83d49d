/** One request after another over one connection: what a readiness check needs of a protocol. */
import { connect } from 'node:net';
import type { Answer, Protocol } from './protocol.ts';

export interface Exchanges extends Disposable {
  /** Asks, and waits for the answer. Rejects when the connection is lost, or when the answer is not there in time. */
  ask(operation: number, key: number): Promise<Answer>;
}

/** Connects to ip:port, and logs in where the protocol begins with that; each answer has `withinMs`. Rejects when nobody is there, or nobody lets us in. */
export async function exchangesWith(address: { host: string; port: number }, protocol: Protocol, withinMs: number): Promise<Exchanges> {
  const socket = connect({ ...address, noDelay: true });
  const conversation = protocol.converse();
  const request = Buffer.alloc(protocol.longestRequestBytes);
  let waiting: { operation: number; key: number; resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
  const fail = (error: Error) => waiting?.reject(error);

  socket.setTimeout(withinMs, () => socket.destroy(new Error(`silent for ${Math.round(withinMs)} ms`)));
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('connection closed')));
  socket.on('data', (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; ) {
      if (!waiting) {
        socket.destroy();
        return;
      }
      at = conversation.hear(bytes, at, bytes.length, waiting.operation, waiting.key);
      if (conversation.answer === undefined) continue;
      waiting.resolve(conversation.answer);
      waiting = undefined;
    }
  });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const ask = (operation: number, key: number) =>
    new Promise<Answer>((resolve, reject) => {
      if (socket.destroyed) return reject(new Error('connection closed'));
      waiting = { operation, key, resolve, reject };
      socket.write(request.subarray(0, conversation.ask(request, 0, operation, key)));
    });
  if (protocol.opening !== undefined) {
    const answer = await ask(protocol.opening, 0);
    if (answer !== 'done' && answer !== 'hit') {
      socket.destroy();
      throw new Error(`the login was answered with ${answer}`);
    }
  }
  return { ask, [Symbol.dispose]: () => socket.destroy() };
}
