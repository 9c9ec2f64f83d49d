/** The protocols against real memcached nodes: open, behind a login, and behind a real twemproxy. What asks runs in the cluster's own client container. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEngine } from '../../harness/cluster/engine.ts';
import type { ClusterSpec } from '../../harness/cluster/spec.ts';
import { type RunningCluster, startCluster } from '../../harness/cluster/start.ts';
import { client } from '../client/node.ts';
import { tools } from '../tools.ts';
import { TWEMPROXY_PORT, TWEMPROXY_STATS_PORT, twemproxy } from '../twemproxy/index.ts';
import type { AskingReport, AskingSettings } from './asking.fixture.ts';
import { MEMCACHED_PORT, memcached } from './index.ts';
import type { ModelReport, ModelSettings } from './model.fixture.ts';

const AUTH = { user: 'app', password: 'open-sesame' };
const IN_REALM = { user: 'app@cache', password: 'open-sesame' };

const spec: ClusterSpec = {
  title: 'memcached nodes of every kind',
  nodes: [
    memcached('mc-1', { itemsMiB: 256 }),
    memcached('mc-2', { threads: 2 }),
    memcached('mc-login', { sasl: AUTH }),
    memcached('mc-realm', { sasl: IN_REALM, maxItemBytes: 2 * 1_048_576 }),
    twemproxy('proxy-1', { servers: ['mc-1', 'mc-2'] }),
    client('client-1'),
  ],
  links: [
    { from: 'client-1', to: 'proxy-1', port: TWEMPROXY_PORT },
    { from: 'client-1', to: 'mc-login', port: MEMCACHED_PORT },
    { from: 'proxy-1', to: 'mc-1', port: MEMCACHED_PORT },
    { from: 'proxy-1', to: 'mc-2', port: MEMCACHED_PORT },
  ],
  ready: {
    node: 'client-1',
    program: 'containers/client/ready.ts',
    settings: {
      entry: '${link:client-1 -> proxy-1}',
      proxies: [{ name: 'proxy-1', stats: `\${host:proxy-1}:${TWEMPROXY_STATS_PORT}` }],
      shards: ['mc-1', 'mc-2'],
      patienceMs: 8_000,
    },
  },
  tools,
};

let cluster: RunningCluster;

beforeAll(async () => {
  const quiet = () => undefined;
  const options = { runId: `test-${randomBytes(4).toString('hex')}`, signal: new AbortController().signal, journal: { intent: quiet, done: quiet } };
  cluster = await startCluster(spec, { ...options, engine: await connectEngine() });
});
afterAll(() => cluster?.stop());

const at = (node: string) => `\${host:${node}}:${MEMCACHED_PORT}`;

/** Runs a program in the client, and tells the one thing that it says. */
async function said<Report>(program: string, settings: object): Promise<Report> {
  const channel = await cluster.openProgram({ node: 'client-1', program: `containers/memcached/${program}`, settings });
  let report: Report | undefined;
  channel.onMessage((message) => {
    report = message as Report;
  });
  const { stderr } = await channel.ended;
  if (!report) throw new Error(`no report: ${stderr}`);
  return report;
}

const compared = (settings: ModelSettings) => said<ModelReport>('model.fixture.ts', settings);

