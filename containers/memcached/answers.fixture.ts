/** Well-formed answers of memcached, written from scratch, and ways to feed them to a conversation: for the tests of the protocols. */
import { seeded } from '../../harness/core/random.ts';
import { Pool } from '../../harness/load/pool/pool.ts';
import type { Answer, Conversation, Protocol } from '../../harness/load/protocol.ts';
import type { Wire, WireEvents } from '../../harness/load/wires/handle.ts';
import type { ErrorKind } from '../../harness/timeline/types.ts';
import type { Operation, ProtocolName } from './operations.ts';

export interface Asked {
  readonly operation: number;
  readonly key: number;
}

/** What an answer says: in each protocol's own words, or undefined where it has none for that. */
export interface Told {
  readonly operation: Operation;
  readonly key: number;
  readonly answer: Answer;
  /** Of keys that were found: one for each VALUE. */
  readonly found: readonly { readonly key: number; readonly name: string; readonly value: Buffer }[];
  readonly token: number;
}

const ERRORS = ['ERROR', 'CLIENT_ERROR bad data chunk', 'SERVER_ERROR out of memory storing object'];

export function answerIn(protocol: ProtocolName, told: Told): Buffer {
  return protocol === 'text' ? textAnswer(told) : protocol === 'meta' ? metaAnswer(told) : binaryAnswer(told);
}

function textAnswer({ operation, answer, found, token }: Told): Buffer {
  if (answer === 'server') return Buffer.from(`${ERRORS[token % ERRORS.length]}\r\n`);
  if (operation === 'get' || operation === 'gets' || operation === 'multi-get') {
    const values = found.map(({ name, value }) =>
      Buffer.concat([Buffer.from(`VALUE ${name} 0 ${value.length}${operation === 'gets' ? ` ${token}` : ''}\r\n`), value, Buffer.from('\r\n')]),
    );
    return Buffer.concat([...values, Buffer.from('END\r\n')]);
  }
  const done = { delete: 'DELETED', touch: 'TOUCHED', incr: String(token), decr: '0', version: 'VERSION 1.6.18' }[operation as string] ?? 'STORED';
  const unmet = operation === 'cas' ? 'EXISTS' : 'NOT_STORED';
  return Buffer.from(`${answer === 'done' ? done : answer === 'unmet' ? unmet : 'NOT_FOUND'}\r\n`);
}

function metaAnswer({ operation, key, answer, found, token }: Told): Buffer {
  if (answer === 'server') return Buffer.from(`${ERRORS[token % ERRORS.length]}\r\n`);
  if (operation === 'noop') return Buffer.from('MN\r\n');
  if (answer === 'hit') {
    const value = found[0]?.value ?? Buffer.alloc(0);
    return Buffer.concat([Buffer.from(`VA ${value.length} f0${operation === 'gets' ? ` c${token}` : ''} O${key}\r\n`), value, Buffer.from('\r\n')]);
  }
  const looks = operation === 'get' || operation === 'gets' || operation === 'touch';
  const word = answer === 'done' ? 'HD' : answer === 'unmet' ? (operation === 'cas' ? 'EX' : 'NS') : looks ? 'EN' : 'NF';
  return Buffer.from(`${word} O${key}\r\n`);
}

const OPCODES: Partial<Record<Operation, number>> = {
  get: 0,
  gets: 0,
  set: 1,
  add: 2,
  replace: 3,
  delete: 4,
  incr: 5,
  decr: 6,
  noop: 10,
  version: 11,
  append: 14,
  prepend: 15,
  cas: 1,
  touch: 28,
};

function binaryAnswer({ operation, key, answer, found, token }: Told): Buffer {
  const opcode = OPCODES[operation] ?? 0;
  if (answer === 'hit') return packet({ opcode, opaque: key, extras: Buffer.alloc(4), value: found[0]?.value ?? Buffer.alloc(0), token });
  if (answer === 'done') return packet({ opcode, opaque: key, token, value: operation === 'incr' ? Buffer.alloc(8, 1) : Buffer.alloc(0) });
  // Out of memory, unknown command, invalid arguments.
  const status =
    answer === 'server'
      ? [0x82, 0x81, 4][token % 3]
      : answer === 'miss'
        ? 1
        : operation === 'replace'
          ? 1
          : operation === 'append' || operation === 'prepend'
            ? 5
            : 2;
  return packet({ opcode, opaque: key, status: status ?? 4, value: Buffer.from('words of an error') });
}

/** A packet of the binary protocol, by default of an answer in which all is well. */
export function packet(of: {
  magic?: number;
  opcode: number;
  opaque: number;
  status?: number;
  extras?: Buffer;
  key?: Buffer;
  value?: Buffer;
  token?: number;
  bodyBytes?: number;
}): Buffer {
  const { magic = 0x81, extras = Buffer.alloc(0), key = Buffer.alloc(0), value = Buffer.alloc(0) } = of;
  const header = Buffer.alloc(24);
  header[0] = magic;
  header[1] = of.opcode;
  header.writeUInt16BE(key.length, 2);
  header[4] = extras.length;
  header.writeUInt16BE(of.status ?? 0, 6);
  header.writeUInt32BE(of.bodyBytes ?? extras.length + key.length + value.length, 8);
  header.writeUInt32BE(of.opaque, 12);
  header.writeBigUInt64BE(BigInt(of.token ?? 0), 16);
  return Buffer.concat([header, extras, key, value]);
}

