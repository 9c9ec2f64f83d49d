/**
 * Performs a plan: starts its cluster, its load and its faults, each at its moment, and writes down what happens.
 * It has effects and no opinion. Time, order and cleanup live here.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../cluster/engine.ts';
import { type RunningCluster, startCluster } from '../cluster/start.ts';
import { CleanUpError, InvalidRunError, messageOf } from '../core/errors.ts';
import { faultKind } from '../faults/index.ts';
import { unlessAborted } from './abort.ts';
import { Load } from './loads.ts';
import { RunLog } from './log.ts';
import type { Observer } from './observer.ts';
import { writeResultFile } from './results.ts';
import { Running } from './running.ts';
import { performStep } from './steps.ts';
import type { Plan } from './types.ts';
import { ENGINE_GONE, engineAnswers, watchEngine } from './watch.ts';

export interface RunOptions {
  readonly engine: Engine;
  readonly runId: string;
  /** The result folder, with plan.json in it. */
  readonly folder: string;
  /** Stops the run: what is broken is healed, then the timeline ends as aborted. Its reason is told in one line. */
  readonly signal: AbortSignal;
  readonly observer: Observer;
}

/** A run whose timeline has ended, and whose cluster still stands. */
export interface EndedRun {
  /** Why the timeline could not be written to its end; undefined when it was. */
  readonly broken: unknown;
  /** Saves every node's output, and takes the cluster down, unless `skip` says so by then. Throws CleanUpError naming what stayed. */
  tearDown(skip: () => boolean): Promise<void>;
  /** Leaves the cluster standing. */
  keep(): Promise<void>;
}

/** From time zero being fixed to the first request falling due: for the command to reach the clients. */
const LEAD_MS = 300;

/** Throws what keeps a cluster from starting; from then on every mishap is written into the timeline. */
export async function run(plan: Plan, options: RunOptions): Promise<EndedRun> {
  const { engine, runId, folder, observer, signal } = options;
  const dying = new Set<string>();
  const stop = new AbortController();
  const stopped = AbortSignal.any([signal, stop.signal]);
  /** Ends a run that cannot become valid any more. */
  const abort = (why: string) => {
    if (stopped.aborted) return;
    log.finding('invalid', why);
    stop.abort(new InvalidRunError(why));
  };
  let brokenLog: unknown;
  const log: RunLog = new RunLog(folder, (thrown) => {
    brokenLog = thrown;
    stop.abort(thrown);
  });
  const running = new Running();
  let cluster: RunningCluster | undefined;
  let watching: Awaited<ReturnType<typeof watchEngine>>;
  try {
    observer.stage(`starting ${plan.cluster.title}`);
    const startedAt = performance.now();
    cluster = await startCluster(plan.cluster, {
      engine,
      runId,
      signal,
      journal: {
        intent: (action, name) => {
          // A death that we ask for is no surprise, unless we have taken our word back.
          if (action === 'kill') dying.add(name);
          if (action === 'spare') dying.delete(name);
          log.intent(action, name);
        },
        done: (action, name, detail) => log.done(action, name, detail),
      },
      onReading: (node, { clockMs, gauges }) => {
        log.gauges(node, clockMs, gauges);
        running.read(node, log.at(clockMs), gauges);
      },
    });
    log.event('ready', { afterMs: Math.round(performance.now() - startedAt), evidence: cluster.evidence });
    watching = await watchEngine(
      engine,
      runId,
      (event) => {
        log.event('engine', event);
        if (event.action !== 'die') return;
        const name = `aftershock-${runId}-${event.node}`;
        if (!dying.delete(name) && !stopped.aborted) log.finding('invalid', `node ${event.node} died by itself (exit ${event.exitCode ?? 'unknown'})`);
      },
      () => abort(ENGINE_GONE),
    );
  } catch (thrown) {
    if (signal.aborted) log.end(0, messageOf(signal.reason));
    else {
      log.finding('invalid', messageOf(thrown));
      log.end(0);
    }
    log.close();
    // A cluster that stands, of an engine that would not tell of it.
    await cluster?.stop();
    throw signal.aborted && !(thrown instanceof CleanUpError) ? signal.reason : thrown;
  }

  const loadFailed = async (thrown: unknown) => abort((await engineAnswers(engine)) ? messageOf(thrown) : ENGINE_GONE);
  await perform(plan, { cluster, log, running, observer, stopped, abort, loadFailed });
  // Only a person's stop makes a run aborted; a run that stopped itself has its finding.
  if (signal.aborted) log.end(Math.min(log.now(), plan.durationMs), messageOf(signal.reason));
  else log.end(stopped.aborted ? Math.min(log.now(), plan.durationMs) : plan.durationMs);
  watching.close();
  const standing = cluster;
  return {
    broken: brokenLog,
    tearDown: async (skip) => {
      observer.stage('taking it down');
      try {
        await saveLogs(standing, folder, log);
        await (skip() ? standing.leave() : standing.stop());
      } finally {
        log.close();
      }
    },
    keep: async () => {
      await saveLogs(standing, folder, log);
      await standing.leave();
      log.close();
    },
  };
}

