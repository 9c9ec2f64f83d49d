/**
 * The program that floods a node with connections: runs in a container of its own, so that whoever is flooded knows its clients by their address. It obeys a line of JSON on stdin and answers with one
 * on stdout. Its connections are lent: the end of stdin ends it, and so does a silence of nine seconds, and the kernel then closes all that it has. What it is told is in `harness/cluster/flood.ts`.
 */
import { createInterface } from 'node:readline';
import type { FloodForm } from '../../harness/cluster/flood-form.ts';
import { monotonicMs } from '../../harness/core/clock.ts';
import { seeded } from '../../harness/core/random.ts';
import { LONGEST_MS } from '../../harness/core/units.ts';
import type { Behaviour } from '../../harness/load/connections/behaviour.ts';
import { churn } from '../../harness/load/connections/churn.ts';
import { ConnectionEngine } from '../../harness/load/connections/engine.ts';
import { flood } from '../../harness/load/connections/flood.ts';
import { halfClosed } from '../../harness/load/connections/half-closed.ts';
import { herd } from '../../harness/load/connections/herd.ts';
import { LocalPorts } from '../../harness/load/connections/local-ports.ts';
import { neverReading } from '../../harness/load/connections/never-reading.ts';
import { slowSender } from '../../harness/load/connections/slow-sender.ts';
import { chooseWires } from '../../harness/load/wires/handle.ts';
import { type Question, questionProtocol } from './question.ts';

type Order =
  | { id: number; do: 'flood'; to: { host: string; port: number }; question: Question; form: FloodForm }
  /** How many connections stand, and how many the far end did not keep. */
  | { id: number; do: 'tell' }
  | { do: 'beat' };

const SILENCE_MS = 9_000;
/** A connection counts when its first question was answered, and is given up after so long without. */
const TIMEOUT_MS = 10_000;
/** Attempts under way at once where no rate is asked for: less than any listen backlog on the way. */
const OPENING_AT_ONCE = 128;
/** A herd's member that was turned away rests so long. */
const REST_MS = 1_000;
const SLOW_BYTES = 1;
/**
 * Those who never read ask 256 x 64 questions more. The shortest answers have some 7 bytes, so at least 115 kB come back, and a receive buffer that nobody reads from takes about 64 kB: the rest has to wait at
 * the far end.
 */
const QUESTIONS_AT_ONCE = 256;
const ASKS = 64;

let engine: ConnectionEngine | undefined;
let open = 0;
let turnedAway = 0;
let lost = 0;

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
const last = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};

let silence: NodeJS.Timeout;
function heard(): void {
  clearTimeout(silence);
  silence = setTimeout(() => last(`no word for ${SILENCE_MS / 1_000} s`), SILENCE_MS);
}

async function obey(order: Order): Promise<void> {
  heard();
  if (order.do === 'flood') {
    await begin(order);
    say({ id: order.id });
  } else if (order.do === 'tell') {
    say({ id: order.id, open, turnedAway: turnedAway + lost });
  }
}

async function begin({ to, question, form }: Order & { do: 'flood' }): Promise<void> {
  const random = seeded(process.pid);
  const ports = LocalPorts.ofThisKernel(random.next());
  engine = new ConnectionEngine({
    wires: await chooseWires(),
    address: to,
    ...(ports ? { ports } : {}),
    protocol: questionProtocol(question, form.kind === 'never-reading' ? QUESTIONS_AT_ONCE : 1),
    operation: 0,
    drawKey: () => 0,
    behaviour: behaviourOf(form),
    tenant: 'flood',
    timeoutMs: TIMEOUT_MS,
    deadlineMs: TIMEOUT_MS,
    closeBy: 'fin',
    zeroMs: monotonicMs(),
    forMs: LONGEST_MS,
    onReport: ({ tally, connections }) => {
      open = connections;
      turnedAway += tally.failed;
    },
    onGauges: (_, gauges) => {
      lost = gauges['connections.lost'] ?? 0;
    },
    onDone: () => undefined,
    onShortOf: (code, held) => last(`with ${held} connections it could open no further one to ${to.host}:${to.port} (${code})`),
  });
  engine.start();
}

function behaviourOf(form: FloodForm): Behaviour {
  const random = seeded(process.pid, 'behaviour');
  switch (form.kind) {
    case 'churn':
      return churn({ atMs: 0, ratePerSecond: form.ratePerSecond });
    case 'half-closed':
      return halfClosed({ atMs: 0, count: Number.POSITIVE_INFINITY, ratePerSecond: form.ratePerSecond, openingAtOnce: OPENING_AT_ONCE });
    case 'herd':
      return herd({ atMs: 0, members: form.connections, everyMs: form.everyMs, spreadMs: 0, jitter: 'even', restMs: REST_MS }, random);
    default: {
      const { connections: count, ratePerSecond } = form;
      const opening = { atMs: 0, count, openingAtOnce: OPENING_AT_ONCE, ...(ratePerSecond === undefined ? {} : { ratePerSecond }) };
      if (form.kind === 'slow-sender') return slowSender({ ...opening, bytes: SLOW_BYTES, everyMs: form.everyMs });
      return form.kind === 'idle' ? flood(opening) : neverReading({ ...opening, asks: ASKS });
    }
  }
}

heard();
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const order = JSON.parse(line) as Order;
  obey(order).catch((thrown: unknown) => last(thrown instanceof Error ? thrown.message : String(thrown)));
});
lines.on('close', () => process.exit(0));
// Whoever read our answers is gone; the end of stdin is what we go by.
process.stdout.on('error', () => undefined);
