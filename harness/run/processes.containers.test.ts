/** One load shared by two processes, against a real cache: what they did adds up, and without one of them nothing can be said of the load. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bareCache } from '../../containers/cache.ts';
import { cacheClients } from '../../containers/client/index.ts';
import { connectEngine } from '../cluster/engine.ts';
import { NODE_LABEL, OWNER_LABEL } from '../cluster/labels.ts';
import { percentile } from '../slo/index.ts';
import { execute } from './execute.ts';
import type { Tick } from './observer.ts';
import { planRun } from './plan.ts';
import { drill } from './scenario.ts';

const load = cacheClients({
  rate: '1000/s',
  connections: 20,
  mix: { get: '90%', set: '10%' },
  backends: 1,
  entry: 'mc-1',
  deadline: '1s',
  timeout: '1s',
  onTimeout: 'reconnect',
  processes: 2,
});
const scenario = drill({
  id: 'two-processes',
  story: 'two processes share a load',
  duration: '4s',
  load: [load],
  steps: [],
  slos: { steady: percentile(90, { under: '500ms', when: 'before' }) },
  variants: { bare: { title: 'one memcached', cluster: bareCache() } },
});

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'aftershock-processes-'));
});
afterEach(() => rmSync(out, { recursive: true }));

const perform = async (tick: (tick: Tick & { load: string }) => void) => {
  const quiet = () => undefined;
  return execute(planRun(scenario, { seed: 1 }), {
    engine: await connectEngine(),
    out,
    observer: { stage: quiet, tick, faults: quiet, note: quiet },
    interrupts: { signal: new AbortController().signal, skipTearDown: () => false },
    keepOnFailure: false,
  });
};

/** Runs a program in the client container of this process's only run, and answers with what it prints. */
async function inClient(program: string): Promise<string> {
  const { docker } = await connectEngine();
  const containers = await docker.listContainers({ filters: { label: [`${NODE_LABEL}=client-1`] } });
  const own = containers.find(({ Labels }) => (JSON.parse(Labels[OWNER_LABEL] ?? '{}') as { pid?: number }).pid === process.pid);
  const exec = await docker.getContainer(own?.Id ?? '').exec({ Cmd: ['node', '-e', program], AttachStdout: true, Tty: true });
  const stream = await exec.start({ Tty: true });
  let text = '';
  for await (const bytes of stream) text += String(bytes);
  return text.trim();
}

/** Process ids of the load's programs, in the order in which they were started. */
const PROGRAMS = `const fs = require('fs'); const programs = fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
  .filter((pid) => { try { return fs.readFileSync('/proc/' + pid + '/cmdline', 'latin1').split('\\0')[1].endsWith('/client/main.ts'); } catch { return false; } }).sort((a, b) => a - b);`;

it('adds up to what was asked for: requests, connections and windows', async () => {
  const ticks: (Tick & { load: string })[] = [];
  let programs: Promise<string> | undefined;
  const { report, timeline, folder } = await perform((tick) => {
    ticks.push(tick);
    if (tick.atMs > 1_000) programs ??= inClient(`${PROGRAMS} console.log(String(programs.length));`);
  });

  expect(await programs).toBe('2');
  // 1,000/s for 4 s, and no request told by both or by none.
  expect(report.totals.due).toBe(4_000);
  const { answered, failed } = report.totals;
  expect(answered + Object.values(failed).reduce((sum, count) => sum + count, 0)).toBe(4_000);
  const dueOf = (name: string) => timeline.generator.filter((window) => window.load === name).reduce((sum, window) => sum + window.due, 0);
  expect([dueOf('client-1'), dueOf('client-1#2')]).toEqual([2_000, 2_000]);
  expect(new Set(timeline.generator.map((window) => window.load))).toEqual(new Set(['client-1', 'client-1#2']));
  // Each has half of the connections, and a window of one series is told by each of them.
  const at = timeline.generator.filter((window) => window.at === 2_000);
  expect(at.map((window) => window.connections)).toEqual([10, 10]);
  const gets = timeline.windows.filter((window) => window.at === 2_000 && window.series.operation === 'get');
  expect(gets).toHaveLength(2);
  // To whoever looks on it is one load.
  expect(new Set(ticks.map((tick) => tick.load))).toEqual(new Set(['client-1']));
  expect(Math.max(...ticks.map((tick) => tick.connections))).toBe(20);
  expect(report.reasons.filter((reason) => !reason.includes('starved'))).toEqual([]);
  const clocks = readFileSync(join(folder, 'journal.ndjson'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"name":"clock"'));
  expect(clocks).toHaveLength(2);
});

it('cannot be judged when one of them dies, and says so once', async () => {
  let killed: Promise<string> | undefined;
  const { report } = await perform((tick) => {
    if (tick.atMs > 1_000) killed ??= inClient(`${PROGRAMS} process.kill(Number(programs.at(-1)), 'SIGKILL'); console.log('killed');`);
  });
  expect(await killed).toBe('killed');
  expect(report.outcome).toBe('invalid');
  const told = report.reasons.filter((reason) => reason.includes('ended by itself'));
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^load 'client-1(#2)?' ended by itself \(exit 137\)/);
});
