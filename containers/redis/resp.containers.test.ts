import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEngine } from '../../harness/cluster/engine.ts';
import { type RunningCluster, startCluster } from '../../harness/cluster/start.ts';
import { bareRedis } from './index.ts';
import type { ModelReport, ModelSettings } from './model.fixture.ts';

let cluster: RunningCluster;

beforeAll(async () => {
  const quiet = () => undefined;
  const options = { runId: `test-${randomBytes(4).toString('hex')}`, signal: new AbortController().signal, journal: { intent: quiet, done: quiet } };
  cluster = await startCluster(bareRedis(), { ...options, engine: await connectEngine() });
});
afterAll(() => cluster?.stop());

async function compared(settings: Omit<ModelSettings, 'entry'>): Promise<ModelReport> {
  const program = await cluster.openProgram({
    node: 'client-1',
    program: 'containers/redis/model.fixture.ts',
    settings: { ...settings, entry: '${link:client-1 -> redis-1}' },
  });
  let report: ModelReport | undefined;
  program.onMessage((message) => {
    report = message as unknown as ModelReport;
  });
  const { stderr } = await program.ended;
  if (!report) throw new Error(`no report: ${stderr}`);
  return report;
}

describe('a real Redis', () => {
  it('is ready when a key was set and got through the link', () => {
    expect(cluster.evidence).toMatchObject({ answered: ['ping', 'set', 'get'] });
  });

  it.each([1, 2, 3])('answers 20,000 random requests as the model foretells them, 64 under way (seed %i)', async (seed) => {
    const { wrong, answered, byAnswer } = await compared({ seed, requests: 20_000, depth: 64 });
    expect(wrong).toBeUndefined();
    expect(answered).toBe(20_000);
    // Each kind of answer came up: a get of one key in 40 is an error, some hundred of 4,000.
    for (const answer of ['hit', 'miss', 'done', 'server']) expect(byAnswer[answer]).toBeGreaterThan(20);
  });

  it('answers one request at a time as well', async () => {
    expect(await compared({ seed: 4, requests: 3_000, depth: 1 })).toMatchObject({ answered: 3_000 });
  });

  it('is asked by its probe', async () => {
    const prober = await cluster.node('redis-1').prober();
    expect((await prober.ask('new', 1_000)).kind).toBe('answered');
  });
});
