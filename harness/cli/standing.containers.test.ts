/** Clusters that are left standing: up, one fault at a time, down; and a fault whose command was interrupted or killed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEngine, type Engine } from '../cluster/engine.ts';
import { runIn } from '../cluster/inside.ts';
import { findRemains, removeRemains } from '../cluster/remains.ts';
import { aftershock, type Finished, temporaryFolder } from './spawned.fixture.ts';

const LEASE_LIMIT_MS = 10_000;
const folder = temporaryFolder();
const scenario = folder.file(
  'standing.ts',
  `import { drill, percentile } from 'aftershock';
import { cache, cacheClients } from 'aftershock/containers';
export default drill({
  id: 'standing', story: 'a tier to be disturbed by hand', duration: '5s', steps: [],
  load: [cacheClients({ rate: '200/s', connections: 10, mix: { get: '100%' }, backends: 2, deadline: '1s', timeout: '250ms', onTimeout: 'fail' })],
  slos: { steady: percentile(90, { under: '25ms', when: 'before' }) },
  variants: { only: { title: 'two memcached', cluster: cache({ backends: 2, proxies: 1 }) } },
});
`,
);

let engine: Engine;
let up: {
  id: string;
  nodes: { name: string; address: string; container: string }[];
  links: { name: string }[];
  entries: { link: string; fromHere: boolean }[];
};

beforeAll(async () => {
  engine = await connectEngine();
  const { code, stdout, stderr } = await aftershock(['up', scenario, '--json']).finished;
  if (code !== 0) throw new Error(stderr);
  up = JSON.parse(stdout) as typeof up;
});
afterAll(async () => {
  if (up) await removeRemains(engine, up.id);
  folder.remove();
});

const inspect = (node: string) => engine.docker.getContainer(`aftershock-${up.id}-${node}`).inspect();
const containers = async () => ((await findRemains(engine)).find(({ runId }) => runId === up.id)?.containers ?? []).map(({ name }) => name).toSorted();
const fault = (...words: string[]) => aftershock(['fault', ...words, '--cluster', up.id]);
const latency = (...words: string[]) => fault('latency', '--on', 'proxy-1 -> mc-*', '--delay', '200ms', ...words);

/** Stops the first process of a node, and one under it. */
async function stopProcesses(node: string): Promise<void> {
  const container = engine.docker.getContainer(`aftershock-${up.id}-${node}`);
  await runIn(container, ['sh', '-c', 'sleep 300 >/dev/null 2>&1 & kill -STOP $!']);
  await container.kill({ signal: 'SIGSTOP' });
  expect(await stoppedIn(node)).toBe(2);
}

async function stoppedIn(node: string): Promise<number> {
  const { Processes } = (await engine.docker.getContainer(`aftershock-${up.id}-${node}`).top({ ps_args: '-eo pid,stat' })) as { Processes: string[][] };
  return Processes.filter(([, state]) => state?.startsWith('T')).length;
}

