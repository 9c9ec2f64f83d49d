/** Ctrl-C at any time, an engine that cannot be reached, runs side by side: nothing is lost, and nothing is left behind. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectEngine } from '../cluster/engine.ts';
import { findRemains, removeRun } from '../cluster/remains.ts';
import type { Report } from '../run/types.ts';
import { aftershock, temporaryFolder } from './spawned.fixture.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** A cache behind one link, slowed from the second second on, for a minute. */
const long = folder.file(
  'long.ts',
  `import { drill, latency, percentile } from 'aftershock';
import { bareCache, cacheClients } from 'aftershock/containers';
export default drill({
  id: 'long', story: 'a fault that is in force when somebody stops the run', duration: '70s',
  load: [cacheClients({ rate: '200/s', connections: 10, mix: { get: '90%', set: '10%' }, backends: 1, entry: 'mc-1', deadline: '1s', timeout: '250ms', onTimeout: 'reconnect' })],
  steps: [{ at: '2s', for: '60s', fault: latency('client-1 -> mc-1', '100ms') }],
  slos: { steady: percentile(90, { under: '25ms', when: 'before' }) },
  variants: { only: { title: 'one memcached', cluster: bareCache() } },
});
`,
);

async function census(): Promise<{ containers: string[]; networks: string[] }> {
  const { docker } = await connectEngine();
  const [containers, networks] = await Promise.all([docker.listContainers({ all: true }), docker.listNetworks()]);
  return { containers: containers.map(({ Id }) => Id).toSorted(), networks: networks.map(({ Id }) => Id).toSorted() };
}

let before: Awaited<ReturnType<typeof census>>;
let out = '';
let count = 0;
beforeEach(async () => {
  before = await census();
  out = join(folder.path, `out-${++count}`);
});
afterEach(async () => {
  const engine = await connectEngine();
  for (const run of await findRemains(engine)) if (!run.alive) await removeRun(engine, run.runId);
});

function onlyReport(): Report {
  const [name] = readdirSync(out).filter((one) => one !== 'last');
  return JSON.parse(readFileSync(join(out, name as string, 'report.json'), 'utf8')) as Report;
}

describe('Ctrl-C', () => {
  it.each([
    ['while the cluster starts', '· starting', 0],
    ['while clients connect', '· connecting', 0],
    ['before the fault', '· running', 500],
    ['while the fault is in force', '· running', 4_000],
  ])('%s heals, takes the cluster down and writes the report as aborted', async (_, stage, afterMs) => {
    const run = aftershock(['run', long, '--out', out]);
    await run.said(stage);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    run.child.kill('SIGINT');
    const { code, stderr } = await run.finished;
    expect(code, stderr).toBe(130);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(onlyReport()).toMatchObject({ outcome: 'aborted' });
    expect(onlyReport().reasons.join()).toMatch(/stopped by SIGINT/);
    expect(await census()).toEqual(before);
  });

  it('heals what it broke', async () => {
    const run = aftershock(['run', long, '--out', out]);
    await run.said('· running');
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    run.child.kill('SIGINT');
    await run.finished;
    expect(onlyReport().marks.map(({ event }) => event)).toEqual(['injecting', 'injected', 'healing', 'healed']);
  });

  it('twice leaves the cluster standing, healed, and names the command that removes it', async () => {
    const run = aftershock(['run', long, '--out', out]);
    await run.said('· running');
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    run.child.kill('SIGINT');
    run.child.kill('SIGINT');
    await run.said('SIGINT');
    run.child.kill('SIGINT');
    const { code, stderr } = await run.finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(/left standing; 'npx aftershock down' removes it/);
    expect(onlyReport().marks.map(({ event }) => event)).toContain('healed');
    const engine = await connectEngine();
    const left = (await findRemains(engine)).filter((one) => !one.alive);
    expect(left).toHaveLength(1);

    // It stands on purpose, so that it is nothing to be cleaned up.
    expect((await aftershock(['clean', '--dry-run']).finished).stdout).not.toMatch(/would remove/);
    const down = await aftershock(['down']).finished;
    expect(down.code).toBe(0);
    expect(down.stdout).toMatch(new RegExp(`${left[0]?.runId} is removed`));
    expect(await census()).toEqual(before);
  });
});

it('SIGTERM is the same, with its own exit code', async () => {
  const run = aftershock(['run', long, '--out', out]);
  await run.said('· running');
  run.child.kill('SIGTERM');
  expect((await run.finished).code).toBe(143);
  expect(await census()).toEqual(before);
});

it('keeps a run alive that is still going on when another cleans up', async () => {
  const run = aftershock(['run', long, '--out', out]);
  await run.said('· running');
  const cleaned = await aftershock(['clean']).finished;
  expect(cleaned.stdout).toMatch(/1 run is still going on and left alone/);
  run.child.kill('SIGINT');
  expect((await run.finished).code).toBe(130);
  expect(onlyReport().reasons.join()).not.toMatch(/died by itself/);
  expect(await census()).toEqual(before);
});

it('runs side by side do not meet', async () => {
  const runs = ['a', 'b'].map((name) => aftershock(['run', 'scripted-outage', '--seed', '7', '--json', '--out', join(out, name)]));
  const finished = await Promise.all(runs.map((run) => run.finished));
  for (const { stdout, stderr } of finished) {
    const { runs: reports } = JSON.parse(stdout) as { runs: { report: Report }[] };
    const [{ report }] = reports as [{ report: Report }];
    // One's pause is not felt by the other: each has one outage of its own, and each requests all it was due.
    expect(
      report.marks.filter(({ event }) => event === 'injected'),
      stderr,
    ).toHaveLength(1);
    expect(report.totals.due).toBe(2_600);
    expect(report.results.find(({ name }) => name === 'answers')?.verdict.status, stderr).toBe('met');
  }
  expect(await census()).toEqual(before);
});

