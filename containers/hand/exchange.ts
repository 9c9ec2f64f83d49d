/** One long exchange on a connection of its own: all that there is to say is sent, and of what comes back everything that a pattern finds is told. */
import net from 'node:net';

export interface Exchange {
  /** ip:port */
  readonly to: string;
  readonly send: string;
  /** A pattern of what the answer ends with: all has come by then. Looked for in its last bytes. */
  readonly until: string;
  /** A pattern; its first group is told for each place where it fits. */
  readonly find: string;
  readonly limitMs: number;
}

/** The end of an answer is told by its last bytes: whatever ends it is shorter. */
const TAIL_BYTES = 4_096;

/** Rejects when the connection ends before the answer does, and when that takes too long. */
export function exchange({ to, send, until, find, limitMs }: Exchange): Promise<string[]> {
  const colon = to.lastIndexOf(':');
  const end = new RegExp(`(?:${until})$`);
  return new Promise((resolve, reject) => {
    const pieces: string[] = [];
    let tail = '';
    const settle = (act: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      act();
    };
    const fail = (why: string) => settle(() => reject(new Error(`${to} ${why}`)));
    const timer = setTimeout(() => fail(`did not end its answer within ${limitMs / 1_000} s`), limitMs);
    const socket = net.connect({ host: to.slice(0, colon), port: Number(to.slice(colon + 1)), noDelay: true });
    socket.setEncoding('latin1');
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('closed the connection before its answer ended'));
    socket.on('data', (text: string) => {
      pieces.push(text);
      tail = (tail + text).slice(-TAIL_BYTES);
      if (end.test(tail)) settle(() => resolve([...pieces.join('').matchAll(new RegExp(find, 'gm'))].map((match) => match[1] ?? match[0])));
    });
    socket.write(send, 'latin1');
  });
}
