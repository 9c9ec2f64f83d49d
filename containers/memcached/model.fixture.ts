/**
 * Random requests to a real memcached, several under way at a time and sent in pieces, held against a model: what each answer must be by what was asked before. Runs in
 * a client container: takes one line of settings on stdin, and prints one line with what it saw.
 */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Random, seeded } from '../../harness/core/random.ts';
import type { Answer, Protocol } from '../../harness/load/protocol.ts';
import { addressOf } from '../client/settings.ts';
import { type Credentials, memcachedProtocol, OPERATIONS_OF, type Operation, type ProtocolName } from './protocol.ts';

export interface ModelSettings {
  readonly entry: string;
  readonly protocol: ProtocolName;
  readonly auth?: Credentials;
  readonly seed: number;
  readonly requests: number;
  /** Requests under way. */
  readonly depth: number;
  /** What a proxy does not know is left out. */
  readonly without?: readonly Operation[];
}

export interface ModelReport {
  readonly answered: number;
  /** How often, by operation and answer: 'get hit'. */
  readonly byAnswer: Readonly<Record<string, number>>;
  readonly sentPieces: number;
  /** The first answer that was not as it must be. */
  readonly wrong?: string;
}

/** From nothing to values that span many reads; 1,048,577 is beyond what memcached stores by itself. */
const SIZES = [0, 1, 7, 8, 100, 2_048, 5_000, 65_536, 200_000, 1_000_000, 1_048_577];
const TOO_LONG = 1_048_577;
/** Keys of numbers, and how many digits these have at first. */
const NUMBER_SIZES = [1, 4, 20];
const KEYS = 44;
const SEVERAL = 3;
const isNumber = (key: number) => key >= KEYS - 6;
const sizeOf = (key: number) => (isNumber(key) ? NUMBER_SIZES[key % 3] : SIZES[key % SIZES.length]) as number;

/** What memcached must answer, by what was asked before on this one connection. */
class Model {
  /** By key: which change made the value that is there. */
  readonly #stored = new Map<number, number>();
  /** By key: the change whose token was seen last. */
  readonly #seen = new Map<number, number>();
  #changes = 0;

  foretell(operation: Operation, key: number): { answer: Answer; heard: () => void } {
    const change = this.#stored.get(key);
    const token = operation === 'gets' && change !== undefined ? () => this.#seen.set(key, change) : () => undefined;
    return { answer: this.#answer(operation, key, change), heard: token };
  }

  #answer(operation: Operation, key: number, change: number | undefined): Answer {
    const there = change !== undefined;
    switch (operation) {
      case 'get':
      case 'gets':
        return there ? 'hit' : 'miss';
      case 'multi-get':
        return Array.from({ length: SEVERAL }, (_, n) => this.#stored.has((key + n) % KEYS)).every(Boolean) ? 'hit' : 'miss';
      case 'set':
        return this.#store(key, true);
      case 'add':
        return this.#store(key, !there);
      case 'replace':
        return this.#store(key, there);
      case 'append':
      case 'prepend':
        return there ? this.#change(key) : 'unmet';
      case 'cas':
        return there || sizeOf(key) === TOO_LONG ? this.#store(key, this.#seen.get(key) === change) : 'miss';
      case 'delete':
        return this.#stored.delete(key) ? 'done' : 'miss';
      case 'incr':
      case 'decr':
        return !there ? 'miss' : isNumber(key) ? this.#change(key) : 'server';
      case 'touch':
        return there ? 'done' : 'miss';
      default:
        return 'done';
    }
  }

  /** memcached looks at the length first. */
  #store(key: number, condition: boolean): Answer {
    return sizeOf(key) === TOO_LONG ? 'server' : condition ? this.#change(key) : 'unmet';
  }

  #change(key: number): Answer {
    this.#stored.set(key, ++this.#changes);
    return 'done';
  }
}

/** Sends in pieces of any length, each in a turn of its own, so that they arrive apart. */
async function trickle(socket: Socket, bytes: Buffer, random: Random): Promise<number> {
  let pieces = 0;
  for (let at = 0; at < bytes.length; pieces++) {
    const most = [12, 200, 3_000, 80_000][random.below(4)] as number;
    const end = Math.min(bytes.length, at + 1 + random.below(most));
    socket.write(bytes.subarray(at, end));
    at = end;
    await nextTurn();
  }
  return pieces;
}

