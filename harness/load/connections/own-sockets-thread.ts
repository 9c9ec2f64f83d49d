/** The thread that reads the kernel's table of sockets (see `own-sockets.ts`). */
import { openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicMs } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { countSockets, type FromThread, type ThreadSettings } from './own-sockets.ts';

const EVERY_MS = 500;
/** Of a core. */
const MOST_SHARE = 0.05;
/**
 * The cheapest of so many readings is what one costs. While a thousand connections a second are opened, some readings of 2,000 sockets are charged 92 to 442 ms of processor time and the others
 * 5 to 12 ms as at rest: paused by the dear ones, the thread would tell nothing for up to nine seconds.
 */
const COMPARED = 3;

const tell = (message: FromThread) => parentPort?.postMessage(message);

const { table, far } = workerData as ThreadSettings;
const farEnd = Buffer.from(far, 'latin1');

const lastCostsMs: number[] = [];

function turn(file: number): void {
  const before = process.threadCpuUsage();
  const clockMs = monotonicMs();
  tell({ clockMs, gauges: countSockets(file, farEnd) });
  const used = process.threadCpuUsage(before);
  lastCostsMs.push((used.user + used.system) / 1_000);
  if (lastCostsMs.length > COMPARED) lastCostsMs.shift();
  setTimeout(() => turn(file), Math.max(EVERY_MS, Math.min(...lastCostsMs) / MOST_SHARE));
}

try {
  const file = openSync(table, 'r');
  parentPort?.once('message', () => turn(file));
  tell({ opened: true });
} catch (thrown) {
  tell({ opened: false, why: messageOf(thrown) });
}
