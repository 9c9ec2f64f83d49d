/**
 * A harness that is about to die: starts a bare cluster under the run id that it is given, puts a fault of each kind of lease in force, says so, and holds them until it is killed.
 *
 *   node harness/faults/held.fixture.ts RUN_ID
 */
import { bareCache } from '../../containers/cache.ts';
import { connectEngine } from '../cluster/engine.ts';
import { startCluster } from '../cluster/start.ts';
import { flood, floodKind } from './connection/flood.ts';
import { latency, latencyKind } from './link/latency.ts';
import { loss, lossKind } from './packet/loss.ts';

const quiet = () => undefined;
const cluster = await startCluster(bareCache(), {
  engine: await connectEngine(),
  runId: process.argv[2] as string,
  signal: new AbortController().signal,
  journal: { intent: quiet, done: quiet },
});
// The flood first: under loss its connections would take their time.
const prepared = [
  await floodKind.prepare(flood('mc-1', { connections: 50 }), cluster),
  await latencyKind.prepare(latency('client-1 -> mc-1', '300ms'), cluster),
  await lossKind.prepare(loss('mc-1', '20%'), cluster),
];
for (const fault of prepared) {
  const { holds, measured } = await (await fault.inject()).prove();
  if (!holds) throw new Error(`a fault was not in force: ${measured}`);
}
process.stdout.write('in force\n');
setInterval(quiet, 60_000);
