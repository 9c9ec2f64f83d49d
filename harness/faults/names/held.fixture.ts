/**
 * A harness that is about to die: starts a cluster under the run id that it is given, tells its client a lie and puts its clock wrong, says so, and holds both until it is killed.
 *
 *   node harness/faults/names/held.fixture.ts RUN_ID
 */
import { bareCache } from '../../../containers/cache.ts';
import { connectEngine } from '../../cluster/engine.ts';
import { startCluster } from '../../cluster/start.ts';
import { clockSkew, clockSkewKind } from '../clock/clock-skew.ts';
import { misresolve, misresolveKind } from './misresolve.ts';

const quiet = () => undefined;
const cluster = await startCluster(bareCache({ byName: 'client-1 -> mc-1', skewable: 'client-1' }), {
  engine: await connectEngine(),
  runId: process.argv[2] as string,
  signal: new AbortController().signal,
  journal: { intent: quiet, done: quiet },
});
const prepared = [
  await misresolveKind.prepare(misresolve('client-1', { name: 'mc-1', as: 'client-1' }), cluster),
  await clockSkewKind.prepare(clockSkew('client-1', '+1h'), cluster),
];
for (const fault of prepared) {
  const { holds, measured } = await (await fault.inject()).prove();
  if (!holds) throw new Error(`a fault was not in force: ${measured}`);
}
process.stdout.write('in force\n');
setInterval(quiet, 60_000);
