/**
 * The warden: a container of its own that knows how the engine's limits on a run's nodes are taken back, and does so when the harness is dead.
 *
 * The reaper would remove the nodes, limits and all; the warden is for the harness that died together with its reaper. It is started when a fault first needs it. Whoever ordered it says a
 * word every two seconds, and is dead when stdin ends, and taken for dead after nine seconds without a word.
 *
 * A line of JSON on stdin is a word; each that bears an id is answered with a line on stdout.
 */
import { createInterface } from 'node:readline';
import { type Call, engineAt } from '../reaper/engine.ts';
import { refused } from '../reaper/reap.ts';

type WardenWord =
  | { readonly do: 'beat' }
  /** Answered once the engine has. */
  | { readonly do: 'ping'; readonly id: number }
  /** How something is taken back that is going to be done; answered before it is. */
  | { readonly do: 'note'; readonly id: number; readonly name: string; readonly call: Call }
  /** It was taken back. */
  | { readonly do: 'forget'; readonly id: number; readonly name: string };

const SILENCE_MS = 9_000;
/** A few of them, one after the other, have to fit into the second that is left of the ten in which every fault ends. */
const LIMIT_MS = 1_000;

const ask = engineAt('/var/run/docker.sock');
const notes = new Map<string, Call>();
let silence: NodeJS.Timeout | undefined;

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);

async function obey(word: WardenWord): Promise<void> {
  switch (word.do) {
    case 'beat':
      return;
    case 'ping': {
      const why = await refused(ask, { method: 'GET', path: '/_ping' });
      say({ id: word.id, ...(why !== undefined && { error: why }) });
      return;
    }
    case 'note':
      notes.set(word.name, word.call);
      say({ id: word.id });
      return;
    case 'forget':
      notes.delete(word.name);
      say({ id: word.id });
  }
}

/** Takes everything back, whatever becomes of each. What is gone is as good as taken back. */
async function takeBack(): Promise<void> {
  const calls = [...notes.values()];
  notes.clear();
  const failures = await Promise.all(calls.map((call) => refused(ask, call, LIMIT_MS)));
  for (const failure of failures) if (failure !== undefined) process.stderr.write(`${failure}\n`);
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  clearTimeout(silence);
  silence = setTimeout(() => void takeBack(), SILENCE_MS);
  void obey(JSON.parse(line) as WardenWord);
});
lines.on('close', () => void takeBack().finally(() => process.exit(0)));
// Whoever read our answers is gone; the end of stdin is what we go by.
process.stdout.on('error', () => undefined);
