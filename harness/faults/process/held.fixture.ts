/**
 * A harness that is about to die: starts three caches under the run id that it is given, stops a first process and one under a supervisor by signals, lets a third die again and again, says so, and
 * holds them until it is killed.
 *
 *   node harness/faults/process/held.fixture.ts RUN_ID
 */
import { connectEngine } from '../../cluster/engine.ts';
import { startCluster } from '../../cluster/start.ts';
import { crashLoop, crashLoopKind } from './crash-loop.ts';
import { pause, pauseKind } from './pause.ts';
import { caches } from './supervised.fixture.ts';

const quiet = () => undefined;
const cluster = await startCluster(caches(), {
  engine: await connectEngine(),
  runId: process.argv[2] as string,
  signal: new AbortController().signal,
  journal: { intent: quiet, done: quiet },
});
const prepared = await Promise.all([
  pauseKind.prepare(pause('mc-1', { by: 'signal' }), cluster),
  pauseKind.prepare(pause('mc-3', { by: 'signal', process: 'memcached' }), cluster),
  crashLoopKind.prepare(crashLoop('mc-2', { every: '1s' }), cluster),
]);
for (const fault of prepared) {
  const { holds, measured } = await (await fault.inject()).prove();
  if (!holds) throw new Error(`a fault was not in force: ${measured}`);
}
process.stdout.write('in force\n');
setInterval(quiet, 60_000);