interface Performance {
  readonly cluster: RunningCluster;
  readonly log: RunLog;
  readonly running: Running;
  readonly observer: Observer;
  readonly stopped: AbortSignal;
  readonly abort: (why: string) => void;
  readonly loadFailed: (thrown: unknown) => Promise<void>;
}

/** Load and faults, from time zero until the last request has ended and the last fault is healed. */
async function perform(plan: Plan, { cluster, log, running, observer, stopped, abort, loadFailed }: Performance): Promise<void> {
  const loads: Load[] = [];
  const onlooker: Pick<Observer, 'tick'> = {
    tick: (tick) => {
      running.tick(tick);
      observer.tick(tick);
    },
  };
  try {
    for (const { fault } of plan.steps) await faultKind(fault).ready?.(fault, cluster);
    observer.stage('connecting clients');
    for (const spec of plan.load) loads.push(await Load.open(spec, plan.seed, cluster, log, onlooker, plan.durationMs));
    await unlessAborted(Promise.all(loads.map((load) => load.prepare(log))), stopped);
    stopped.throwIfAborted();
    const zeroMs = log.start(LEAD_MS);
    observer.stage(`running: ${plan.load.map((spec) => spec.title).join('; ')}`);
    for (const load of loads) load.start(zeroMs, plan.durationMs);
    stopped.addEventListener('abort', () => stopLoads(loads, log), { once: true });
    const inForce = new Set<string>();
    const steps = plan.steps.map((step, index) =>
      performStep(step, index, {
        cluster,
        log,
        running,
        signal: stopped,
        onChange: (now) => {
          if (now) inForce.add(step.title);
          else inForce.delete(step.title);
          observer.faults([...inForce]);
        },
      }),
    );
    const finished = loads.map((load) => load.finish(plan.durationMs, loadFailed));
    await Promise.all([...steps, ...finished]);
  } catch (thrown) {
    abort(messageOf(thrown));
  } finally {
    for (const load of loads) load.close();
  }
}

function stopLoads(loads: readonly Load[], log: RunLog): void {
  for (const load of loads) {
    try {
      load.stop();
    } catch (thrown) {
      log.finding('note', messageOf(thrown));
    }
  }
}

async function saveLogs(cluster: RunningCluster, folder: string, log: RunLog): Promise<void> {
  try {
    const logs = await cluster.logs();
    mkdirSync(join(folder, 'logs'), { recursive: true });
    for (const [node, text] of logs) writeResultFile(join(folder, 'logs'), `${node}.log`, text);
  } catch (thrown) {
    log.done('save logs', 'all nodes', `failed: ${messageOf(thrown)}`);
  }
}
