/**
 * The reaper: a container of its own that outlives the harness, and cleans up after one that died.
 *
 * The harness starts it before anything else and says a word every two seconds. It is dead when it closes our stdin, and taken for dead when it is silent for longer than
 * `silenceMs`: a process that was stopped, a laptop that sleeps.
 *
 * A line of JSON on stdin is a word, the first of them its settings.
 */
import { hostname } from 'node:os';
import { createInterface } from 'node:readline';
import { engineAt } from './engine.ts';
import { BETWEEN_LOOKS_MS, MOST_LOOKS, reap, refused, rest, wordsOf } from './reap.ts';
import { type Kept, look, restore } from './restore.ts';

export interface ReaperSettings {
  /** What everything of the run bears that is to go with it, as 'key=value'. */
  readonly label: string;
  readonly silenceMs: number;
  /** Nothing of it is to go: it becomes again what it is now. */
  readonly keeps: boolean;
}

export type ReaperWord =
  | { readonly do: 'beat' }
  /** What it puts back is what stands now: it is answered with `{ looked: true }`, or `{ trouble }`. */
  | { readonly do: 'look' }
  /** The run has ended and cleaned up, or leaves its cluster standing on purpose; it removes our container, too. */
  | { readonly do: 'bye' };

const SOCKET = '/var/run/docker.sock';

const ask = engineAt(SOCKET);
let settings: ReaperSettings | undefined;
let before: readonly Kept[] = [];
let timer: NodeJS.Timeout | undefined;
let over = false;

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);

function hear(line: string): void {
  if (!settings) {
    settings = JSON.parse(line) as ReaperSettings;
    // A reaper that could not do anything is told of now, and not when it is needed.
    begin(settings).then(
      () => say({ ready: true }),
      (thrown: unknown) => say({ trouble: wordsOf(thrown) }),
    );
    return;
  }
  const word = JSON.parse(line) as ReaperWord;
  switch (word.do) {
    case 'beat':
      return;
    case 'look':
      look(ask, settings.label).then(
        (seen) => {
          before = seen;
          say({ looked: true });
        },
        (thrown: unknown) => say({ trouble: wordsOf(thrown) }),
      );
      return;
    case 'bye':
      // Whoever says so removes our container.
      process.exit(0);
  }
}

async function begin({ label, keeps }: ReaperSettings): Promise<void> {
  const { status, body } = await ask({ method: 'GET', path: '/_ping' });
  if (status !== 200) throw new Error(`it answered ${status} ${String(body)}`);
  if (keeps) before = await look(ask, label);
}

async function dead(): Promise<void> {
  if (over) return;
  over = true;
  const failures = settings ? await (settings.keeps ? restore(ask, settings.label, before) : reap(ask, settings.label)) : [];
  for (const failure of failures) process.stderr.write(`${failure}\n`);
  // Nobody else may be there to remove our own container; once it is done, we are not there to see it.
  for (let tries = 0; tries < MOST_LOOKS; tries++) {
    const why = await refused(ask, { method: 'DELETE', path: `/containers/${hostname()}?force=1` });
    if (why === undefined) return;
    process.stderr.write(`${why}\n`);
    await rest(BETWEEN_LOOKS_MS);
  }
}

function listen(): void {
  clearTimeout(timer);
  if (settings && !over) timer = setTimeout(() => void dead(), settings.silenceMs);
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  if (over) return;
  hear(line);
  listen();
});
lines.on('close', () => void dead());
// Whoever reads our stdout goes when the harness goes; that is what we are for.
process.stdout.on('error', () => undefined);
