import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EnvironmentError, InputError } from '../core/errors.ts';
import { Journal, readJournal } from './journal.ts';

/** While set, what is written goes to this descriptor instead: that of a disk that is full. */
const redirect = vi.hoisted(() => ({ to: undefined as number | undefined }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, writeSync: (descriptor: number, bytes: Buffer, offset: number) => fs.writeSync(redirect.to ?? descriptor, bytes, offset) };
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
  path = join(folder, 'journal.ndjson');
});
afterEach(() => {
  if (redirect.to !== undefined) closeSync(redirect.to);
  redirect.to = undefined;
  rmSync(folder, { recursive: true });
});

const write = (records: readonly object[]) => {
  const journal = Journal.create(path);
  for (const record of records) journal.append(record);
  journal.close();
};

describe('a journal', () => {
  it('gives back what was appended, in order', () => {
    write([{ n: 1 }, { text: 'grüße\n"\u2028' }, { list: [1, [2]] }]);
    expect(readJournal(path)).toEqual({ records: [{ n: 1 }, { text: 'grüße\n"\u2028' }, { list: [1, [2]] }], damage: [] });
  });

  it('is plain NDJSON behind its checksums', () => {
    write([{ n: 1 }, { n: 2 }]);
    expect(execFileSync('cut', ['-c10-', path], { encoding: 'utf8' })).toBe('{"n":1}\n{"n":2}\n');
  });

  it('begins each line with the CRC-32 of its JSON', () => {
    // The check value of CRC-32 is that of the digits 1 to 9: cbf43926.
    write([123456789 as unknown as object]);
    expect(readFileSync(path, 'utf8')).toBe('cbf43926 123456789\n');
  });

  it('has each record on the disk before append returns', () => {
    const journal = Journal.create(path);
    journal.append({ n: 1 });
    expect(readJournal(path).records).toEqual([{ n: 1 }]);
    journal.close();
  });

  it('writes buffered records within a second, and the rest at close', async () => {
    const journal = Journal.create(path, { buffered: true });
    journal.append({ n: 1 });
    expect(readJournal(path).records).toEqual([]);
    await expect.poll(() => readJournal(path).records, { timeout: 5_000 }).toEqual([{ n: 1 }]);
    journal.append({ n: 2 });
    journal.close();
    journal.close();
    expect(readJournal(path).records).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('refuses a file that is there already, and leaves it alone', () => {
    writeFileSync(path, 'mine');
    expect(() => Journal.create(path)).toThrow(new EnvironmentError(`cannot write '${path}': it is there already`));
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('refuses a folder that is not there, naming the path', () => {
    expect(() => Journal.create(join(folder, 'none', 'x'))).toThrow(`cannot write '${join(folder, 'none', 'x')}': there is no such file or folder`);
  });

  it.skipIf(!existsSync('/dev/full'))('says in one line which file met a full disk, at once and at every later call', () => {
    const journal = Journal.create(path);
    redirect.to = openSync('/dev/full', 'w');
    const full = new EnvironmentError(`cannot write '${path}': no space left on the device`);
    expect(() => journal.append({ n: 1 })).toThrow(full);
    expect(() => journal.append({ n: 2 })).toThrow(full);
    expect(() => journal.close()).toThrow(full);
    journal.close();
  });

  it.skipIf(!existsSync('/dev/full'))('keeps the failure of a late flush for the next append', async () => {
    const journal = Journal.create(path, { buffered: true });
    redirect.to = openSync('/dev/full', 'w');
    journal.append({ n: 1 });
    await expect.poll(() => thrownBy(() => journal.append({ n: 2 })), { timeout: 5_000 }).toBeInstanceOf(EnvironmentError);
    expect(() => journal.close()).toThrow(EnvironmentError);
  });
});

describe('reading a journal', () => {
  it('tells of a torn last line after the whole ones', () => {
    write([{ n: 1 }, { n: 2 }, { n: 3 }]);
    truncateSync(path, readFileSync(path).length - 3);
    expect(readJournal(path)).toEqual({ records: [{ n: 1 }, { n: 2 }], damage: ['journal.ndjson is torn after record 2'] });
  });

  it('tells of a changed line in the middle and reads on after it', () => {
    write([{ n: 1 }, { n: 2 }, { n: 3 }]);
    writeFileSync(path, readFileSync(path, 'utf8').replace('{"n":2}', '{"n":7}'));
    expect(readJournal(path)).toEqual({ records: [{ n: 1 }, { n: 3 }], damage: ['journal.ndjson is corrupt at line 2'] });
  });

  it('counts the lines when many are corrupt', () => {
    write([{ n: 1 }]);
    appendFileSync(path, 'not a record\n\n');
    expect(readJournal(path).damage).toEqual(['journal.ndjson is corrupt at 2 lines, the first of them line 2']);
  });

  it('calls a line corrupt whose checksum fits bytes that are no JSON', () => {
    // The CRC-32 of 'abc' is 352441c2.
    writeFileSync(path, '352441c2 abc\n');
    expect(readJournal(path)).toEqual({ records: [], damage: ['journal.ndjson is corrupt at line 1'] });
  });

  it('throws only when there is no file to read', () => {
    expect(() => readJournal(path)).toThrow(new InputError(`cannot read '${path}': there is no such file or folder`));
    writeFileSync(path, '');
    expect(readJournal(path)).toEqual({ records: [], damage: [] });
  });

  it('never throws and never invents a record, whatever is cut off or flipped', () => {
    const originals = [{ n: 1 }, { text: 'ä€😀' }, { deep: { list: [true, null] } }];
    write(originals);
    const whole = readFileSync(path);
    const known = new Set(originals.map((record) => JSON.stringify(record)));
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (keep, at, flip) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] as number) ^ flip;
        writeFileSync(path, bytes.subarray(0, keep));
        const { records, damage } = readJournal(path);
        expect(records.every((record) => known.has(JSON.stringify(record)))).toBe(true);
        if (keep === whole.length && flip !== 0) expect(damage).not.toEqual([]);
      }),
    );
  });
});

function thrownBy(action: () => void): unknown {
  try {
    action();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}