/** How long it took until it was so, ms. */
async function until(what: () => Promise<boolean>): Promise<number> {
  const beganAt = performance.now();
  while (!(await what())) {
    if (performance.now() - beganAt > 2 * LEASE_LIMIT_MS) return Number.POSITIVE_INFINITY;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return performance.now() - beganAt;
}

function expectProven({ code, stdout, stderr }: Finished): void {
  expect(code, `${stdout}${stderr}`).toBe(0);
  expect(stdout).toMatch(/^ {2}in force {2}proven after /m);
  expect(stdout).toMatch(/^ {2}healed {4}proven after /m);
}

describe('a cluster that was left standing', () => {
  it('says where it is, and stands without anybody', async () => {
    expect(up.nodes.map(({ name }) => name)).toEqual(expect.arrayContaining(['mc-1', 'mc-2', 'proxy-1', 'edge', 'client-1']));
    expect(up.entries).toMatchObject([{ link: 'client-1 -> edge', fromHere: expect.any(Boolean) }]);
    const [run] = (await findRemains(engine)).filter(({ runId }) => runId === up.id);
    expect(run).toMatchObject({ kept: true, alive: false });
    expect(await containers()).toHaveLength(6);
  });

  it('takes one fault after the other, on links, packets and nodes, and is then as it was', async () => {
    const before = await containers();
    expectProven(await latency('--for', '2s').finished);
    expectProven(await fault('loss', '--on', 'mc-1', '--share', '20%', '--for', '2s').finished);
    expectProven(await fault('kill', '--on', 'mc-2', '--for', '2s').finished);
    // Through the node that was killed and started again, too.
    expectProven(await latency('--for', '2s').finished);
    expect(await containers()).toEqual(before);
  });

  it('refuses what is not there in one line, and touches nothing', async () => {
    const refused = [
      [fault('kill', '--on', 'mc-9', '--for', '2s'), 2, /^aftershock: --on: no node fits 'mc-9'; known: .*mc-1/],
      [latency('--for', '300ms'), 2, /^aftershock: --for: '300ms' is too short for latency 200ms on proxy-1 -> mc-\* to be proven; write /],
      [aftershock(['fault', 'kill', '--on', 'mc-1', '--for', '2s', '--cluster', 'zz']), 2, /^aftershock: unknown cluster 'zz'; known: /],
      [aftershock(['down', 'zz']), 2, /^aftershock: unknown cluster 'zz'; known: /],
    ] as const;
    for (const [{ finished }, exit, line] of refused) {
      const { code, stderr } = await finished;
      expect(stderr).toMatch(line);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(code).toBe(exit);
    }
  });
});

describe('the doctor', () => {
  it('tells of a cluster that stands, of what a fault still holds of it, and of each fault whether it can be done', async () => {
    const told = async () => {
      const { code, stdout, stderr } = await aftershock(['doctor', '--json']).finished;
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout) as {
        checks: { name: string; status: string; text: string }[];
        faults: { fault: string; family: string; available: boolean }[];
      };
    };
    const well = await told();
    expect(well.checks.find(({ name }) => name === 'standing')).toMatchObject({ status: 'ok', text: expect.stringContaining(up.id) });
    expect(well.faults).toContainEqual({ fault: 'latency', family: 'link', available: true });

    // As when harness, guard and sidecars were killed at once.
    await engine.docker.getContainer(`aftershock-${up.id}-mc-1`).pause();
    await engine.docker.getContainer(`aftershock-${up.id}-mc-2`).update({ CpuPeriod: 10_000, CpuQuota: 5_000 });
    const held = (await told()).checks.find(({ name }) => name === 'standing');
    expect(held).toMatchObject({ status: 'note' });
    expect(held?.text).toMatch(
      new RegExp(`aftershock-${up.id}-mc-[12], aftershock-${up.id}-mc-[12] are still paused or limited by a fault; type: npx aftershock down`),
    );

    const { Memory: given = 0 } = (await inspect('mc-2')).HostConfig;
    await engine.docker.getContainer(`aftershock-${up.id}-mc-2`).update({ Memory: given / 2, MemorySwap: given / 2 });
    const next = await latency('--for', '2s').finished;
    expect(next.stdout).toMatch(/^ {2}mc-1 was still paused; it is resumed$/m);
    expect(next.stdout).toMatch(/^ {2}mc-2 was still limited; it has all again that it was given$/m);
    expect((await inspect('mc-2')).HostConfig).toMatchObject({ CpuQuota: -1, Memory: given, MemorySwap: 2 * given });
    expectProven(next);
  });
});

