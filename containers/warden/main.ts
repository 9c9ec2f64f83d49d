/**
 * The warden: a container of its own that knows how the engine's limits on a run's nodes and files that were laid into them are taken back, and does so when the harness is dead.
 *
 * The reaper would remove the nodes, limits and all; the warden is for the harness that died together with its reaper. It is started when a fault first needs it. Whoever ordered it says a
 * word every two seconds, and is dead when stdin ends, and taken for dead after eight seconds without a word.
 *
 * A line of JSON on stdin is a word; each that bears an id is answered with a line on stdout.
 */
import { createInterface } from 'node:readline';
import type { Step } from '../../harness/cluster/warden.ts';
import { engineAt } from '../reaper/engine.ts';
import { refused } from '../reaper/reap.ts';
import { takeBack } from './steps.ts';

type WardenWord =
  | { readonly do: 'beat' }
  /** Answered once the engine has. */
  | { readonly do: 'ping'; readonly id: number }
  /** How something is taken back that is going to be done; answered before it is. */
  | { readonly do: 'note'; readonly id: number; readonly name: string; readonly steps: readonly Step[] }
  /** It was taken back. */
  | { readonly do: 'forget'; readonly id: number; readonly name: string };

/** Every fault ends within ten seconds of the last word; two of them are for what the engine needs to start a node, and the node to answer. */
const SILENCE_MS = 8_000;
const SOCKET = '/var/run/docker.sock';

const ask = engineAt(SOCKET);
const notes = new Map<string, readonly Step[]>();
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
      notes.set(word.name, word.steps);
      say({ id: word.id });
      return;
    case 'forget':
      notes.delete(word.name);
      say({ id: word.id });
  }
}

async function takeAllBack(): Promise<void> {
  const all = [...notes.values()];
  notes.clear();
  for (const failure of await takeBack(SOCKET, ask, all)) process.stderr.write(`${failure}\n`);
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  clearTimeout(silence);
  silence = setTimeout(() => void takeAllBack(), SILENCE_MS);
  void obey(JSON.parse(line) as WardenWord);
});
lines.on('close', () => void takeAllBack().finally(() => process.exit(0)));
// Whoever read our answers is gone; the end of stdin is what we go by.
process.stdout.on('error', () => undefined);
