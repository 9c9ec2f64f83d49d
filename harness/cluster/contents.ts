/** What a cache node holds, asked for and taken away in the words that its builder has given: straight from another node, past every link. */
import { EnvironmentError } from '../core/errors.ts';
import type { Hand } from './hand.ts';
import type { ContentsSpec, ProbeSpec, Words } from './spec.ts';
import type { Contents, Disturbance } from './types.ts';

export interface ContentsSurroundings {
  readonly name: string;
  readonly words: ContentsSpec;
  readonly probe: ProbeSpec;
  /** Where it answers now, host:port. */
  to(): string;
  hand(): Promise<Hand>;
  act<T>(action: string, effect: () => Promise<T>): Promise<T>;
}

/** What is over when it was done, and cannot be taken back. */
const OVER: Disturbance = { undo: async () => undefined, missing: async () => undefined };

export function contentsOf({ name, words, probe, to, hand, act }: ContentsSurroundings): Contents {
  // What a node answers comes in order, so the answer to its probe, asked last, ends all of them. It stands on a line of its own.
  const until = `(?:^|\\n)${literal(probe.expect)}[^\\n]*${literal(probe.ends ?? '\n')}`;
  const say = async (send: string, find: string) => (await hand()).exchange({ to: to(), send: send + probe.send, until, find });
  const aboutAll = ({ send, find }: Words, keys: readonly string[]) => say(keys.map((key) => about(send, key)).join(''), find);
  const aboutEach = async (words: Words, keys: readonly string[], done: string) => {
    const answers = await aboutAll(words, keys);
    if (answers.length !== keys.length) throw new EnvironmentError(`${name} has ${done} ${answers.length} of ${keys.length} keys`);
  };
  const number = async ({ send, find }: Words) => {
    const [found] = await say(send, find);
    // A counter that was never counted may not be listed at all.
    return found === undefined ? 0 : Number(found);
  };
  return {
    store: (keys) => aboutEach(words.store, keys, 'stored'),
    count: async (keys) => (await aboutAll(words.ask, keys)).length,
    list: async () => {
      const { send, find, ends } = words.list;
      const keys = ends === undefined ? await say(send, find) : await (await hand()).exchange({ to: to(), send, until: `(?:^|\\n)${ends}`, find });
      return words.list.escaped ? keys.map((key) => decodeURIComponent(key)) : keys;
    },
    counters: async () => {
      const [items, flushes] = await Promise.all([number(words.items), number(words.flushes)]);
      return { items, flushes };
    },
    drop: async (keys) => {
      await act(`drop ${keys.length} keys of`, () => aboutEach(words.drop, keys, 'dropped'));
      return OVER;
    },
    flush: async () => {
      const answers = await act('flush', () => say(words.flush.send, words.flush.find));
      if (answers.length === 0) throw new EnvironmentError(`${name} refuses to be flushed`);
      return OVER;
    },
  };
}

/** The words about one key. */
function about(text: string, key: string): string {
  return text.replaceAll('${bytes}', String(Buffer.byteLength(key, 'latin1'))).replaceAll('${key}', () => key);
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
