import { describe, expect, it } from 'vitest';
import { answerTo, readQuestion } from './message.ts';

/** As a resolver sends it: recursion wanted, one question of class IN. */
function question(name: string, { type = 1, id = 0x1234, flags = 0x01_00, tail = Buffer.alloc(0) } = {}): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(tail.length > 0 ? 1 : 0, 10);
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, type, 0, 1]), tail]);
}

const read = (message: Buffer) => {
  const read = readQuestion(message);
  if (!read) throw new Error('no question');
  return read;
};

describe('a question', () => {
  it('is read, in lower case, and without what comes behind it', () => {
    const message = question('MC-1.Aftershock.test', { type: 28, tail: Buffer.from([0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0]) });
    const { name, type, bytes } = read(message);
    expect({ name, type }).toEqual({ name: 'mc-1.aftershock.test', type: 28 });
    expect(bytes.length).toBe(message.length - 11);
  });

  it('is none when it is an answer, of another class, compressed, or cut off at any byte', () => {
    const whole = question('mc-1.aftershock.test');
    expect(readQuestion(question('mc-1.test', { flags: 0x80_00 }))).toBeUndefined();
    expect(readQuestion(Buffer.concat([whole.subarray(0, -1), Buffer.from([3])]))).toBeUndefined();
    expect(readQuestion(Buffer.concat([whole.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]))).toBeUndefined();
    for (let length = 0; length < whole.length; length++) expect(readQuestion(whole.subarray(0, length))).toBeUndefined();
  });
});

describe('an answer', () => {
  it('has the id, the question, and one address that nobody may keep', () => {
    const asked = question('mc-1.aftershock.test');
    const answer = answerTo(read(asked), 'ok', '172.20.0.5');
    expect(answer.subarray(0, 12).toString('hex')).toBe('123485800001000100000000');
    expect(answer.subarray(12, asked.length)).toEqual(asked.subarray(12));
    expect(answer.subarray(asked.length).toString('hex')).toBe('c00c00010001000000000004ac140005');
  });

  it.each([
    ['servfail', '8582'],
    ['nxdomain', '8583'],
    ['refused', '8585'],
    ['ok', '8580'],
  ] as const)('that is %s has no address when there is none', (rcode, flags) => {
    const asked = question('mc-1.aftershock.test');
    const answer = answerTo(read(asked), rcode, rcode === 'ok' ? undefined : '172.20.0.5');
    expect(answer.toString('hex', 2, 12)).toBe(`${flags}0001000000000000`);
    expect(answer.length).toBe(asked.length);
  });

  it('to what is no plain query says that it is not implemented', () => {
    const answer = answerTo(read(question('mc-1.test', { flags: 0x20_00 })), 'ok', '172.20.0.5');
    expect(answer.toString('hex', 2, 8)).toBe('a48400010000');
  });
});
