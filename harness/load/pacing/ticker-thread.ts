/** The thread of the ticker: sleeps until shortly before the moment that it was told, and says so. */
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicMs } from '../../core/clock.ts';
import { EARLY_MS, type TickerShared } from './ticker.ts';

const { counter: counterMemory, moment: momentMemory } = workerData as TickerShared;
const counter = new Int32Array(counterMemory);
const moment = new Float64Array(momentMemory);

let told = 0;
for (;;) {
  const wanted = Atomics.load(counter, 0);
  if (wanted < 0) break;
  if (wanted === told) {
    Atomics.wait(counter, 0, wanted);
    continue;
  }
  const aheadMs = (moment[0] as number) - EARLY_MS - monotonicMs();
  // Woken before the time: there is another moment.
  if (aheadMs > 0 && Atomics.wait(counter, 0, wanted, aheadMs) !== 'timed-out') continue;
  told = wanted;
  parentPort?.postMessage(wanted);
}