describe('a fault by hand', () => {
  it('is healed at once by Ctrl-C, proven to be gone, and holds the cluster for itself until then', async () => {
    const running = fault('pause', '--on', 'mc-1', '--for', '60s', '--json');
    await running.said('in force');
    expect((await inspect('mc-1')).State.Paused).toBe(true);

    const second = await latency('--for', '2s').finished;
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(/has a fault in force already \(process \d+ on .*\); one at a time/);
    const down = await aftershock(['down', up.id]).finished;
    expect(down.code).toBe(3);
    expect(down.stderr).toMatch(/has a fault in force; stop 'aftershock fault' first/);

    running.child.kill('SIGINT');
    const { code, stdout } = await running.finished;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ cluster: up.id, targets: ['mc-1'], bitten: { holds: true }, gone: { holds: true } });
    expect((await inspect('mc-1')).State).toMatchObject({ Paused: false, Running: true });
  });

  it('that was killed ends within ten seconds: a paused node goes on, and the guard leaves the cluster as it was', async () => {
    const before = await containers();
    const running = fault('pause', '--on', 'mc-1', '--for', '60s', '--json');
    await running.said('in force');
    running.child.kill('SIGKILL');
    expect(await until(async () => !(await inspect('mc-1')).State.Paused)).toBeLessThan(LEASE_LIMIT_MS);
    expect(await until(async () => (await containers()).join() === before.join())).toBeLessThan(LEASE_LIMIT_MS);
  });

  it('that was killed ends within ten seconds: nodes that were killed run again, each at its own address', async () => {
    const running = fault('kill', '--on', 'mc-*', '--for', '60s', '--json');
    await running.said('in force');
    running.child.kill('SIGKILL');
    expect(await until(async () => (await Promise.all(['mc-1', 'mc-2'].map(inspect))).every(({ State }) => State.Running))).toBeLessThan(LEASE_LIMIT_MS);
    for (const { name, address } of up.nodes.filter(({ name }) => name.startsWith('mc-'))) {
      expect(Object.values((await inspect(name)).NetworkSettings.Networks)[0]?.IPAddress).toBe(address);
    }
  });

  it('that was killed ends within ten seconds: links and packets, as the next fault sees before it begins', async () => {
    for (const words of [
      ['latency', '--on', 'proxy-1 -> mc-*', '--delay', '200ms'],
      ['partition', '--on', 'mc-1'],
    ]) {
      const running = fault(...words, '--for', '60s', '--json');
      await running.said('in force');
      running.child.kill('SIGKILL');
      await running.finished;
      // Its guard is waited for.
      expectProven(await latency('--for', '2s').finished);
    }
  });

  it('that was killed together with what stood in for it is taken back by its guard: limits, and processes that are stopped', async () => {
    const running = fault('pause', '--on', 'mc-1', '--for', '60s', '--json');
    await running.said('in force');
    const node = engine.docker.getContainer(`aftershock-${up.id}-mc-2`);
    const { Memory: given = 0 } = (await inspect('mc-2')).HostConfig;
    await node.update({ CpuPeriod: 10_000, CpuQuota: 5_000, Memory: given / 2, MemorySwap: given / 2 });
    await stopProcesses('mc-2');
    running.child.kill('SIGKILL');
    expect(await until(async () => (await stoppedIn('mc-2')) === 0)).toBeLessThan(LEASE_LIMIT_MS);
    expect(await until(async () => (await inspect('mc-2')).HostConfig.CpuQuota === -1)).toBeLessThan(LEASE_LIMIT_MS);
    expect((await inspect('mc-2')).HostConfig).toMatchObject({ Memory: given, MemorySwap: 2 * given });
  });

  it('that was killed together with its guard is taken back by the next: processes that are stopped, nodes that have ended', async () => {
    await stopProcesses('mc-1');
    await engine.docker.getContainer(`aftershock-${up.id}-mc-2`).stop({ t: 0 });
    const doctor = await aftershock(['doctor', '--json']).finished;
    expect(doctor.stdout).toContain(`aftershock-${up.id}-mc-1 is still paused or limited by a fault`);
    const next = await latency('--for', '2s').finished;
    expect(next.stdout).toMatch(/^ {2}mc-1 was still stopped by a signal; it goes on$/m);
    expect(next.stdout).toMatch(/^ {2}mc-2 had ended \(Exited .*\); it is started again$/m);
    expectProven(next);
    expect(await stoppedIn('mc-1')).toBe(0);
    // Over its links, too, which lead to where it is now.
    expectProven(await fault('kill', '--on', 'mc-2', '--for', '2s').finished);
  });

  it('is invalid when it is lost in mid-run, and the cluster that is not whole says so', async () => {
    const running = fault('pause', '--on', 'mc-1', '--for', '60s', '--json');
    await running.said('in force');
    await engine.docker.getContainer(`aftershock-${up.id}-mc-1`).unpause();
    const { code, stdout, stderr } = await running.finished;
    expect(stderr).toMatch(/aftershock: pause.* mc-1: it was lost before its time: mc-1 is not frozen any more/);
    expect(JSON.parse(stdout)).toMatchObject({ trouble: expect.stringMatching(/^it was lost/) });
    expect(code).toBe(4);

    await engine.docker.getContainer(`aftershock-${up.id}-mc-2`).remove({ force: true });
    const next = await latency('--for', '2s').finished;
    expect(next.code).toBe(3);
    expect(next.stderr).toMatch(new RegExp(`cluster ${up.id} is not whole: mc-2 is gone; take it down: npx aftershock down ${up.id}`));
  });
});

it('is left alone by clean, which says that it stands', async () => {
  const { code, stdout } = await aftershock(['clean', '--dry-run']).finished;
  expect(code).toBe(0);
  expect(stdout).not.toContain(up.id);
  expect(stdout).toMatch(/^\d+ clusters? stands? on purpose and (is|are) left alone; 'npx aftershock down/m);
});

it('is removed by down, and nothing is left of it', async () => {
  const { code, stdout } = await aftershock(['down', up.id]).finished;
  expect(code).toBe(0);
  // One of its six has been removed by hand.
  expect(stdout).toMatch(new RegExp(`^${up.id} is removed: 5 containers and its network`));
  expect((await findRemains(engine)).filter(({ runId }) => runId === up.id)).toEqual([]);
});
