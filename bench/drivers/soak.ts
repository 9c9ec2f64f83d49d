/**
 * Open loop at an even rate for minutes, with everything recorded, and the heap after a collection at the end of each minute.
 *
 *   node --expose-gc bench/drivers/soak.ts --port P --connections 50 --rate 20000 --minutes 30 --keys 10000
 *
 * Prints one line of JSON.
 */
import { monotonicMs } from '../../harness/core/clock.ts';
import { Schedule } from '../../harness/load/demand/demand.ts';
import { constantRate } from '../../harness/load/demand/pacer.ts';
import { Engine } from '../../harness/load/engine.ts';
import { wakerOf } from '../../harness/load/pacing/waker.ts';
import { rehearse } from '../../harness/load/rehearsal.ts';
import { warmUp } from '../../harness/load/warm-up.ts';
import { fail, finish, getsOf, optionsOf, poolOf, protocolOf, rehearsalOf } from './setup.ts';
import { Totals } from './totals.ts';

const MINUTE_MS = 60_000;

const options = optionsOf({ port: 'number', connections: 'number', rate: 'number', minutes: 'number', keys: 'number' });
const { rate, minutes, keys } = options;
const workload = getsOf(keys, true);
const poolOptions = await poolOf({ ...options, depth: 1, wire: 'best' }, protocolOf('text', keys));
const pool = await warmUp(poolOptions, workload);
const waker = wakerOf('exact');
await rehearse({ carrier: pool, workload: () => rehearsalOf(keys), deadlineMs: poolOptions.deadlineMs, waker });
const totals = new Totals();
const heapBytes: number[] = [];
const timer = setInterval(() => {
  collect();
  // Buffers stand outside of the heap, and could grow as well.
  const { heapUsed, external } = process.memoryUsage();
  heapBytes.push(heapUsed + external);
}, MINUTE_MS);
const engine = new Engine({
  carrier: pool,
  workload,
  // Half a second more, so that the last reading is under load.
  demand: new Schedule(constantRate(rate, minutes * MINUTE_MS + 500)),
  deadlineMs: poolOptions.deadlineMs,
  zeroMs: monotonicMs(),
  waker,
  onReport: (report) => totals.add(report),
  onDone: () => {
    clearInterval(timer);
    waker.close();
    pool.close();
    const { answered, failed, p99Us } = totals.result();
    finish({ answered, failed, p99Us, heapBytes });
  },
  onShortOf: (code) => fail(`ran out of what a connection needs: ${code}`),
});
engine.start();

function collect(): void {
  if (globalThis.gc === undefined) fail('run it with node --expose-gc');
  else globalThis.gc();
}