/**
 * Feeds bytes, cut at these places, as the engine does: from one buffer that is lent again and again, with something else before and behind. Tells what was answered to
 * each request, in their order; ends at the first that is garbled. Throws when a conversation does not keep to its contract.
 */
export function hearAll(conversation: Conversation, asked: readonly Asked[], bytes: Buffer, cuts: readonly number[] = []): Answer[] {
  const ends = [...new Set([...cuts, bytes.length])].filter((end) => end > 0 && end <= bytes.length).sort((a, b) => a - b);
  const lent = Buffer.alloc(bytes.length + 128);
  const answers: Answer[] = [];
  let from = 0;
  for (const end of ends) {
    const offset = 7 + (from % 50);
    lent.fill('\r\nEND\r\nSTORED\r\n');
    bytes.copy(lent, offset, from, end);
    let at = offset;
    const stop = offset + end - from;
    // Every other piece comes in a buffer that ends where it ends.
    const buffer = end % 2 === 0 ? lent : lent.subarray(0, stop);
    while (at < stop) {
      const request = asked[answers.length];
      if (!request) throw new Error(`${stop - at} bytes are left when all is answered`);
      const next = conversation.hear(buffer, at, stop, request.operation, request.key);
      if (next > stop) throw new Error(`read to ${next}, beyond ${stop}`);
      if (conversation.answer === undefined && next !== stop) throw new Error(`stopped at ${next}, before ${stop}, without an answer`);
      if (conversation.answer !== undefined) answers.push(conversation.answer);
      if (conversation.answer === 'garbled') return answers;
      at = next;
    }
    from = end;
  }
  return answers;
}

export type Outcome = 'answered' | ErrorKind;

/** What an answer comes to for whoever asked. */
export const outcomeOf = (answer: Answer): Outcome => (answer === 'server' || answer === 'garbled' ? answer : 'answered');

export interface Carried {
  /** In the order in which requests ended, each with its number among those that were asked. */
  readonly ended: readonly { readonly request: number; readonly outcome: Outcome }[];
  readonly underWay: number;
  readonly isClosed: boolean;
  /** Connections that were opened in all. */
  readonly opened: number;
}

/** The same over a connection of the load's own pool that carries all of it at once, to a far end that says these bytes for as long as it is listened to. */
export function carryAll(protocol: Protocol, asked: readonly Asked[], bytes: Buffer, cuts: readonly number[] = []): Carried {
  let opened = 0;
  let isClosed = false;
  const far: { events?: WireEvents } = {};
  const wire: Wire = {
    write: () => true,
    end: () => undefined,
    reset: () => undefined,
    close: () => {
      isClosed = true;
    },
    readStop: () => undefined,
    readStart: () => undefined,
  };
  const open = (_: unknown, events: WireEvents) => {
    opened++;
    far.events = events;
    return wire;
  };
  const ended: { request: number; outcome: Outcome }[] = [];
  const endLess = { deadlineMs: 1e9, timeoutMs: 1e9, onTimeout: 'fail' } as const;
  const pool = new Pool(
    { host: '', port: 1, connections: 1, depth: asked.length, ...endLess, protocol, random: seeded(1), wires: { kind: 'public', open } },
    () => 0,
    {
      answered: (request) => ended.push({ request, outcome: 'answered' }),
      failed: (request, _operation, _key, _endedMs, outcome) => ended.push({ request, outcome }),
      sent: () => undefined,
      connected: () => undefined,
      shortOf: () => undefined,
    },
  );
  // Due one after the other, so that the due time tells which it is.
  for (const [request, { operation, key }] of asked.entries()) pool.offer(request, operation, key);
  far.events?.connected();
  pool.flush();
  let from = 0;
  for (const end of [...new Set([...cuts, bytes.length])].filter((place) => place > 0 && place <= bytes.length).sort((a, b) => a - b)) {
    if (isClosed) break;
    far.events?.heard(Buffer.from(bytes.subarray(from, end)), end - from);
    from = end;
  }
  return { ended, underWay: pool.underWay, isClosed, opened };
}

/** The bytes of one request. */
export function requestOf(conversation: Conversation, longestRequestBytes: number, operation: number, key: number): Buffer {
  const out = Buffer.alloc(longestRequestBytes + 16, '#');
  const end = conversation.ask(out, 3, operation, key);
  if (end - 3 > longestRequestBytes) throw new Error(`a request of ${end - 3} bytes, longer than the ${longestRequestBytes} that were told`);
  return out.subarray(3, end);
}
