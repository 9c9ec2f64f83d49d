/**
 * A harness that is about to die: leads the packets of mc-1 through a wire, says so, and holds it until it is killed.
 *
 *   node harness/faults/packet/wire/held.fixture.ts RUN_ID
 */
import { bareCache } from '../../../../containers/cache.ts';
import { connectEngine } from '../../../cluster/engine.ts';
import { startCluster } from '../../../cluster/start.ts';
import { packetDelay, packetDelayKind } from '../packet-delay.ts';

const quiet = () => undefined;
const cluster = await startCluster(bareCache(), {
  engine: await connectEngine(),
  runId: process.argv[2] as string,
  signal: new AbortController().signal,
  journal: { intent: quiet, done: quiet },
});
const prepared = await packetDelayKind.prepare(packetDelay('mc-1', '200ms'), cluster);
const { holds, measured } = await (await prepared.inject()).prove();
if (!holds) throw new Error(`the fault was not in force: ${measured}`);
process.stdout.write('in force\n');
setInterval(quiet, 60_000);