function protocolOf({ protocol, auth }: ModelSettings): Protocol {
  const operations = OPERATIONS_OF[protocol];
  const options = { keys: KEYS, keyName: (key: number) => `model:${protocol}:${key}`, sizes: sizeOf, operations, numbers: isNumber, multiGet: SEVERAL };
  return memcachedProtocol(protocol, auth ? { ...options, auth } : options);
}

async function compare(settings: ModelSettings): Promise<ModelReport> {
  const protocol = protocolOf(settings);
  const conversation = protocol.converse();
  const operations = OPERATIONS_OF[settings.protocol];
  const random = seeded(settings.seed);
  const model = new Model();
  const expected: { operation: number; key: number; answer: Answer | 'any'; heard: () => void }[] = [];
  const byAnswer: Record<string, number> = {};
  let answered = 0;
  let sentPieces = 0;
  let wrong: string | undefined;
  let wake: () => void = () => undefined;

  const socket = connect({ ...addressOf(settings.entry, 'settings.entry'), noDelay: true });
  const fail = (why: string) => {
    wrong ??= why;
    wake();
  };
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => fail(`closed after ${answered} answers`));
  socket.on('data', (bytes: Buffer) => {
    for (let at = 0; at < bytes.length && wrong === undefined; ) {
      const first = expected[0];
      if (!first) return fail(`bytes that nobody asked for: ${bytes.toString('latin1', at, at + 40)}`);
      at = conversation.hear(bytes, at, bytes.length, first.operation, first.key);
      const { answer } = conversation;
      if (answer === undefined) continue;
      expected.shift();
      answered++;
      const name = operations[first.operation] ?? 'login';
      byAnswer[`${name} ${answer}`] = (byAnswer[`${name} ${answer}`] ?? 0) + 1;
      first.heard();
      if (answer !== first.answer && first.answer !== 'any')
        fail(`answer ${answered}, to ${name} of key ${first.key} (${sizeOf(first.key)} bytes): ${answer}, not ${first.answer}`);
    }
    wake();
  });
  const request = Buffer.alloc(protocol.longestRequestBytes);
  const ask = async (operation: number, key: number, foretold: { answer: Answer; heard: () => void }) => {
    expected.push({ operation, key, ...foretold });
    const bytes = Buffer.from(request.subarray(0, conversation.ask(request, 0, operation, key)));
    sentPieces += await trickle(socket, bytes, random);
  };
  const untilUnderWay = async (most: number) => {
    while (expected.length > most && wrong === undefined)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  };

  if (protocol.opening !== undefined) {
    await ask(protocol.opening, 0, { answer: 'done', heard: () => undefined });
    await untilUnderWay(0);
  }
  // The model starts with nothing stored.
  for (let key = 0; key < KEYS; key++) {
    const operation = operations.indexOf('delete');
    expected.push({ operation, key, answer: 'any', heard: () => undefined });
    socket.write(Buffer.from(request.subarray(0, conversation.ask(request, 0, operation, key))));
  }
  await untilUnderWay(0);
  const drawn = operations.filter((operation) => !settings.without?.includes(operation));
  for (let asked = 0; asked < settings.requests && wrong === undefined; asked++) {
    const name = drawn[random.below(drawn.length)] as Operation;
    const grows = name === 'append' || name === 'prepend';
    const key = random.below(grows ? KEYS - 6 : KEYS);
    await ask(operations.indexOf(name), key, model.foretell(name, key));
    await untilUnderWay(settings.depth - 1);
  }
  await untilUnderWay(0);
  socket.removeAllListeners('close').destroy();
  return { answered, byAnswer, sentPieces, ...(wrong === undefined ? {} : { wrong }) };
}

const input = createInterface({ input: process.stdin });
const line = await new Promise<string>((resolve) => input.once('line', resolve));
const report = await compare(JSON.parse(line) as ModelSettings);
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
