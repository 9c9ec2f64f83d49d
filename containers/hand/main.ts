/**
 * The hand: a small program of ours beside a node, in its network namespace, that looks, asks and disturbs on the harness's behalf.
 * It answers one line of JSON on stdout to each on stdin, and ends when stdin ends; what it has disturbed until then, it takes back first. What it is asked for is in
 * `harness/cluster/hand.ts`.
 */
import { createInterface } from 'node:readline';
import { monotonicMs } from '../../harness/core/clock.ts';
import { ask, closeKept } from './ask.ts';
import { type Datagrams, sendDatagrams } from './datagrams.ts';
import { type Calls, dial, hangUp } from './dial.ts';
import { askRow, type Draw, draw, type Parting, part, type Row } from './draw.ts';
import { type Exchange, exchange } from './exchange.ts';
import { type FlightOrder, flight } from './flight.ts';
import { connectionsFrom, farEnds, hostGauges, socketsByState, tablesOf } from './kernel.ts';
import { type Loan, Loans } from './loans.ts';
import { processesIn } from './processes.ts';
import { onLost } from './programs.ts';
import { resolve } from './resolve.ts';
import { type Call, carryOut } from './tool.ts';

type Order =
  | { id: number; do: 'ping' }
  | { id: number; do: 'ask'; to: string; send: string; expect: string; ends: string; connection: 'kept' | 'new'; keep: string; patienceMs: number }
  | { id: number; do: 'row'; row: Row }
  | { id: number; do: 'draw'; draw: Draw }
  | { id: number; do: 'part'; parting: Parting }
  | { id: number; do: 'close'; keep: string }
  | { id: number; do: 'exchange'; exchange: Exchange }
  | { id: number; do: 'connections'; port: number; from: string }
  | { id: number; do: 'dial'; to: string; keep: string; calls: Calls }
  | { id: number; do: 'hang up'; keep: string }
  | { id: number; do: 'wall clock' }
  | { id: number; do: 'resolve'; name: string; patienceMs: number }
  | { id: number; do: 'far ends'; port: number }
  | { id: number; do: 'send'; datagrams: Datagrams }
  | { id: number; do: 'flight'; flight: FlightOrder }
  | { id: number; do: 'tool'; call: Call }
  | { id: number; do: 'processes' }
  /** Disturbs: `begin` now, the loan from then on. Without `begin` it is somebody else who disturbs. */
  | { id: number; do: 'lend'; name: string; begin?: Call; loan: Loan }
  | { id: number; do: 'give back'; name: string }
  /** Whoever ordered loans is still there. */
  | { do: 'beat' }
  /** Reports from now on, every so often: sockets at a local port by state, how busy the host is, or both. */
  | { id: number; do: 'watch'; port?: number; host: boolean; everyMs: number };

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** How long we bear the silence of whoever ordered loans. */
const SILENCE_MS = 9_000;

const loans = new Loans();
let silence: NodeJS.Timeout | undefined;

/** Somebody is there, for as long as anything is lent to him. */
function heard(): void {
  clearTimeout(silence);
  if (loans.size > 0) silence = setTimeout(() => void loans.endAll(), SILENCE_MS);
}

async function obey(order: Order): Promise<void> {
  switch (order.do) {
    case 'beat':
      heard();
      await loans.renew();
      return;
    case 'send':
      await sendDatagrams(order.datagrams);
      say({ id: order.id });
      return;
    case 'flight':
      say({ id: order.id, ...(await flight(order.flight)) });
      return;
    case 'tool':
      say({ id: order.id, result: await carryOut(order.call) });
      return;
    case 'processes':
      say({ id: order.id, processes: processesIn() });
      return;
    case 'lend': {
      // Before its effect, so that it is taken back even if the effect is half one.
      loans.add(order.name, order.loan);
      heard();
      const { code, err } = order.begin ? await carryOut(order.begin) : { code: 0, err: '' };
      if (code !== 0) throw new Error(err.trim().split('\n')[0] || `exit ${code}`);
      say({ id: order.id });
      return;
    }
    case 'give back':
      await loans.end(order.name);
      heard();
      say({ id: order.id });
      return;
    case 'ping':
      say({ id: order.id, clockMs: monotonicMs() });
      return;
    case 'ask':
      say({ id: order.id, answer: await ask(order) });
      return;
    case 'row':
      say({ id: order.id, answers: await askRow(order.row) });
      return;
    case 'draw':
      say({ id: order.id, drawn: await draw(order.draw) });
      return;
    case 'part':
      say({ id: order.id, answer: await part(order.parting) });
      return;
    case 'exchange':
      say({ id: order.id, found: await exchange(order.exchange) });
      return;
    case 'connections':
      say({ id: order.id, connections: connectionsFrom(order.port, order.from) });
      return;
    case 'wall clock':
      say({ id: order.id, wallMs: Date.now() });
      return;
    case 'resolve':
      say({ id: order.id, resolved: await resolve(order) });
      return;
    case 'close':
      closeKept(order.keep);
      hangUp(order.keep);
      say({ id: order.id });
      return;
    case 'dial':
      say({ id: order.id, dialled: await dial(order.to, order.keep, order.calls) });
      return;
    case 'hang up':
      hangUp(order.keep);
      say({ id: order.id });
      return;
    case 'far ends':
      say({ id: order.id, farEnds: farEnds(order.port) });
      return;
    case 'watch': {
      const { port } = order;
      const tables = port === undefined ? [] : tablesOf(port);
      const host = order.host ? hostGauges() : () => ({});
      setInterval(() => {
        const sockets = port === undefined ? {} : socketsByState(port, tables);
        say({ watch: { clockMs: monotonicMs(), gauges: { ...sockets, ...host() } } });
      }, order.everyMs);
      say({ id: order.id });
    }
  }
}

// What is led through a program that has ended would be led nowhere: the loan of its name is taken back at once.
onLost((name) => void loans.end(name).catch((thrown: unknown) => process.stderr.write(`${name}: ${String(thrown)}\n`)));

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const order = JSON.parse(line) as Order;
  obey(order).catch((thrown: unknown) => say({ ...('id' in order ? { id: order.id } : {}), error: thrown instanceof Error ? thrown.message : String(thrown) }));
});
lines.on('close', () => void loans.endAll().finally(() => process.exit(0)));
// Whoever read our answers is gone; the end of stdin is what we go by.
process.stdout.on('error', () => undefined);
