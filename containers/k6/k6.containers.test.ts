/** k6 itself, against a service in another container: what it tells is what the service saw, and what goes wrong is said in one line. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openChannel } from '../../harness/cluster/channel.ts';
import { connectEngine, type Engine } from '../../harness/cluster/engine.ts';
import { type RunningCluster, startCluster } from '../../harness/cluster/start.ts';
import type { Frame } from '../../harness/load/frames.ts';
import { httpService } from '../http/index.ts';
import { type K6LoadOptions, k6Load } from './index.ts';

const runIds = { quick: `test-${randomBytes(4).toString('hex')}`, slow: `test-${randomBytes(4).toString('hex')}` };
let engine: Engine;
let quick: RunningCluster;
/** Its service answers after 500 ms. */
let slow: RunningCluster;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'k6-containers-'));
  engine = await connectEngine();
  const quiet = () => undefined;
  const options = (runId: string) => ({ engine, runId, signal: new AbortController().signal, journal: { intent: quiet, done: quiet } });
  quick = await startCluster(httpService(), options(runIds.quick));
  slow = await startCluster(httpService({ answersAfter: '500ms' }), options(runIds.slow));
});
afterAll(async () => {
  await Promise.all([quick?.stop(), slow?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

function script(text: string): string {
  const path = join(folder, `${randomBytes(4).toString('hex')}.ts`);
  writeFileSync(path, `import http from 'k6/http';\nconst url = \`http://\${__ENV.ENTRY}\`;\nconst timeout = __ENV.TIMEOUT;\n${text}`);
  return path;
}

const GET = 'scenarios/k6/get.ts';
const TYPICAL: Omit<K6LoadOptions, 'script'> = { rate: '100/s', preAllocatedVUs: 20, deadline: '1s', timeout: '2s', entry: 'web-1' };

/** A load under way; `afterMs` after the start `act` may do something to it. */
async function carry(cluster: RunningCluster, options: K6LoadOptions, forMs: number, act?: { afterMs: number; to: () => Promise<unknown> }) {
  const before = await counted(cluster);
  const spec = k6Load(options);
  const channel = await cluster.openProgram({ ...spec.program, settings: { ...(spec.program.settings as object), seed: 7, forMs } });
  const frames: Frame[] = [];
  const [prepared, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  channel.onMessage((message) => {
    const frame = message as unknown as Frame;
    frames.push(frame);
    if (frame.frame === 'pong') channel.send({ do: 'start', atMs: frame.clockMs + 200, forMs });
    if (frame.frame === 'prepared') prepared.resolve();
    if (frame.frame === 'done' || frame.frame === 'failed') over.resolve();
  });
  const ended = channel.ended.then(() => {
    prepared.resolve();
    over.resolve();
  });
  await prepared.promise;
  if (!frames.some(({ frame }) => frame === 'failed')) channel.send({ do: 'ping', id: 1 });
  if (act) {
    await sleep(200 + act.afterMs);
    await act.to();
  }
  await over.promise;
  channel.close();
  await ended;
  const windows = frames.flatMap((one) => (one.frame === 'windows' ? one.windows : []));
  const generator = frames.flatMap((one) => (one.frame === 'windows' ? one.generator : []));
  const sum = (of: (one: (typeof windows)[number]) => number) => windows.reduce((total, one) => total + of(one), 0);
  return {
    frames,
    windows,
    due: sum(({ due }) => due),
    answered: sum(({ answered }) => answered),
    failed: (kind: 'dropped' | 'server' | 'timeout' | 'garbled') => sum(({ failed }) => failed[kind] ?? 0),
    operations: [...new Set(windows.map(({ s }) => s[0]))].sort(),
    sent: generator.reduce((total, { sent }) => total + sent, 0),
    offered: generator.reduce((total, { due }) => total + due, 0),
    findings: frames.flatMap((one) => (one.frame === 'finding' ? [one.text] : [])),
    failure: frames.flatMap((one) => (one.frame === 'failed' ? [one.why] : []))[0],
    offsetMs: frames.flatMap((one) => (one.frame === 'gauges' ? [one.gauges['k6.offsetMs']] : []))[0],
    served: (await counted(cluster)) - before,
  };
}

/** Requests that the service counted, once it has printed its last number. */
async function counted(cluster: RunningCluster): Promise<number> {
  await sleep(400);
  const log = (await cluster.logs()).get('web-1') ?? '';
  return Number([...log.matchAll(/"requests":(\d+)/g)].at(-1)?.[1] ?? 0);
}

/** Kills every process of this name in the client's container, and answers how many there were; with no signal it only counts. */
async function kill(runId: string, name: string, signal: string): Promise<number> {
  const program = `const { readdirSync, readFileSync } = require('node:fs'); let count = 0;
    for (const pid of readdirSync('/proc').filter((one) => /^\\d+$/.test(one))) {
      let line = ''; try { line = readFileSync('/proc/' + pid + '/cmdline', 'utf8'); } catch { continue; }
      if (!line.includes(${JSON.stringify(name)}) || Number(pid) === process.pid) continue;
      count++; if (${JSON.stringify(signal)}) process.kill(Number(pid), ${JSON.stringify(signal)});
    } console.log(JSON.stringify({ count }));`;
  const channel = await openChannel(engine.docker, `aftershock-${runId}-client-1`, ['node', '-e', program]);
  let count = 0;
  channel.onMessage((message) => {
    count = message['count'] as number;
  });
  await channel.ended;
  return count;
}

const K6 = 'k6\0run';

describe('k6', () => {
  it('tells of every request that the service saw, at the time of the plan', async () => {
    const load = await carry(quick, { ...TYPICAL, script: GET, rate: '500/s', preAllocatedVUs: 50 }, 2_000);
    expect([load.findings, load.failure]).toEqual([[], undefined]);
    expect([load.due, load.offered]).toEqual([1_000, 1_000]);
    expect(load.answered + load.failed('dropped')).toBe(1_000);
    expect(load.served).toBe(load.answered);
    expect(load.sent).toBe(load.answered);
    // 50 are due in each window, but for the one at either end of which k6's own zero lies.
    for (const { at, due } of load.windows) expect(Math.abs(due - 50), `at ${at}`).toBeLessThanOrEqual(10);
    expect(Math.abs(load.offsetMs ?? Number.NaN)).toBeLessThan(100);
  });

  it('with too few VUs for answers after 500 ms: what is started and what is dropped is what was planned, and what is dropped has failed', async () => {
    const load = await carry(slow, { ...TYPICAL, script: GET, preAllocatedVUs: 20 }, 4_000);
    expect([load.findings, load.failure]).toEqual([[], undefined]);
    expect(load.due).toBe(400);
    // 20 VUs carry 20 / 0.5 s = 40 requests/s of 100.
    expect(load.answered).toBeGreaterThan(120);
    expect(load.answered).toBeLessThanOrEqual(160);
    expect(load.failed('dropped')).toBe(400 - load.answered);
    expect(load.served).toBe(load.answered);
    // Dropped where they were due: in the second half of every half second, not at its end.
    const windowsWithDrops = load.windows.filter(({ failed }) => (failed.dropped ?? 0) > 0).length;
    expect(windowsWithDrops).toBeGreaterThan(20);
  });

  it('ramps as planned, with requests by their tags and errors by their kinds', async () => {
    const text = `import exec from 'k6/execution';
import { check } from 'k6';
export async function setup() { return { paths: ['/', '/status/503'] }; }
export default function (data: { paths: string[] }) {
  const n = exec.scenario.iterationInTest % 4;
  if (n === 0) http.get(url + data.paths[0], { timeout });
  if (n === 1) { http.get(url + '/', { timeout, tags: { operation: 'buy' } }); http.get(url + '/', { timeout }); }
  if (n === 2) http.get(url + data.paths[1], { timeout });
  if (n === 3) check(http.get(url + '/', { timeout }), { never: () => false });
}
`;
    const rate = [
      { ramp: '50/s', to: '250/s', for: '2s' },
      { hold: '100/s', for: '1s' },
    ] as const;
    const load = await carry(quick, { ...TYPICAL, script: script(text), rate, operations: ['buy'] }, 3_000);
    expect([load.findings, load.failure]).toEqual([[], undefined]);
    // (50 + 250) / 2 x 2 s, and 100/s x 1 s.
    expect(load.due).toBe(400);
    const started = 400 - load.failed('dropped');
    for (const kind of ['server', 'garbled'] as const) expect(Math.abs(load.failed(kind) - started / 4)).toBeLessThanOrEqual(1);
    expect(load.operations).toEqual(['buy', 'iteration']);
    // A quarter of the iterations makes two requests.
    expect(load.served).toBe(load.sent);
    expect(Math.abs(load.served - started * 1.25)).toBeLessThanOrEqual(2);
  });

  it('gives up what its timeout says, and is not waited for any longer', async () => {
    const load = await carry(slow, { ...TYPICAL, script: GET, rate: '20/s', timeout: '200ms' }, 1_000);
    expect([load.findings, load.failure]).toEqual([[], undefined]);
    expect([load.due, load.failed('timeout')]).toEqual([20, 20]);
  });
});

describe('one line says', () => {
  it.each<[string, string, RegExp]>([
    [
      'that a script throws',
      'export default function () { const answer = http.get(url); (answer as any).nothing.there; }',
      /^the script threw: TypeError: .+ \(script\/\w+\.ts:4:\d+\)$/,
    ],
    [
      'that a script makes no request',
      'export default function () {}',
      /^an iteration of the script made no HTTP request, so nothing is known of the service$/,
    ],
    [
      'that a script keeps its timeout to itself',
      "export default function () { http.get(url, { timeout: '60s' }); }",
      /^a request took \d+ ms, and its timeout is 10 ms: the script must hand it on/,
    ],
    [
      'that a script fails as it is loaded',
      "throw new Error('no good'); export default function () { http.get(url); }",
      /^Error: no good at script\/\w+\.ts:4:\d+$/,
    ],
    [
      'that a setup throws',
      "export function setup() { throw new Error('no token'); } export default function () { http.get(url); }",
      /^Error: no token at .*setup/,
    ],
    [
      'that a script has options by a back door',
      "export * from './more.ts'; export default function () { http.get(url); }",
      /^Error: exports 'options', which never comes into force here/,
    ],
  ])('%s', async (name, text, why) => {
    writeFileSync(join(folder, 'more.ts'), 'export const options = { vus: 1 };\n');
    const { failure } = await carry(slow, { ...TYPICAL, script: script(text), ...(name.includes('timeout') ? { timeout: '10ms' } : {}) }, 1_500);
    expect(failure).toMatch(why);
    expect(failure).not.toContain('\n');
  });

  it('that k6 was killed, and what it had done by then', async () => {
    const load = await carry(quick, { ...TYPICAL, script: GET }, 3_000, { afterMs: 1_000, to: () => kill(runIds.quick, K6, 'SIGKILL') });
    expect(load.failure).toMatch(/^k6 ended \d+ ms after time zero \(SIGKILL\); k6 started \d+ and dropped \d+ iterations, \d+ of the 300 that were planned/);
    // All that k6 had told of is in the windows: what it had done in its last tenth of a second is lost with it.
    expect(load.due).toBeGreaterThan(30);
    expect(load.served).toBeGreaterThanOrEqual(load.answered);
    expect(load.served - load.answered).toBeLessThan(60);
  });
});

it('k6 does not outlive the program beside it, however that ends', async () => {
  await carry(quick, { ...TYPICAL, script: GET }, 20_000, { afterMs: 500, to: () => kill(runIds.quick, 'adapter/main.ts', 'SIGKILL') });
  const limit = performance.now() + 5_000;
  while ((await kill(runIds.quick, K6, '')) > 0 && performance.now() < limit) await sleep(100);
  expect(await kill(runIds.quick, K6, '')).toBe(0);
});
