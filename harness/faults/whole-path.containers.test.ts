/**
 * Every fault as the client at the entry of a whole path meets it:
 *
 *   client-1, client-2 -> edge -> proxy-1 -> mc-1, mc-2
 *
 * each arrow a link, but for client-2, which dials the edge by name and whose clock can be put wrong. What a fault does to its own target is shown beside it, in its family.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cache } from '../../containers/cache.ts';
import { loginRequest } from '../../containers/memcached/binary-requests.ts';
import { memcached } from '../../containers/memcached/index.ts';
import { ketama } from '../../containers/twemproxy/ketama.ts';
import type { LinkProber } from '../cluster/types.ts';
import { useCluster } from './cluster.fixture.ts';
import * as faults from './index.ts';

const TIER = cache({ backends: 2, proxies: 1, clients: 2, proxyTimeout: '400ms', byName: 'client-2 -> edge', skewable: 'client-2' });
const standing = useCluster({
  ...TIER,
  nodes: [
    ...TIER.nodes.map((node) => (node.name === 'mc-1' ? { ...node, tmpfs: { '/data': 4 } } : node)),
    memcached('login-1', { sasl: { user: 'app', password: 'secret' } }),
  ],
  links: [...TIER.links, { from: 'client-1', to: 'login-1', port: 11_211 }],
});

/** Twemproxy's own choice between the two, by name. */
const owner = ketama(['mc-1', 'mc-2']);
const keysOf = (shard: number, count: number) =>
  Array.from({ length: 20 * count }, (_, n) => `key-${n}`)
    .filter((key) => owner(key) === shard)
    .slice(0, count);
const MINE = keysOf(0, 100);
const BIG = keysOf(0, 1_000).slice(100);
const [first, second] = [MINE[0] as string, keysOf(1, 1)[0] as string];
/** A value of so many bytes takes nine packets, and 240 ms at 50 KB/s. */
const VALUE_BYTES = 12_000;
/** What takes longer was delayed: on a busy machine an exchange takes some tens of milliseconds. */
const LATE_MS = 75;
/** A client's own patience, longer than the proxy's. */
const PATIENCE_MS = 1_500;

/** A program of a client: sends each text (an expression) over a connection of its own, which it holds until it ends, and says what came of it until a pattern fits, or time is over. */
const exchanges = (host: string, port: number, texts: string, end: RegExp) => `
import { connect } from 'node:net';
const exchange = (text) => new Promise((resolve) => {
  const began = performance.now();
  let said = '';
  const done = (how) => resolve({ how, said, ms: performance.now() - began });
  const socket = connect({ host: '${host}', port: ${port} }, () => socket.write(text));
  socket.on('data', (bytes) => { said += bytes.toString('latin1'); if (${end}.test(said)) done('answered'); });
  socket.on('error', (error) => done(error.code)).on('close', () => done('closed'));
  setTimeout(() => done('silent'), ${PATIENCE_MS});
});
say(await Promise.all((${texts}).map(exchange)));`;

interface Exchange {
  readonly how: string;
  readonly said: string;
  readonly ms: number;
}

const END = /(END|STORED|ERROR.*)\r\n$/;

/** Over the link of client-1, or by name from client-2. */
async function exchanged(client: 'client-1' | 'client-2', texts: readonly string[] | string, end = END): Promise<Exchange[]> {
  const expression = typeof texts === 'string' ? texts : JSON.stringify(texts);
  const { address, port } = standing.cluster.link('client-1 -> edge');
  const [host, at] = client === 'client-1' ? [address, port] : ['edge.aftershock.test', standing.cluster.node('edge').port];
  return (await standing.run(client, exchanges(host, at, expression, end))) as Exchange[];
}

function told({ how, said, ms }: Exchange): string {
  if (how !== 'answered') return how === 'silent' ? how : 'failed';
  if (said.includes('ERROR')) return 'failed';
  if (said === 'END\r\n') return 'missed';
  if (said.length < VALUE_BYTES) return 'cut';
  return ms > LATE_MS ? 'late' : 'answered';
}

async function store(): Promise<void> {
  const set = (key: string, bytes: number) => `set ${key} 0 0 ${bytes}\r\n${'x'.repeat(bytes)}\r\n`;
  const stored = await exchanged('client-1', [set(first, VALUE_BYTES), set(second, VALUE_BYTES), ...MINE.slice(1).map((key) => set(key, 5))]);
  expect(stored.map(({ said }) => said).filter((said) => said !== 'STORED\r\n')).toEqual([]);
}

