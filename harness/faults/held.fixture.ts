/**
 * A harness that is about to die: starts a cluster under the run id that it is given, puts faults in force, says so, and holds them until it is killed.
 *
 *   node harness/faults/held.fixture.ts RUN_ID traffic|wire|names|processes|resources|configuration
 */
import { bareCache, cache } from '../../containers/cache.ts';
import { memcached } from '../../containers/memcached/index.ts';
import { connectEngine } from '../cluster/engine.ts';
import type { ClusterSpec } from '../cluster/spec.ts';
import { type RunningCluster, startCluster } from '../cluster/start.ts';
import { clockSkew, crashLoop, type Fault, faultKind, flood, latency, loss, misresolve, packetDelay, pause } from './index.ts';
import { caches } from './process/supervised.fixture.ts';

/** What it holds. */
export type Held = 'traffic' | 'wire' | 'names' | 'processes' | 'resources' | 'configuration';

const LOGS = '/var/log/aftershock';
const bare = bareCache();
const tier = cache({ backends: 2, proxies: 2, proxyTimeout: '400ms' });

const SETS: Readonly<Record<Held, { readonly spec: ClusterSpec; hold(cluster: RunningCluster): Promise<void> }>> = {
  // The flood first: under loss its connections would take their time.
  traffic: {
    spec: bare,
    hold: proven(flood('mc-1', { connections: 50 }), latency('client-1 -> mc-1', '300ms'), loss('mc-1', '20%')),
  },
  wire: { spec: bare, hold: proven(packetDelay('mc-1', '200ms')) },
  names: {
    spec: bareCache({ byName: 'client-1 -> mc-1', skewable: 'client-1' }),
    hold: proven(misresolve('client-1', { name: 'mc-1', as: 'client-1' }), clockSkew('client-1', '+1h')),
  },
  processes: {
    spec: caches(),
    hold: proven(pause('mc-1', { by: 'signal' }), pause('mc-3', { by: 'signal', process: 'memcached' }), crashLoop('mc-2', { every: '1s' })),
  },
  // The acts alone: faults would refuse each other on one node, where one of them is the other's noise.
  resources: {
    spec: { ...bare, nodes: bare.nodes.map((node) => (node.role === 'cache' ? { ...node, tmpfs: { [LOGS]: 8 } } : node)) },
    hold: async (cluster) => {
      const node = cluster.node('mc-1');
      await node.fillDisk(LOGS);
      await node.limitDescriptors(60);
      await node.limitMemory(64);
      await node.limitWrites(1_000_000);
      await node.burnCpu(1);
      await node.limitCpu(0.5);
    },
  },
  // One of each kind: taken by another start, not come up with, taken by a reload; and a password. The acts alone, as they disturb each other's proofs.
  configuration: {
    spec: { ...tier, nodes: [...tier.nodes, memcached('mc-login', { sasl: { user: 'app', password: 'secret' } })] },
    hold: async (cluster) => {
      const push = async (name: string, from: string, to: string, comesUp: boolean) => {
        const configuration = cluster.node(name).configuration();
        await configuration.push((await configuration.read()).replaceAll(from, to), { comesUp });
      };
      await push('proxy-1', 'mc-2', 'mc-9', true);
      await push('proxy-2', 'timeout: 400', 'timeout: soon', false);
      await push('edge', '  default_backend proxies', '  tcp-request connection reject', true);
      await cluster.node('mc-login').login().change('another');
    },
  },
};

/** All prepared before the first is injected, so that none is another's normal. */
function proven(...faults: readonly Fault[]): (cluster: RunningCluster) => Promise<void> {
  return async (cluster) => {
    const prepared = [];
    for (const fault of faults) prepared.push(await faultKind(fault).prepare(fault, cluster));
    for (const one of prepared) {
      const { holds, measured } = await (await one.inject()).prove();
      if (!holds) throw new Error(`a fault was not in force: ${measured}`);
    }
  };
}

const [runId, held] = process.argv.slice(2) as [string, Held];
const quiet = () => undefined;
const { spec, hold } = SETS[held];
const cluster = await startCluster(spec, {
  engine: await connectEngine(),
  runId,
  signal: new AbortController().signal,
  journal: { intent: quiet, done: quiet },
});
await hold(cluster);
process.stdout.write('in force\n');
setInterval(quiet, 60_000);
