/**
 * The name service of a cluster whose nodes reach each other by name: answers for its nodes on port 53, to each asker what that one is to be told.
 *
 * It is PID 1 of its container. What it is told comes as lines of JSON on stdin (see `harness/cluster/name-service.ts`), and each is answered by one on stdout. A lie is lent: when nobody
 * said a word for eight seconds, or stdin has ended, everybody is told the truth again. It goes on answering for as long as its container stands.
 *
 * Its own address is the one at which nobody answers: whatever comes to it and is no question is dropped without a word.
 */
import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline';
import type { NameLie } from '../../harness/cluster/names.ts';
import { runTool } from '../hand/tool.ts';
import { answerTo, readQuestion } from './message.ts';
import { View } from './view.ts';

export interface ResolverSettings {
  /** Behind the name of every node. */
  readonly domain: string;
  readonly nodes: readonly string[];
}

export type ResolverOrder =
  /** Where nodes are. */
  | { readonly id: number; readonly do: 'know'; readonly addresses: Readonly<Record<string, string>> }
  | { readonly id: number; readonly do: 'lie'; readonly name: string; readonly asker: string; readonly nodes: readonly string[]; readonly lie: NameLie }
  | { readonly id: number; readonly do: 'truth'; readonly name: string }
  /** Which lies are told: answered with `lies`. */
  | { readonly id: number; readonly do: 'lies' }
  /** Whoever ordered lies is still there. */
  | { readonly do: 'beat' };

const PORT = 53;
/** A fault ends within ten seconds of its run's death. */
const SILENCE_MS = 8_000;
/** A question over TCP comes behind its length. */
const LENGTH_BYTES = 2;
const LONGEST_QUESTION = 4_096;

const { domain, nodes } = JSON.parse(process.argv[2] ?? '{}') as ResolverSettings;
const own = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
if (own === undefined) throw new Error('this container has no IPv4 address');
const view = new View(domain, nodes, own);
let silence: NodeJS.Timeout | undefined;

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** Sends the answer to a question, if there is to be one, when it is due. */
function answer(message: Buffer, from: string, send: (answer: Buffer) => void): void {
  const question = readQuestion(message);
  if (!question) return;
  const { answer: due, afterMs } = view.outcome(from.replace(/^::ffff:/, ''), question.name, question.type);
  if (!due) return;
  const bytes = answerTo(question, due.rcode, due.address);
  if (afterMs > 0) setTimeout(() => send(bytes), afterMs);
  else send(bytes);
}

const datagrams = createSocket('udp4');
datagrams.on('message', (message, { address, port }) => answer(message, address, (bytes) => datagrams.send(bytes, port, address)));

const streams = createServer((socket: Socket) => {
  let heard = Buffer.alloc(0);
  // A client that goes is nobody to answer to.
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    heard = Buffer.concat([heard, bytes]);
    while (heard.length >= LENGTH_BYTES) {
      const length = heard.readUInt16BE(0);
      if (length > LONGEST_QUESTION) socket.destroy();
      if (socket.destroyed || heard.length < LENGTH_BYTES + length) return;
      answer(heard.subarray(LENGTH_BYTES, LENGTH_BYTES + length), socket.remoteAddress ?? '', (reply) => {
        const head = Buffer.alloc(LENGTH_BYTES);
        head.writeUInt16BE(reply.length);
        if (socket.writable) socket.write(Buffer.concat([head, reply]));
      });
      heard = heard.subarray(LENGTH_BYTES + length);
    }
  });
});

/** Everything else that comes to this container vanishes, handshakes included. */
const NOBODY_ELSE = `table inet aftershock_nobody {
  chain in {
    type filter hook input priority 0; policy drop;
    iif lo accept
    udp dport ${PORT} accept
    tcp dport ${PORT} accept
  }
}
`;

function obey(order: ResolverOrder): object | undefined {
  switch (order.do) {
    case 'beat':
      return undefined;
    case 'know':
      view.know(order.addresses);
      return {};
    case 'lie':
      view.lie(order.name, order.asker, order.nodes, order.lie);
      return {};
    case 'truth':
      view.truth(order.name);
      return {};
    case 'lies':
      return { lies: view.lies };
  }
}

function heard(): void {
  clearTimeout(silence);
  if (view.lies.length > 0) silence = setTimeout(() => view.truths(), SILENCE_MS);
}

const { code, err } = await runTool({ argv: ['nft', '-f', '-'], input: NOBODY_ELSE });
if (code !== 0) throw new Error(`nft refused its script: ${err.trim().split('\n')[0]}`);
await Promise.all([
  new Promise<void>((resolve, reject) => datagrams.once('error', reject).bind(PORT, resolve)),
  new Promise<void>((resolve, reject) => streams.once('error', reject).listen(PORT, '0.0.0.0', resolve)),
]);
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const order = JSON.parse(line) as ResolverOrder;
  const reply = obey(order);
  heard();
  if (reply && 'id' in order) say({ id: order.id, ...reply });
});
lines.on('close', () => view.truths());
process.on('SIGTERM', () => process.exit(0));
// Whoever read our answers is gone; names are still asked for.
process.stdout.on('error', () => undefined);
say({ ready: true });
