/**
 * Closed loop: on each connection so many gets at a time, the next ones when all are answered, until the time is over or SIGTERM.
 *
 *   node bench/drivers/closed.ts --port P --connections 50 --depth 1 --protocol text|meta|binary --keys 10000 --seconds 2 --recording on|off [--wire best|public|internal]
 *
 * With recording on, the engine writes down what a run writes down: windows and completions by series, percentiles, kinds of errors. Off, the same pool and the
 * same workers run without it, and only answers are counted. Prints one line of JSON.
 */
import { monotonicMs } from '../../harness/core/clock.ts';
import { Workers } from '../../harness/load/demand/workers.ts';
import { Engine } from '../../harness/load/engine.ts';
import type { Pool } from '../../harness/load/pool/pool.ts';
import type { Workload } from '../../harness/load/protocol.ts';
import { warmUp } from '../../harness/load/warm-up.ts';
import { fail, finish, getsOf, optionsOf, poolOf, protocolOf, random } from './setup.ts';
import { Totals } from './totals.ts';

const SWEEP_EVERY_MS = 100;

const options = optionsOf(
  { port: 'number', connections: 'number', depth: 'number', protocol: 'text', keys: 'number', seconds: 'number', recording: 'text', wire: 'text' },
  { wire: 'best', recording: 'on' },
);
const { connections, depth, protocol, keys, seconds, recording } = options;
const workload = getsOf(keys, false);
const poolOptions = await poolOf(options, protocolOf(protocol, keys));
const pool = await warmUp(poolOptions, workload);
const workers = new Workers({ workers: connections, batch: depth, thinkMs: 0, jitter: false, forMs: seconds * 1_000, random: random.fork('thinking') });
const zeroMs = monotonicMs();
const cpu = process.cpuUsage();
if (recording === 'on') record();
else count(pool, workload);

/** By the engine, with everything that it records. */
function record(): void {
  const totals = new Totals();
  const engine = new Engine({
    carrier: pool,
    workload,
    demand: workers,
    deadlineMs: poolOptions.deadlineMs,
    zeroMs,
    onReport: (report) => totals.add(report),
    onDone: () => {
      const { answered, failed, p50Us, p99Us } = totals.result();
      tell(answered, failed, { p50Us, p99Us });
    },
    onShortOf: (code) => fail(`ran out of what a connection needs: ${code}`),
  });
  process.on('SIGTERM', () => engine.stop());
  engine.start();
}

/** Without the engine: each answer lets its worker go on, and is counted. */
function count(carrier: Pool, { next }: Workload): void {
  let answered = 0;
  let failed = 0;
  let isOffering = false;
  const offerDue = (nowMs: number): void => {
    if (isOffering) return;
    isOffering = true;
    while (workers.nextDueMs <= nowMs) {
      const dueMs = workers.nextDueMs;
      const worker = workers.take();
      next();
      carrier.offerOwn(worker, dueMs, workload.operation, workload.key);
    }
    isOffering = false;
    carrier.flush();
  };
  const ended = (endedMs: number, worker: number): void => {
    workers.ended(worker, endedMs);
    if (workers.nextDueMs <= endedMs) offerDue(endedMs);
    else if (workers.isOver && carrier.underWay === 0) tell(answered, failed, {});
  };
  const clock = (): number => monotonicMs() - zeroMs;
  carrier.handOver(clock, {
    answered: (_dueMs, _operation, _key, endedMs, _miss, worker = 0) => {
      answered++;
      ended(endedMs, worker);
    },
    failed: (_dueMs, _operation, _key, endedMs, _kind, worker = 0) => {
      failed++;
      ended(endedMs, worker);
    },
    sent: () => undefined,
    connected: () => undefined,
    shortOf: (code) => fail(`ran out of what a connection needs: ${code}`),
  });
  setInterval(() => {
    carrier.sweep();
    // After the end, nothing else looks whether all have ended.
    if (workers.isOver && carrier.underWay === 0) tell(answered, failed, {});
  }, SWEEP_EVERY_MS);
  process.on('SIGTERM', () => workers.stop());
  offerDue(clock());
}

let told = false;

function tell(ops: number, errors: number, latency: { p50Us?: number | undefined; p99Us?: number | undefined }): void {
  if (told) return;
  told = true;
  const lasted = (monotonicMs() - zeroMs) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  pool.close();
  finish({ ops, seconds: lasted, cpuUs: (user + system) / ops, ...latency, errors, wire: poolOptions.wires?.kind });
}
