/**
 * A protocol of one question: the one by which a node is asked whether it is well. What floods a node speaks nothing else, so that every node that can be probed can be flooded, whatever it speaks.
 */
import type { Answer, Conversation, Protocol } from '../../harness/load/protocol.ts';

export interface Question {
  readonly send: string;
  /** What an answer begins with. */
  readonly expect: string;
  /** What it ends with. */
  readonly ends: string;
}

/** `times`: so often is it asked in one request, which is answered when all of them are. */
export function questionProtocol({ send, expect, ends }: Question, times = 1): Protocol {
  const request = Buffer.from(send.repeat(times), 'latin1');
  return {
    longestRequestBytes: request.length,
    converse: (): Conversation => {
      let text = '';
      let answer: Answer | undefined;
      return {
        ask: (out, at) => at + request.copy(out, at),
        hear: (bytes, at, end) => {
          text += bytes.toString('latin1', at, end);
          const isOne = text.length < expect.length ? expect.startsWith(text) : text.startsWith(expect);
          const isWhole = text.endsWith(ends) && text.split(expect).length > times;
          // A server that has no room for one more says so, each in its own words.
          answer = !isOne ? 'server' : isWhole ? 'done' : undefined;
          if (answer !== undefined) text = '';
          return end;
        },
        get answer() {
          return answer;
        },
      };
    },
  };
}