/** What becomes of a key of each shard: 'answered, answered'. */
const shards = async () => (await exchanged('client-1', [`get ${first}\r\n`, `get ${second}\r\n`])).map(told).join(', ');
const shardsByName = async () => (await exchanged('client-2', [`get ${first}\r\n`, `get ${second}\r\n`])).map(told).join(', ');
/** How many of a hundred keys of mc-1 are there. */
const hits = async () => {
  const [all] = await exchanged('client-1', [`get ${MINE.join(' ')}\r\n`]);
  return `${all?.said.match(/VALUE/g)?.length ?? 0} hits`;
};
/** Another 20 MB in mc-1, and then a key of each shard. */
let grown = 0;
const growing = async () => {
  const keys = BIG.slice(grown, grown + 20);
  grown += 20;
  await exchanged('client-1', `${JSON.stringify(keys)}.map((key) => 'set ' + key + ' 0 0 1000000\\r\\n' + 'x'.repeat(1e6) + '\\r\\n')`);
  return shards();
};
/** A hundred clients at once. */
const crowd = async () => {
  const all = await exchanged(
    'client-1',
    Array.from({ length: 100 }, () => `get ${MINE[1]}\r\n`),
  );
  return all.every(({ how }) => how === 'answered') ? 'all' : 'some';
};
/** An item that expires in a minute, by the clock of the client that stores it. */
const expiring = async () => {
  const { wallMs } = (await standing.run('client-2', 'say({ wallMs: Date.now() });')) as { wallMs: number };
  const [, answer] = [
    await exchanged('client-1', [`set ${MINE[2]} 0 ${Math.round(wallMs / 1_000) + 60} 5\r\nhello\r\n`]),
    await exchanged('client-1', [`get ${MINE[2]}\r\n`]),
  ];
  return answer[0]?.said.includes('hello') ? 'kept' : 'expired';
};

let entry: LinkProber;
beforeAll(async () => {
  entry = await standing.cluster.link('client-1 -> edge').prober();
});
afterAll(() => entry.close());

/** A connection that was there, and a new one. */
const oldAndNew = async () => `${(await entry.ask('kept', 300)).kind}, ${(await entry.ask('new', 300)).kind}`;
const sometimesLate = async () => {
  const answers = await entry.askRow('new', { count: 40, lanes: 4, patienceMs: 2_000 });
  return `${answers.filter(({ ms }) => ms > LATE_MS).length} of 40 late`;
};
const parting = async () => ((await entry.part('new', 2_000)).ms >= 299 ? 'late' : 'prompt');
/** Two thousand requests at once: the proxy has them answered in some 50 ms when it has a processor. More would take more memory than it may have, 16 KiB each. */
const work = async () => {
  const [answer] = await exchanged('client-1', `['get ${MINE[1]}\\r\\n'.repeat(2_000) + 'get nothing\\r\\n']`, /END\r\nEND\r\n$/);
  return answer?.how === 'answered' && answer.ms < 300 ? 'swift' : 'slow';
};
/** Over the link, as its owner logs in: status 0 is that he may, 0x20 that he may not. */
const loggedIn = async () => {
  const { address, port } = standing.cluster.link('client-1 -> login-1');
  const request = JSON.stringify(loginRequest({ user: 'app', password: 'secret' }).toString('latin1'));
  const [answer] = (await standing.run('client-1', exchanges(address, port, `[Buffer.from(${request}, 'latin1')]`, /^[\s\S]{24}/))) as Exchange[];
  return `status ${answer?.said.charCodeAt(7)}`;
};

interface Row {
  readonly fault: faults.Fault;
  /** What the client looks at, */
  readonly look: () => Promise<string>;
  /** what it sees normally, */
  readonly well: string;
  /** and under the fault. */
  readonly ill: RegExp;
}

const seen = (look: Row['look'], well: string, rows: readonly (readonly [faults.Fault, RegExp])[]): Row[] =>
  rows.map(([fault, ill]) => ({ fault, look, well, ill }));

const INNER = 'proxy-1 -> mc-1';
const FAILED = /^failed, answered$/;
const LATE = /^late, answered$/;
const BOTH = 'answered, answered';

