/**
 * The few bytes of DNS (RFC 1035) that a name service needs which has an address or nothing for each name: a question is read, and comes back with its answer behind it. Nothing is ever
 * compressed in a question, and an answer names it by a pointer.
 */

export const RCODE = { ok: 0, servfail: 2, nxdomain: 3, unimplemented: 4, refused: 5 } as const;
export type Rcode = keyof typeof RCODE;

export const TYPE_A = 1;
const CLASS_IN = 1;
const HEADER_BYTES = 12;
/** Response, authoritative; recursion is offered, since whoever asks for it and is denied may go on to ask somebody else. */
const RESPONSE_FLAGS = 0x84_80;
const RECURSION_WANTED = 0x01_00;

export interface Question {
  /** In lower case, without the last dot: names are the same in either. */
  readonly name: string;
  readonly type: number;
  /** The header and the question alone, for the answer. */
  readonly bytes: Buffer;
}

/** Undefined for what is no question, or not one: nobody is owed an answer to it. */
export function readQuestion(message: Buffer): Question | undefined {
  if (message.length < HEADER_BYTES || (message[2] as number) & 0x80 || message.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return undefined;
    at++;
    if (length === 0) break;
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
  if (message.length < at + 4 || message.readUInt16BE(at + 2) !== CLASS_IN) return undefined;
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at), bytes: message.subarray(0, at + 4) };
}

/** The answer to a question: an IPv4 address where there is one, of which nobody may keep anything (TTL 0). */
export function answerTo({ bytes }: Question, rcode: Rcode, address?: string): Buffer {
  const head = Buffer.from(bytes);
  const operation = head.readUInt16BE(2) & 0x78_00;
  head.writeUInt16BE(RESPONSE_FLAGS | operation | (head.readUInt16BE(2) & RECURSION_WANTED) | RCODE[operation === 0 ? rcode : 'unimplemented'], 2);
  const record = operation === 0 && rcode === 'ok' && address !== undefined ? addressRecord(address) : Buffer.alloc(0);
  head.writeUInt16BE(record.length > 0 ? 1 : 0, 6);
  // Whatever else the question came with (authority, additional) is not repeated.
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, record]);
}

/** Its name is a pointer to the question's, at byte 12. */
function addressRecord(address: string): Buffer {
  const record = Buffer.alloc(16);
  record.writeUInt16BE(0xc0_00 | HEADER_BYTES, 0);
  record.writeUInt16BE(TYPE_A, 2);
  record.writeUInt16BE(CLASS_IN, 4);
  record.writeUInt16BE(4, 10);
  record.set(address.split('.').map(Number), 12);
  return record;
}
