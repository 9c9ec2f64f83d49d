/** Which faults a saboteur is let loose on, and what it does to each: all that makes sense of it. */
import { cache } from '../../containers/cache.ts';
import { memcached } from '../../containers/memcached/index.ts';
import type { ClusterSpec } from '../cluster/spec.ts';
import * as faults from './index.ts';
import type { Sabotage } from './sabotage.fixture.ts';

export interface Row {
  readonly fault: faults.Fault;
  readonly cells: readonly Sabotage[];
  /** What the arguments of its acts become, as JSON. */
  readonly spoil: Partial<Record<Sabotage, (json: string) => string>>;
  /** It is in the short form: those whose acts are of a form of their own (a toxic, a loan of rules, a call of the engine, a lie, a program). */
  readonly short?: boolean;
}

const TIER = cache({ backends: 2, proxies: 2, clients: 2, proxyTimeout: '400ms', byName: 'client-2 -> edge', skewable: 'client-*' });
const LOGIN = { sasl: { user: 'app', password: 'secret' } };

/** Two of everything, so that a saboteur always finds another target. */
export const CLUSTER: ClusterSpec = {
  ...TIER,
  nodes: [
    ...TIER.nodes.map((node) => (node.role === 'cache' ? { ...node, tmpfs: { '/data': 4 } } : node)),
    memcached('login-1', LOGIN),
    memcached('login-2', LOGIN),
  ],
};

/** Of each target the one that is hit instead. */
export const INSTEAD: Readonly<Record<string, string>> = {
  'mc-1': 'mc-2',
  'proxy-1': 'proxy-2',
  'client-2': 'client-1',
  'login-1': 'login-2',
  'proxy-1 -> mc-1': 'proxy-1 -> mc-2',
};

const LINK = 'proxy-1 -> mc-1';
const LASTING: readonly Sabotage[] = ['does nothing', 'hits another target', 'never heals', 'dies halfway'];
/** Nothing of these is left to be taken back. */
const MOMENTARY: readonly Sabotage[] = ['does nothing', 'hits another target'];

const otherStream = (json: string) => json.replace('"downstream"', '"UP"').replace('"upstream"', '"downstream"').replace('"UP"', '"upstream"');
const otherWay = (script: string) => script.replaceAll('dport', 'SPORT').replaceAll('sport', 'dport').replaceAll('SPORT', 'sport');
const otherPort = (script: string) => script.replaceAll('11211', '11212');
/** Multiplies the numbers behind a word. */
const times = (factor: number, before: RegExp) => (json: string) =>
  json.replaceAll(
    new RegExp(`(${before.source})(\\d+(?:\\.\\d+)?)`, 'g'),
    (_, words: string, count: string) => `${words}${Math.round(Number(count) * factor * 1_000) / 1_000}`,
  );
/** Half the dose is half the number, or twice the number where less is worse. */
const half = (before: RegExp) => ({ 'has half the dose': times(0.5, before) });
const twice = (before: RegExp) => ({ 'has half the dose': times(2, before) });
const NO_TOXIC = '[{"type":"latency","stream":"upstream","attributes":{"latency":0,"jitter":0}}]';
const DRAWN = /mod \d+ < /;

const row = (fault: faults.Fault, spoil: Row['spoil'] = {}, cells = LASTING): Row => ({
  fault,
  cells: [...cells, ...(Object.keys(spoil) as Sabotage[])],
  spoil,
});
const packet = (fault: faults.Fault, spoil: Row['spoil'] = {}): Row => row(fault, { 'goes the other way': otherWay, 'hits another port': otherPort, ...spoil });

export const ROWS: readonly Row[] = [
  { ...row(faults.latency(LINK, '100ms'), half(/"latency":/)), short: true },
  row(faults.latency(LINK, '100ms', { jitter: '30ms', share: '30%', stream: 'upstream' }), { 'goes the other way': otherStream, ...half(/"share":/) }),
  // One of its two streams is let alone, or both of its toxics hit the same one.
  row(faults.silence(LINK), {
    'has half the dose': (json) => (json.includes('"upstream"') ? NO_TOXIC : json),
    'goes the other way': (json) => json.replace('"downstream"', '"upstream"'),
  }),
  row(faults.down(LINK)),
  // Toxiproxy resets both ends, whichever stream it is told of: it has no other way.
  row(faults.reset(LINK)),
  row(faults.bandwidth(LINK, '100KB/s'), { 'goes the other way': otherStream, ...twice(/"rate":/) }),
  row(faults.slowClose(LINK, '1s'), { 'goes the other way': otherStream, ...half(/"delay":/) }),
  row(faults.slicer(LINK, { averageBytes: 100, delay: '2ms' }), { 'goes the other way': otherStream, ...twice(/"average_size":/) }),
  row(faults.limitData(LINK, '64KB'), { 'goes the other way': otherStream, ...twice(/"bytes":/) }),

  { ...packet(faults.loss('mc-1', '30%'), half(DRAWN)), short: true },
  packet(faults.partition('mc-1')),
  packet(faults.reject('mc-1')),
  packet(faults.dropNew('mc-1')),
  packet(faults.limitConnections('mc-1', { count: 20, over: 'reset' }), twice(/ct count over /)),
  packet(faults.packetDelay('mc-1', '50ms'), half(/delay=/)),
  packet(faults.duplicate('mc-1', '20%'), half(/duplicate=/)),
  packet(faults.reorder('mc-1', '20%'), half(/reorder=/)),
  packet(faults.corrupt('mc-1', '20%'), half(/corrupt=/)),

  row(faults.kill('mc-1'), { 'has half the dose': () => '[{"signal":"SIGTERM"}]' }),
  { ...row(faults.pause('mc-1')), short: true },
  row(faults.pause('mc-1', { by: 'signal' })),
  row(faults.stop('mc-1')),
  row(faults.restart('mc-1'), {}, MOMENTARY),
  // The harness itself goes on killing, whatever becomes of one death.
  row(faults.crashLoop('mc-1', { every: '2s' }), {}, [...MOMENTARY, 'never heals']),

  row(faults.cpuLimit('mc-1', { cpus: 0.1 }), twice(/\[/)),
  row(faults.cpuBurn('mc-1', { workers: 4 }), half(/\[/)),
  row(faults.memoryLimit('mc-1', { mib: 40 }), twice(/\[/)),
  row(faults.oom('mc-1')),
  row(faults.descriptors('mc-1', 100), twice(/\[/)),
  row(faults.diskFull('mc-1', { path: '/data' })),
  row(faults.ioThrottle('mc-1', { write: '1MB/s' }), twice(/\[/)),

  { ...row(faults.misresolve('client-2', { name: 'edge', as: 'mc-2' })), short: true },
  row(faults.unreachableName('client-2', { name: 'edge' })),
  row(faults.noAnswer('client-2', { name: 'edge', how: 'nxdomain' })),
  row(faults.slowNames('client-2', { name: 'edge', by: '500ms' }), half(/"byMs":/)),
  row(faults.clockSkew('client-2', '+1h'), half(/\[/)),

  { ...row(faults.flood('mc-1', { connections: 100 }), half(/"connections":/)), short: true },
  row(faults.flush('mc-1'), {}, MOMENTARY),
  row(faults.evict('mc-1', '30%'), {}, MOMENTARY),
  row(faults.pushConfig('proxy-1', { replace: 'mc-2', with: 'mc-9' })),
  row(faults.wrongCredential('login-1')),
];