const ROWS: readonly Row[] = [
  // A key of each shard: only the one behind the fault suffers.
  ...seen(shards, BOTH, [
    [faults.latency(INNER, '100ms'), LATE],
    [faults.bandwidth(INNER, '50KB/s'), LATE],
    [faults.slicer(INNER, { averageBytes: 100, delay: '2ms' }), LATE],
    [faults.silence(INNER), FAILED],
    [faults.down(INNER), FAILED],
    [faults.reset(INNER), FAILED],
    [faults.limitData(INNER, '1KB'), /^(failed|cut), answered$/],
    [faults.loss(INNER, '100%'), FAILED],
    [faults.partition('mc-1'), FAILED],
    [faults.reject(INNER), FAILED],
    [faults.packetDelay('mc-1', '100ms'), LATE],
    // A packet that is lost or broken is sent again, after 200 ms at the earliest.
    [faults.corrupt('mc-1', '30%'), /^(late|failed), answered$/],
    [faults.kill('mc-1'), FAILED],
    [faults.pause('mc-1'), FAILED],
    [faults.stop('mc-1'), FAILED],
    [faults.crashLoop('mc-1', { every: '2s' }), FAILED],
    [faults.restart('mc-1'), /^missed, answered$/],
    [faults.oom('mc-1'), FAILED],
    [faults.flush('mc-1'), /^missed, answered$/],
    // TCP hides from a client what comes twice or in another order; a cache needs no disk. The proofs say that they were there.
    [faults.duplicate('mc-1', '50%'), /^answered, answered$/],
    [faults.reorder('mc-1', '20%'), /^(answered|late), answered$/],
    [faults.diskFull('mc-1', { path: '/data' }), /^answered, answered$/],
    [faults.ioThrottle('mc-1', { write: '1MB/s' }), /^answered, answered$/],
  ]),
  ...seen(growing, BOTH, [[faults.memoryLimit('mc-1', { mib: 48 }), FAILED]]),
  ...seen(hits, '100 hits', [
    [faults.evict('mc-1', '50%'), /^[3-6]\d hits$/],
    // Its other shard has another name, and so another place on the ring: some keys of mc-1 are looked for there.
    [faults.pushConfig('proxy-1', { replace: 'mc-1', with: 'mc-9' }), /^\d\d? hits$/],
  ]),
  ...seen(oldAndNew, BOTH, [
    [faults.dropNew('edge'), /^answered, silent$/],
    // The edge takes 4,000 connections; those beyond wait in its backlog.
    [faults.flood('edge', { connections: 4_200 }), /^answered, silent$/],
  ]),
  ...seen(sometimesLate, '0 of 40 late', [[faults.latency('edge -> proxy-1', '100ms', { share: '50%' }), /^(1\d|2\d|30) of 40 late$/]]),
  ...seen(crowd, 'all', [
    [faults.limitConnections('edge', { count: 50, over: 'reset' }), /^some$/],
    [faults.descriptors('proxy-1', 64), /^some$/],
  ]),
  ...seen(parting, 'prompt', [[faults.slowClose('edge -> proxy-1', '300ms'), /^late$/]]),
  ...seen(work, 'swift', [
    [faults.cpuLimit('proxy-1', { cpus: 0.02 }), /^slow$/],
    [faults.cpuBurn('proxy-1', { workers: 32 }), /^slow$/],
  ]),
  ...seen(shardsByName, BOTH, [
    // At a backend, not at the edge: half of the keys are none of his.
    [faults.misresolve('client-2', { name: 'edge', as: 'mc-1' }), /^answered, missed$/],
    [faults.unreachableName('client-2', { name: 'edge' }), /^silent, silent$/],
    [faults.noAnswer('client-2', { name: 'edge', how: 'nxdomain' }), /^failed, failed$/],
    [faults.slowNames('client-2', { name: 'edge', by: '500ms' }), /^late, late$/],
  ]),
  ...seen(expiring, 'kept', [[faults.clockSkew('client-2', '-1h'), /^expired$/]]),
  ...seen(loggedIn, 'status 0', [[faults.wrongCredential('login-1'), /^status 32$/]]),
];

it('is shown of every fault', () => {
  expect([...new Set(ROWS.map(({ fault }) => fault.kind))].toSorted()).toEqual(faults.FAULT_KINDS.map(({ kind }) => kind).toSorted());
});

const soon = { timeout: 5_000, interval: 100 };

it.each(ROWS.map((row) => ({ ...row, title: faults.faultKind(row.fault).describe(row.fault) })))('$title: $well normally, $ill under it', async (row) => {
  const { fault, look, well, ill } = row;
  const kind = faults.faultKind(fault);
  await store();
  // A busy machine is late by itself at times.
  await expect.poll(look, soon).toBe(well);
  await kind.ready?.(fault, standing.cluster);
  const prepared = await kind.prepare(fault, standing.cluster);
  const injected = await prepared.inject();
  try {
    const { holds, measured } = await injected.prove();
    expect([holds, measured]).toEqual([true, measured]);
    // A connection that has just been broken is noticed at the next request, and what was late a moment ago may have been the proof's.
    await expect.poll(look, soon).toMatch(ill);
  } finally {
    await injected.heal();
  }
  expect(await injected.proveHealed()).toMatchObject({ holds: true });
  await prepared.close();
  await expect.poll(async () => store().then(look, String), soon).toBe(well);
});
