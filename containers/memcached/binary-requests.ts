/** Requests of memcached's binary protocol: what they are called, their header, and the one that logs in. */
import { InputError } from '../../harness/core/errors.ts';
import { HEADER_BYTES, REQUEST } from './binary-reader.ts';
import { viewToWrite } from './bytes.ts';

export const OPCODE = {
  get: 0x00,
  set: 0x01,
  add: 0x02,
  replace: 0x03,
  delete: 0x04,
  incr: 0x05,
  decr: 0x06,
  flush: 0x08,
  noop: 0x0a,
  version: 0x0b,
  append: 0x0e,
  prepend: 0x0f,
  stat: 0x10,
  touch: 0x1c,
  saslList: 0x20,
  saslAuth: 0x21,
} as const;

export const STATUS = { ok: 0, notFound: 1, exists: 2, notStored: 5 } as const;

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** The request that logs in. Throws InputError when a name or password cannot be sent. */
export function loginRequest({ user, password }: Credentials, opaque = 0): Buffer {
  for (const [key, text] of Object.entries({ user, password })) {
    // memcached takes 1 KiB at most for all of it.
    if (typeof text !== 'string' || !/^[^\0]{1,255}$/.test(text)) throw new InputError(`auth.${key}: write 1 to 255 characters, none of them NUL`);
  }
  const mechanism = 'PLAIN';
  const body = Buffer.from(`${mechanism}\0${user}\0${password}`);
  const request = Buffer.alloc(HEADER_BYTES + body.length);
  putHeader(request, 0, OPCODE.saslAuth, mechanism.length, 0, body.length, opaque);
  body.copy(request, HEADER_BYTES);
  return request;
}

/** Writes the header of a request without a cas token; returns where it ends. `bodyBytes` counts extras, key and value. */
export function putHeader(out: Buffer, at: number, opcode: number, keyBytes: number, extrasBytes: number, bodyBytes: number, opaque: number): number {
  const view = viewToWrite(out);
  view.setUint32(at, (REQUEST << 24) | (opcode << 16) | keyBytes);
  view.setUint32(at + 4, extrasBytes << 24);
  view.setUint32(at + 8, bodyBytes);
  view.setUint32(at + 12, opaque);
  view.setUint32(at + 16, 0);
  view.setUint32(at + 20, 0);
  return at + HEADER_BYTES;
}
