/**
 * A harness that is about to die: starts a memcached with a small filesystem under the run id that it is given, takes something of each resource from it, says so, and holds it until it is killed.
 *
 *   node harness/faults/resource/held.fixture.ts RUN_ID
 */
import { bareCache } from '../../../containers/cache.ts';
import { connectEngine } from '../../cluster/engine.ts';
import { startCluster } from '../../cluster/start.ts';

const quiet = () => undefined;
const spec = bareCache();
const cluster = await startCluster(
  { ...spec, nodes: spec.nodes.map((node) => (node.role === 'cache' ? { ...node, tmpfs: { '/var/log/aftershock': 8 } } : node)) },
  { engine: await connectEngine(), runId: process.argv[2] as string, signal: new AbortController().signal, journal: { intent: quiet, done: quiet } },
);
const node = cluster.node('mc-1');
await node.fillDisk('/var/log/aftershock');
await node.limitDescriptors(60);
await node.limitMemory(64);
await node.limitWrites(1_000_000);
await node.burnCpu(1);
await node.limitCpu(0.5);
process.stdout.write('in force\n');
setInterval(quiet, 60_000);
