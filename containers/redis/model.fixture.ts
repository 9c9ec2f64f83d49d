/**
 * Random requests to a real Redis, several under way at a time, held against a model: what each answer must be by what was asked before. Runs in a client
 * container: takes one line of settings on stdin, and prints one line with what it saw.
 */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { messageOf } from '../../harness/core/errors.ts';
import { seeded } from '../../harness/core/random.ts';
import type { Answer } from '../../harness/load/protocol.ts';
import { addressOf } from '../client/settings.ts';
import { type RedisOperation, redisProtocol } from './resp.ts';

export interface ModelSettings {
  readonly entry: string;
  readonly seed: number;
  readonly requests: number;
  /** Requests under way. */
  readonly depth: number;
}

export interface ModelReport {
  readonly answered: number;
  readonly byAnswer: Readonly<Record<string, number>>;
  /** The first answer that was not as it must be. */
  readonly wrong?: string;
}

const KEYS = 40;
const OPERATIONS: readonly RedisOperation[] = ['get', 'set', 'del', 'incr', 'ping'];
/** Key 0 holds no text but a list, which the test made: get of it is an error. */
const LIST = 0;

/** From nothing to values that span several reads. */
const sizeOf = (key: number) => [0, 1, 7, 100, 5_000, 200_000][key % 6] as number;

/** Asks at random and foretells: requests on one connection are carried out in their order. */
function compare(socket: Socket, { seed, requests, depth }: ModelSettings): Promise<ModelReport> {
  const protocol = redisProtocol({ keys: KEYS, keyName: (key) => `model:${key}`, sizes: sizeOf, operations: OPERATIONS });
  const conversation = protocol.converse();
  const random = seeded(seed);
  const stored = new Set<number>();
  const expected: { operation: number; key: number; answer: Answer }[] = [];
  const byAnswer: Record<string, number> = {};
  let asked = 0;
  let answered = 0;

  const foretell = (operation: RedisOperation, key: number): Answer => {
    if (operation === 'get') return key === LIST ? 'server' : stored.has(key) ? 'hit' : 'miss';
    if (operation === 'set') stored.add(key);
    if (operation === 'del') return stored.delete(key) ? 'done' : 'miss';
    return 'done';
  };
  const ask = () => {
    for (; asked < requests && expected.length < depth; asked++) {
      const operation = random.below(OPERATIONS.length);
      const name = OPERATIONS[operation] as RedisOperation;
      // The list stays.
      const key = name === 'get' ? random.below(KEYS) : 1 + random.below(KEYS - 1);
      expected.push({ operation, key, answer: foretell(name, key) });
      const request = Buffer.alloc(protocol.longestRequestBytes);
      socket.write(request.subarray(0, conversation.ask(request, 0, operation, key)));
    }
  };
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed after ${answered} answers`)));
    socket.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; ) {
        const first = expected[0];
        if (!first) return resolve({ answered, byAnswer, wrong: `bytes that nobody asked for: ${bytes.toString('latin1', at, at + 40)}` });
        at = conversation.hear(bytes, at, bytes.length, first.operation, first.key);
        const { answer } = conversation;
        if (answer === undefined) continue;
        expected.shift();
        answered++;
        byAnswer[answer] = (byAnswer[answer] ?? 0) + 1;
        if (answer !== first.answer)
          return resolve({ answered, byAnswer, wrong: `${OPERATIONS[first.operation]} of key ${first.key}: ${answer}, not ${first.answer}` });
      }
      if (answered === requests) return resolve({ answered, byAnswer });
      ask();
    });
    ask();
  });
}

const input = createInterface({ input: process.stdin });
const line = await new Promise<string>((resolve) => input.once('line', resolve));
const settings = JSON.parse(line) as ModelSettings;
const socket = connect(addressOf(settings.entry, 'settings.entry'));
// The model starts with nothing stored. Redis takes commands as plain lines, too, and answers each of these with a line.
socket.write('FLUSHALL\r\nRPUSH model:0 one\r\n');
await new Promise<void>((resolve) => {
  let heard = '';
  const hear = (bytes: Buffer) => {
    heard += bytes.toString('latin1');
    if (heard.split('\n').length < 3) return;
    socket.off('data', hear);
    resolve();
  };
  socket.on('data', hear);
});
const report = await compare(socket, settings).catch((thrown: unknown): ModelReport => ({ answered: 0, byAnswer: {}, wrong: messageOf(thrown) }));
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