describe('a real memcached', () => {
  it.each([
    ['text', 1, 1],
    ['text', 2, 40],
    ['meta', 3, 1],
    ['meta', 4, 40],
    ['binary', 5, 1],
    ['binary', 6, 40],
  ] as const)('answers random %s requests, sent in random pieces, as the model foretells them (seed %i, %i under way)', async (protocol, seed, depth) => {
    const { wrong, answered, byAnswer, sentPieces } = await compared({ entry: at('mc-1'), protocol, seed, requests: 4_000, depth });
    expect(wrong).toBeUndefined();
    expect(answered).toBeGreaterThan(4_000);
    expect(sentPieces).toBeGreaterThan(8_000);
    // Every kind of answer came up, the rare ones too: a cas with the right token, a number counted, a value beyond memcached's limit.
    for (const kind of [
      'get hit',
      'get miss',
      'add unmet',
      'cas done',
      'cas unmet',
      'cas miss',
      'incr done',
      'incr server',
      'set done',
      'set server',
      'append done',
    ])
      expect(byAnswer[kind], kind).toBeGreaterThan(3);
  });

  it('answers the same through twemproxy, which deals the keys of one request out to several nodes', async () => {
    const { wrong, byAnswer } = await compared({ entry: '${link:client-1 -> proxy-1}', protocol: 'text', seed: 7, requests: 3_000, depth: 8 });
    expect(wrong).toBeUndefined();
    expect(byAnswer['multi-get hit']).toBeGreaterThan(3);
  });

  it('answers who has logged in, with the container name as realm or a realm of its own', async () => {
    for (const [node, auth] of [
      ['mc-login', AUTH],
      ['mc-realm', IN_REALM],
    ] as const) {
      const { wrong, byAnswer } = await compared({ entry: at(node), protocol: 'binary', auth, seed: 8, requests: 300, depth: 1 });
      // The limit on items of the second node is twice the default.
      if (node === 'mc-realm') expect(wrong).toMatch(/^answer \d+, to (set|add|replace|cas) of key \d+ \(1048577 bytes\): done, not server$/);
      else expect(wrong).toBeUndefined();
      expect(byAnswer['login done']).toBe(1);
    }
  });

  it.each([
    ['wrong password', { ...AUTH, password: 'guessed' }],
    ['wrong user', { ...AUTH, user: 'guessed' }],
  ])('lets nobody in with a %s', async (_, auth) => {
    const { wrong, byAnswer } = await compared({ entry: at('mc-login'), protocol: 'binary', auth, seed: 9, requests: 10, depth: 1 });
    expect(wrong).toContain('to login of key 0');
    expect(byAnswer).toEqual({ 'login server': 1 });
  });

  it('tells what is stored to who asks, and to nobody else', async () => {
    const settings: AskingSettings = { open: at('mc-1'), closed: at('mc-login'), auth: AUTH, seed: 1, questions: 1_500 };
    const { right, wrong, refusals } = await said<AskingReport>('asking.fixture.ts', settings);
    expect(wrong).toEqual([]);
    expect(right).toBeGreaterThan(1_500);
    expect(refusals['too long']).toMatch(/^memcached at [0-9.:]+ did not answer 'set long': it said 'SERVER_ERROR object too large for cache'$/);
    // Nine bytes: it waits for the rest of a binary header.
    expect(refusals['text behind a login']).toContain("did not answer 'version': no answer within 1000 ms");
    for (const who of ['no login', 'wrong password', 'wrong user']) expect(refusals[who]).toContain("it said 'Auth failure.'");
  });

  it.each(['mc-1', 'mc-login'])('is asked by its probe, with or without a login: %s', async (node) => {
    const prober = await cluster.node(node).prober();
    for (const connection of ['new', 'kept', 'kept'] as const) expect((await prober.ask(connection, 1_000)).kind).toBe('answered');
    const paused = await cluster.node(node).pause();
    expect((await prober.ask('kept', 200)).kind).toBe('silent');
    await paused.undo();
    expect((await prober.ask('new', 1_000)).kind).toBe('answered');
    await prober.close();
  });

  it('lets the same user in after it was killed and started again', async () => {
    await (await cluster.node('mc-login').kill()).undo();
    const prober = await cluster.link('client-1 -> mc-login').prober();
    await expect.poll(async () => (await prober.ask('new', 500)).kind, { timeout: 5_000 }).toBe('answered');
    await prober.close();
    expect((await compared({ entry: at('mc-login'), protocol: 'binary', auth: AUTH, seed: 10, requests: 50, depth: 1 })).wrong).toBeUndefined();
  });
});
