/**
 * The hand: a small program of ours beside a node, in its network namespace, that looks and asks on the harness's behalf.
 * It answers one line of JSON on stdout to each on stdin, and ends when stdin ends. What it is asked for is in
 * `harness/cluster/hand.ts`.
 */
import { createInterface } from 'node:readline';
import { monotonicMs } from '../../harness/core/clock.ts';
import { ask, closeKept } from './ask.ts';
import { hostGauges, socketsByState, tablesOf } from './kernel.ts';

type Order =
  | { id: number; do: 'ping' }
  | { id: number; do: 'ask'; to: string; send: string; expect: string; ends: string; connection: 'kept' | 'new'; keep: string; patienceMs: number }
  | { id: number; do: 'close'; keep: string }
  /** Reports from now on, every so often: sockets at a local port by state, how busy the host is, or both. */
  | { id: number; do: 'watch'; port?: number; host: boolean; everyMs: number };

const say = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);

async function obey(order: Order): Promise<void> {
  switch (order.do) {
    case 'ping':
      say({ id: order.id, clockMs: monotonicMs() });
      return;
    case 'ask':
      say({ id: order.id, answer: await ask(order) });
      return;
    case 'close':
      closeKept(order.keep);
      say({ id: order.id });
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

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const order = JSON.parse(line) as Order;
  obey(order).catch((thrown: unknown) => say({ id: order.id, error: thrown instanceof Error ? thrown.message : String(thrown) }));
});
lines.on('close', () => process.exit(0));
