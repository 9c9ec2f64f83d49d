/** `aftershock clean`: removes what dead runs left on the engine, by label. Runs that are still going on are left alone. */
import { connectEngine } from '../cluster/engine.ts';
import { describeRemains, findRemains, removeRemains } from '../cluster/remains.ts';

export async function clean(options: { dryRun?: boolean; all?: boolean }): Promise<void> {
  const engine = await connectEngine();
  const runs = await findRemains(engine);
  const dead = runs.filter((run) => options.all || !run.alive);
  for (const run of dead) {
    process.stdout.write(`${options.dryRun ? 'would remove' : 'removing'} ${describeRemains(run)}\n`);
    if (!options.dryRun) await removeRemains(engine, run.runId);
  }
  const alive = runs.length - dead.length;
  if (dead.length === 0) process.stdout.write('nothing to clean\n');
  if (alive > 0)
    process.stdout.write(`${alive} ${alive === 1 ? 'run is' : 'runs are'} still going on and left alone; '--all' removes ${alive === 1 ? 'it' : 'them'} too\n`);
}
