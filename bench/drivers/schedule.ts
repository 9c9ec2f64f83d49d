/**
 * Open loop: gets at an even rate, whatever is answered.
 *
 *   node bench/drivers/schedule.ts --port P --connections 50 --rate 20000 --seconds 2 --keys 10000 [--depth 1] [--pacing exact|economical] [--wire best|public|internal]
 *
 * Before, as before every load, all connections are opened, all keys stored over them, and what the load runs through is rehearsed.
 * Then it prints 'begun', and at the end one line of JSON.
 */
import { monotonicMs } from '../../harness/core/clock.ts';
import { Schedule } from '../../harness/load/demand/demand.ts';
import { constantRate } from '../../harness/load/demand/pacer.ts';
import { Engine } from '../../harness/load/engine.ts';
import { type Pacing, wakerOf } from '../../harness/load/pacing/waker.ts';
import { rehearse } from '../../harness/load/rehearsal.ts';
import { warmUp } from '../../harness/load/warm-up.ts';
import { fail, finish, getsOf, optionsOf, poolOf, protocolOf, rehearsalOf } from './setup.ts';
import { Totals } from './totals.ts';

/** From the end of the warm-up to the first request: the pacer's thread has started by then. */
const AHEAD_MS = 100;

const options = optionsOf(
  { port: 'number', connections: 'number', rate: 'number', seconds: 'number', keys: 'number', pacing: 'text', wire: 'text', depth: 'number' },
  { pacing: 'exact', wire: 'best', depth: '1' },
);
const { rate, seconds, keys, pacing } = options;
const workload = getsOf(keys, true);
const poolOptions = await poolOf(options, protocolOf('text', keys));
const pool = await warmUp(poolOptions, workload);
const waker = wakerOf(pacing as Pacing);
await rehearse({ carrier: pool, workload: () => rehearsalOf(keys), deadlineMs: poolOptions.deadlineMs, waker });
const totals = new Totals();
const zeroMs = monotonicMs() + AHEAD_MS;
const engine = new Engine({
  carrier: pool,
  workload,
  demand: new Schedule(constantRate(rate, seconds * 1_000)),
  deadlineMs: poolOptions.deadlineMs,
  zeroMs,
  waker,
  onReport: (report) => totals.add(report),
  onDone: () => {
    waker.close();
    pool.close();
    finish({ ...totals.result(), worstLatenessP99Ms: totals.worstLatenessP99Ms, wire: poolOptions.wires?.kind });
  },
  onShortOf: (code) => fail(`ran out of what a connection needs: ${code}`),
});
engine.start();
// What the server has answered until now was stored and rehearsed.
process.stdout.write('begun\n');
