/** Every fault can be asked for in a plan, where its cluster has what it needs, and is refused there by its plan where not. */
import { describe, expect, it } from 'vitest';
import { bareCache, cache } from '../../containers/cache.ts';
import { cacheClients } from '../../containers/client/index.ts';
import { memcached } from '../../containers/memcached/index.ts';
import { bareRedis } from '../../containers/redis/index.ts';
import { clockSkew, diskFull, FAULT_KINDS, type Fault, flush, misresolve, pushConfig, wrongCredential } from '../faults/index.ts';
import { drill, percentile } from '../index.ts';
import { planRun } from './plan.ts';
import { schedule } from './schedule.ts';

const TIER = cache({
  backends: 4,
  proxies: 2,
  clients: 2,
  byName: 'client-2 -> edge',
  skewable: 'proxy-1|client-*',
  smallDisks: { 'mc-1': { '/var/log': 8 } },
});
const login = memcached('mc-login', { sasl: { user: 'app', password: 'secret' } });
const redis = bareRedis().nodes.find(({ name }) => name === 'redis-1');
/** What the examples of the catalogue speak of. */
const RICH = {
  ...TIER,
  nodes: [...TIER.nodes, login, ...(redis ? [redis] : [])],
  byName: [...(TIER.byName ?? []), { from: 'client-1', to: 'mc-1', port: 11_211 }],
};

const planned = (fault: Fault, cluster: typeof RICH | ReturnType<typeof cache> = RICH) => schedule([{ at: '10s', for: '60s', fault }], cluster, 120_000, 1);

describe('a plan', () => {
  it.each(FAULT_KINDS.map((kind) => [kind.kind, kind.example as Fault] as const))('takes the example of %s', (_, example) => {
    expect(planned(example)[0]?.targets.length).toBeGreaterThan(0);
  });

  it.each<[Fault, string]>([
    [
      clockSkew('proxy-2', '+1h'),
      "steps[0].fault: proxy-2 was not started so that its clock can be put wrong; write skewable: 'proxy-2' where the cluster is built",
    ],
    [
      misresolve('client-1', { name: 'edge', as: 'mc-2' }),
      "steps[0].fault: 'client-1' does not dial 'edge' by name; by name: client-2 -> edge, client-1 -> mc-1",
    ],
    [
      diskFull('mc-2', { path: '/var/log' }),
      "steps[0].fault: 'mc-2' has no small filesystem at '/var/log' that could be filled; give it one where the cluster is built, smallDisks: { 'mc-2': { '/var/log': 8 } } for 8 MiB; allowed: mc-1",
    ],
    [wrongCredential('mc-1'), "steps[0].fault: 'mc-1' serves whoever comes, without a login; allowed: mc-login"],
    [pushConfig('mc-1', { replace: 'a', with: 'b' }), "steps[0].fault: 'mc-1' has no configuration that can be replaced; allowed: proxy-1, proxy-2, edge"],
    [flush('proxy-1'), "steps[0].fault: 'proxy-1' does not speak of what it holds, so nothing can be taken from it; allowed: mc-1"],
  ])('refuses %o where it does not fit, in one line that says what does', (fault, words) => {
    expect(() => planned(fault)).toThrow(words);
  });
});

describe('clients who dial by name', () => {
  const load = (entry: object) => [
    cacheClients({ rate: '100/s', connections: 4, mix: { get: '100%' }, deadline: '1s', timeout: '500ms', onTimeout: 'reconnect', backends: 1, ...entry }),
  ];
  const scenario = (cluster: ReturnType<typeof cache>, entry: object) =>
    drill({
      id: 'by-name',
      story: 'clients look their entry up',
      duration: '30s',
      load: load(entry),
      steps: [{ at: '10s', for: '5s', fault: misresolve('client-1', { name: entry && 'entry' in entry ? 'mc-1' : 'edge', as: 'client-1' }) }],
      slos: { steady: percentile(90, { under: '50ms', when: 'before' }) },
      variants: { only: { title: 'by name', cluster } },
    });

  it.each([
    ['to the edge', cache({ backends: 1, proxies: 1, byName: 'client-* -> edge' }), {}],
    ['to a cache', bareCache({ byName: 'client-1 -> mc-1' }), { entry: 'mc-1' }],
  ])('%s have a plan', (_, cluster, entry) => {
    expect(planRun(scenario(cluster, entry), { seed: 1 }).steps).toHaveLength(1);
  });
});
