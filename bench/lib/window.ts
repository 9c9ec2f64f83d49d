/**
 * A look at a generator under steady load: requests by the server's count, processor time by the kernel's, over the same two seconds.
 *
 * The look begins when the server has seen the load begin and some time has passed, whatever the tool does before: connecting, storing its
 * keys, compiling itself. So the start-up of no tool is counted, and no tool's own word is taken for its speed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSecondsBetween, machineBusySeconds, readCpu } from './cpu.ts';
import type { Memcached } from './memcached.ts';
import type { Program } from './processes.ts';

/** How long a tool may take until its load is steady, ms. */
const START_PATIENCE_MS = 30_000;
/** From the first requests to the look: a Node process has compiled its hot functions after some tenths of a second. */
const SETTLE_MS = 500;
const POLL_MS = 20;
/** Load has begun when the server answered so many gets between two polls and stored nothing. */
const BEGUN_GETS = 20;

export interface Look extends Readonly<Record<string, number>> {
  readonly opsPerSecond: number;
  readonly cpuUsPerOp: number;
  readonly opsPerCpuSecond: number;
  /** Shares of one core. */
  readonly generatorCores: number;
  readonly serverCores: number;
  /** What everything else on this machine used. */
  readonly otherCores: number;
  readonly missShare: number;
}

/** Looks at a running generator for so long. Throws EnvironmentError when it does not get going, or ends meanwhile. */
export async function lookAt(generator: Program, server: Memcached, lookMs: number): Promise<Look> {
  await begun(generator, server);
  await sleep(SETTLE_MS);
  const before = await moment(generator, server);
  await sleep(lookMs);
  if (generator.over) throw await generator.failure('ended while it was measured');
  const after = await moment(generator, server);
  const seconds = (after.atMs - before.atMs) / 1_000;
  const counted = (name: string): number => (after.stats[name] ?? 0) - (before.stats[name] ?? 0);
  const ops = counted('cmd_get');
  if (ops <= 0 || counted('cmd_set') > 0) throw await generator.failure(`did not only get while it was measured (${ops} gets, ${counted('cmd_set')} sets)`);
  const generatorSeconds = cpuSecondsBetween(before.generator, after.generator);
  const serverSeconds = cpuSecondsBetween(before.server, after.server);
  const ownSeconds = cpuSecondsBetween(before.own, after.own);
  return {
    opsPerSecond: ops / seconds,
    cpuUsPerOp: (generatorSeconds * 1e6) / ops,
    opsPerCpuSecond: ops / generatorSeconds,
    generatorCores: generatorSeconds / seconds,
    serverCores: serverSeconds / seconds,
    otherCores: Math.max(0, (after.busySeconds - before.busySeconds - generatorSeconds - serverSeconds - ownSeconds) / seconds),
    missShare: counted('get_misses') / ops,
  };
}

/** Waits until the server answers this generator's gets. Throws EnvironmentError when that does not come about. */
export async function begun(generator: Program, server: Memcached): Promise<void> {
  const giveUpAt = performance.now() + START_PATIENCE_MS;
  for (let last = await server.stats(); ; ) {
    await sleep(POLL_MS);
    if (generator.over) throw await generator.failure('ended before it put load on the server');
    if (performance.now() > giveUpAt) throw await generator.failure(`put no load on the server within ${START_PATIENCE_MS / 1_000} s`);
    const now = await server.stats();
    if ((now['cmd_get'] ?? 0) - (last['cmd_get'] ?? 0) >= BEGUN_GETS && now['cmd_set'] === last['cmd_set']) return;
    last = now;
  }
}

async function moment(generator: Program, server: Memcached) {
  const askedMs = performance.now();
  const stats = await server.stats();
  const heardMs = performance.now();
  return {
    // The server counted somewhere between the question and the answer.
    atMs: (askedMs + heardMs) / 2,
    stats,
    generator: readCpu(generator.pid),
    server: readCpu(server.program.pid),
    own: readCpu(process.pid),
    busySeconds: machineBusySeconds(),
  };
}
