/** `aftershock down [ID]`: removes a cluster that was left standing. */
import { connectEngine } from '../cluster/engine.ts';
import { findRemains, type RunRemains, removeRemains } from '../cluster/remains.ts';
import { EnvironmentError, InputError } from '../core/errors.ts';
import { counted, span } from '../report/words.ts';
import { chosenCluster } from './kept.ts';

export interface DownFlags {
  readonly all?: boolean;
}

/** Throws InputError where it cannot be told which one is meant, and EnvironmentError where a fault is in force on it. */
export async function downCommand(wanted: string | undefined, flags: DownFlags): Promise<void> {
  if (flags.all && wanted !== undefined) throw new InputError(`--all: removes every cluster; leave out '${wanted}', or leave out --all`);
  const engine = await connectEngine();
  const kept = (await findRemains(engine)).filter((run) => run.kept);
  if (kept.length === 0 && wanted === undefined) {
    process.stdout.write('no cluster stands\n');
    return;
  }
  const ids = kept.map(({ runId }) => runId);
  const chosen = flags.all ? ids : [chosenCluster(ids, wanted, 'down')];
  const going = kept.filter((run) => chosen.includes(run.runId));
  const disturbed = going.find(isDisturbed);
  if (disturbed) throw new EnvironmentError(`cluster ${disturbed.runId} has a fault in force; stop 'aftershock fault' first (Ctrl-C heals at once)`);
  // Nobody has named it, and it goes at once.
  if (wanted === undefined && !flags.all) for (const run of going) process.stdout.write(`${describeStanding(run, Date.now())}\n`);
  for (const { runId, containers } of going) {
    await removeRemains(engine, runId);
    process.stdout.write(`${runId} is removed: ${counted(containers.length)} containers and its network\n`);
  }
}

/** 'the only cluster that stands is 3f2a: 2 memcached, HAProxy; since 12 min'. What is not known is left out. */
export function describeStanding({ runId, standing: { title, since } = {} }: RunRemains, nowMs: number): string {
  const sinceMs = Date.parse(since ?? '');
  const age = Number.isNaN(sinceMs) ? '' : `; it was left standing ${span(Math.max(0, nowMs - sinceMs))} ago`;
  return `the only cluster that stands is ${runId}${title === undefined ? '' : `: ${title}`}${age}`;
}

/** Whoever puts a fault in force has a guard beside the cluster, and lives. */
function isDisturbed({ runId, alive, containers }: RunRemains): boolean {
  return alive && containers.some(({ name }) => name === `aftershock-${runId}-reaper`);
}