it('takes a cluster down again that does not come up, and says which node ended', async () => {
  const broken = folder.file(
    'broken.ts',
    `import { drill, percentile } from 'aftershock';
import { bareCache, cacheClients } from 'aftershock/containers';
const cluster = bareCache();
const [cache, client] = cluster.nodes;
export default drill({
  id: 'broken', story: 'a node that ends at once', duration: '5s', steps: [],
  load: [cacheClients({ rate: '200/s', connections: 10, mix: { get: '100%' }, backends: 1, entry: 'mc-1', deadline: '1s', timeout: '250ms', onTimeout: 'fail' })],
  slos: { steady: percentile(90, { under: '25ms', when: 'before' }) },
  variants: { only: { title: 'broken', cluster: { ...cluster, nodes: [{ ...cache!, command: ['memcached', '--no-such-flag'] }, client!] } } },
});
`,
  );
  const { code, stderr } = await aftershock(['run', broken, '--out', out]).finished;
  expect(stderr).toMatch(/aftershock: node mc-1 ended by itself .*no-such-flag/);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(code).toBe(3);
  expect(await census()).toEqual(before);
});

it('needs no engine to judge a saved run again', async () => {
  await aftershock(['run', 'scripted-outage', '--seed', '7', '--out', out]).finished;
  const last = join(out, 'last');
  expect(existsSync(join(last, 'report.html'))).toBe(true);
  const again = await aftershock(['recheck', last], { DOCKER_HOST: 'tcp://127.0.0.1:1' }).finished;
  expect(again.stdout).toMatch(/the same verdicts as were saved/);
  expect(again.code).toBe(onlyReport().exitCode);
});

it('says so in one line when the engine stops answering in the middle of a run, and clean removes what is left once it answers', async () => {
  const engine = await startForwarder();
  const run = aftershock(['run', long, '--out', out], { DOCKER_HOST: engine.url });
  await run.said('· running');
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  engine.stop();
  const { code, stderr } = await run.finished;
  expect(code, stderr).toBe(5);
  expect(stderr).toMatch(/could not be removed from the engine .*'npx aftershock clean' removes what it left/);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(onlyReport()).toMatchObject({ outcome: 'invalid' });
  expect(onlyReport().reasons.join()).toMatch(/the container engine stopped answering in the middle of the run/);

  // Its reaper has a connection of its own and may be at it already; whoever comes second waits until nothing is left.
  expect((await aftershock(['clean']).finished).code).toBe(0);
  expect(await census()).toEqual(before);
});

it('says so in one line when the engine stops answering while the cluster starts', async () => {
  const engine = await startForwarder();
  const run = aftershock(['run', long, '--out', out], { DOCKER_HOST: engine.url });
  await run.said('· starting');
  await new Promise((resolve) => setTimeout(resolve, 700));
  engine.stop();
  const { code, stderr } = await run.finished;
  expect(code, stderr).toBe(5);
  expect(stderr.trim().split('\n').at(-1)).toMatch(/^aftershock: run .* could not be removed from the engine .*'npx aftershock clean' removes what it left$/);
  expect((await aftershock(['clean']).finished).code).toBe(0);
  expect(await census()).toEqual(before);
});

it('leaves the cluster standing after a failure when it is asked to, and not after a success', async () => {
  const missed = folder.file(
    'missed.ts',
    `import { drill, percentile } from 'aftershock';
import { bareCache, cacheClients } from 'aftershock/containers';
export default drill({
  id: 'missed', story: 'a promise that nobody can keep', duration: '4s', steps: [],
  load: [cacheClients({ rate: '500/s', connections: 10, mix: { get: '100%' }, backends: 1, entry: 'mc-1', deadline: '1s', timeout: '250ms', onTimeout: 'fail' })],
  slos: { instant: percentile(50, { under: '0.001ms', when: 'before' }), sane: percentile(50, { under: '10s', when: 'before' }) },
  variants: {
    honest: { title: 'expects to keep it', cluster: bareCache() },
    resigned: { title: 'expects to miss it', cluster: bareCache(), misses: ['instant'] },
  },
});
`,
  );
  const kept = await aftershock(['run', missed, '--variant', 'honest', '--keep-on-failure', '--out', join(out, 'a')]).finished;
  expect(kept.code, kept.stderr).toBe(1);
  expect(kept.stdout).toMatch(/left standing: containers named aftershock-[0-9a-f]{8}-\*; 'npx aftershock down [0-9a-f]{8}' removes them/);
  const standing = await census();
  // A later run sweeps away what dead runs have left, and not what was left on purpose.
  expect((await aftershock(['run', missed, '--variant', 'resigned', '--out', join(out, 'c')]).finished).code).toBe(0);
  expect(await census()).toEqual(standing);
  expect((await aftershock(['down']).finished).stdout).toMatch(/is removed/);
  expect(await census()).toEqual(before);

  const success = await aftershock(['run', missed, '--variant', 'resigned', '--keep-on-failure', '--out', join(out, 'b')]).finished;
  expect(success.code, success.stderr).toBe(0);
  expect(await census()).toEqual(before);
});

/** Another door to the engine, that can be shut: what a run sees of it is an engine that dies. */
async function startForwarder(): Promise<{ url: string; stop(): void }> {
  const { address } = await connectEngine();
  const target = new URL(address.url);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = target.protocol === 'unix:' ? connect(target.pathname) : connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
