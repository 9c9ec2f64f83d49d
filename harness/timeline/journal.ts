/**
 * Files that are only ever added to, one checksummed line a record:
 *
 *     <CRC-32 of the JSON, 8 hexadecimal digits> <JSON>\n
 *
 * `cut -c10- journal.ndjson` is plain NDJSON. A process that is killed leaves at most one torn line at the end; a line that was
 * changed afterwards no longer fits its checksum. Both are told, and neither is ever read as if it were whole.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { crc32 } from 'node:zlib';
import { EnvironmentError, InputError, messageOf } from '../core/errors.ts';

/** How long a buffered record may wait to be written, ms: what a killed process loses of the bulk files at most. */
const FLUSH_MS = 500;

/** Buffered characters above which a flush does not wait: a second of windows is far below it. */
const FLUSH_LENGTH = 1 << 20;

/** Eight digits, one blank. */
const HEAD_BYTES = 9;
const NEWLINE = 10;

export interface JournalOptions {
  /** Write records together, every half second and at close, rather than each at once. */
  readonly buffered?: boolean;
}

/** A file of records under way. R is what a record may be. */
export class Journal<R extends object = object> {
  readonly #path: string;
  readonly #buffered: boolean;
  #descriptor: number | undefined;
  #waiting = '';
  #timer: NodeJS.Timeout | undefined;
  #failed: EnvironmentError | undefined;

  private constructor(path: string, descriptor: number, buffered: boolean) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#buffered = buffered;
  }

  /** Creates the file. Throws EnvironmentError when it is there already or cannot be created. */
  static create<R extends object = object>(path: string, options: JournalOptions = {}): Journal<R> {
    try {
      return new Journal<R>(path, openSync(path, 'wx', 0o644), options.buffered ?? false);
    } catch (thrown) {
      throw cannotWrite(path, thrown);
    }
  }

  /**
   * Adds a record. Unless the journal is buffered, it has been handed to the kernel when this returns. Throws
   * EnvironmentError when this or an earlier buffered record could not be written, and on every call after that.
   */
  append(record: R): void {
    if (this.#failed) throw this.#failed;
    if (this.#descriptor === undefined) throw new TypeError(`'${this.#path}' is closed`);
    this.#waiting += lineOf(record);
    if (!this.#buffered || this.#waiting.length >= FLUSH_LENGTH) {
      this.flush();
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#flushLate(), FLUSH_MS);
      this.#timer.unref();
    }
  }

  /** Writes what waits. Throws EnvironmentError. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#failed) throw this.#failed;
    if (this.#waiting === '' || this.#descriptor === undefined) return;
    const bytes = Buffer.from(this.#waiting, 'utf8');
    this.#waiting = '';
    try {
      // A disk that fills up takes a part of the bytes first, and refuses the rest at the next call.
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written);
    } catch (thrown) {
      this.#failed = cannotWrite(this.#path, thrown);
      throw this.#failed;
    }
  }

  /** Writes what waits and closes the file. Calling it again does nothing. Throws EnvironmentError when a record was lost. */
  close(): void {
    if (this.#descriptor === undefined) return;
    try {
      this.flush();
    } finally {
      const descriptor = this.#descriptor;
      this.#descriptor = undefined;
      closeSync(descriptor);
    }
  }

  /** A timer has nobody to throw to: the failure is kept for the next `append`, `flush` or `close`. */
  #flushLate(): void {
    try {
      this.flush();
    } catch (thrown) {
      if (thrown !== this.#failed) throw thrown;
    }
  }
}

/** What a file of records was found to hold. */
export interface ReadJournal {
  readonly records: readonly unknown[];
  /** What is wrong with the file, a sentence each without its full stop; empty when it is whole. */
  readonly damage: readonly string[];
}

/** Reads every whole record of a file; damage is told, not thrown. Throws InputError when the file cannot be read. */
export function readJournal(path: string): ReadJournal {
  const bytes = bytesOf(path);
  const records: unknown[] = [];
  const corrupt: number[] = [];
  let torn = false;
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    torn = newline < 0;
    const end = torn ? bytes.length : newline;
    const read = recordIn(bytes, start, end);
    if (read) records.push(read.record);
    else if (!torn) corrupt.push(line);
    start = end + 1;
  }
  const name = basename(path);
  const damage: string[] = [];
  if (corrupt.length === 1) damage.push(`${name} is corrupt at line ${corrupt[0]}`);
  if (corrupt.length > 1) damage.push(`${name} is corrupt at ${corrupt.length} lines, the first of them line ${corrupt[0]}`);
  if (torn) damage.push(`${name} is torn after record ${records.length}`);
  return { records, damage };
}

/** The record in a line of bytes [start, end), when it fits its checksum. */
function recordIn(bytes: Buffer, start: number, end: number): { record: unknown } | undefined {
  const json = bytes.subarray(start + HEAD_BYTES, end);
  if (end - start <= HEAD_BYTES || bytes.toString('latin1', start, start + HEAD_BYTES) !== headOf(json)) return undefined;
  try {
    return { record: JSON.parse(json.toString('utf8')) };
  } catch (thrown) {
    // A checksum that fits bytes that are no JSON is damage like any other.
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

function lineOf(record: object): string {
  const json = JSON.stringify(record);
  return `${headOf(json)}${json}\n`;
}

function headOf(json: string | Buffer): string {
  return `${crc32(json).toString(16).padStart(8, '0')} `;
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (thrown) {
    throw new InputError(`cannot read '${path}': ${reasonOf(thrown)}`, { cause: thrown });
  }
}

function cannotWrite(path: string, thrown: unknown): EnvironmentError {
  return new EnvironmentError(`cannot write '${path}': ${reasonOf(thrown)}`, { cause: thrown });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it is there already',
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a folder',
};

function reasonOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return REASONS[code] ?? messageOf(thrown);
}
