import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../harness/load/protocol.ts';
import { questionProtocol } from './question.ts';

const VERSION = { send: 'version\r\n', expect: 'VERSION', ends: '\n' };

/** What each piece that comes is taken for. */
function heard(conversation: Conversation, ...pieces: string[]): Conversation['answer'][] {
  return pieces.map((piece) => {
    const bytes = Buffer.from(piece, 'latin1');
    expect(conversation.hear(bytes, 0, bytes.length, 0, 0)).toBe(bytes.length);
    return conversation.answer;
  });
}

describe('a protocol of one question', () => {
  it('asks it, as often as it is to be asked at once', () => {
    const protocol = questionProtocol(VERSION, 3);
    const out = Buffer.alloc(protocol.longestRequestBytes);
    expect(out.toString('latin1', 0, protocol.converse().ask(out, 0, 0, 0))).toBe('version\r\n'.repeat(3));
  });

  it('is answered when the answer is whole, however it comes, and again', () => {
    const conversation = questionProtocol(VERSION).converse();
    expect(heard(conversation, 'VER', 'SION 1.6', '.18\r\n', 'VERSION 1.6.18\r\n')).toEqual([undefined, undefined, 'done', 'done']);
  });

  it('is answered several times over when each has been', () => {
    const conversation = questionProtocol(VERSION, 2).converse();
    expect(heard(conversation, 'VERSION 1\r\n', 'VERSION 1\r\n')).toEqual([undefined, 'done']);
  });

  it('knows that a server has no room', () => {
    expect(heard(questionProtocol(VERSION).converse(), 'ERROR Too many open connections\r\n')).toEqual(['server']);
    expect(heard(questionProtocol(VERSION).converse(), 'VERR')).toEqual(['server']);
  });
});
