import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { monotonicMs } from '../../../harness/core/clock.ts';
import type { Command, Frame } from '../../../harness/load/frames.ts';
import { serve } from '../../../harness/load/program.ts';
import { k6LoadOf } from './load.ts';
import type { K6Settings } from './settings.ts';

const settings: K6Settings = {
  entry: '127.0.0.1:8080',
  files: { 'script/get.ts': 'export default function () {}' },
  script: 'script/get.ts',
  segments: [{ kind: 'hold', ratePerSecond: 100 }],
  preAllocatedVUs: 1,
  maxVUs: 1,
  deadlineMs: 100,
  timeoutMs: 100,
  longestMs: 200,
  operations: [],
  shard: 'web-1',
  tenant: 'everyone',
  environment: {},
  seed: 1,
  forMs: 200,
};

let folder: string;
const before = process.env['TMPDIR'];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'k6-test-'));
  process.env['TMPDIR'] = folder;
});
afterEach(() => {
  vi.restoreAllMocks();
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  rmSync(folder, { recursive: true, force: true });
});

const FIXTURE = join(import.meta.dirname, 'k6.fixture.ts');

/** The k6 of the fixture that goes well, with this code run in it beforehand. */
function disturbed(code: string): string[] {
  return [process.execPath, '--import', `data:text/javascript,${encodeURIComponent(code)}`, FIXTURE, 'well'];
}

/** A load program whose k6 is the one of the fixture. */
function program(mode: string, change: Partial<K6Settings> = {}, command: readonly string[] = [process.execPath, FIXTURE, mode]) {
  const input = new PassThrough();
  const output = new PassThrough();
  const frames: Frame[] = [];
  const exits: number[] = [];
  createInterface({ input: output }).on('line', (line) => frames.push(JSON.parse(line)));
  serve((told) => k6LoadOf(told, command), { input, output, exit: (code) => exits.push(code) });
  input.write(`${JSON.stringify({ ...settings, ...change })}\n`);
  const frame = async <Kind extends Frame['frame']>(kind: Kind, withinMs = 8_000): Promise<Frame & { frame: Kind }> => {
    for (const limit = monotonicMs() + withinMs; monotonicMs() < limit; await sleep(5)) {
      const found = frames.find((one) => one.frame === kind);
      if (found) return found as Frame & { frame: Kind };
    }
    throw new Error(`no ${kind} came: ${JSON.stringify(frames)}`);
  };
  const tell = (message: Command) => input.write(`${JSON.stringify(message)}\n`);
  const run = async () => {
    await frame('prepared');
    tell({ do: 'start', atMs: monotonicMs() + 100, forMs: settings.forMs as number });
  };
  const windows = () => frames.flatMap((one) => (one.frame === 'windows' ? one.windows : []));
  const findings = () => frames.flatMap((one) => (one.frame === 'finding' ? [`${one.severity}: ${one.text}`] : []));
  return { frames, exits, frame, tell, run, windows, findings };
}

/** k6 is given some seconds to end, and a busy machine takes some more. */
describe('a load that k6 carries', { timeout: 20_000 }, () => {
  it('is prepared when k6 is, begins at time zero, and tells all that k6 did', async () => {
    const load = program('well');
    await load.run();
    await load.frame('done');
    expect(load.findings()).toEqual([]);
    const windows = load.windows();
    expect(windows.map(({ at, s }) => [at, s])).toEqual([
      [0, ['iteration', 'web-1', 'everyone']],
      [100, ['iteration', 'web-1', 'everyone']],
    ]);
    const sum = (of: (one: (typeof windows)[number]) => number) => windows.reduce((total, one) => total + of(one), 0);
    expect([sum(({ due }) => due), sum(({ answered }) => answered), sum(({ good }) => good), sum(({ failed }) => failed.dropped ?? 0)]).toEqual([
      20, 16, 16, 4,
    ]);
    const generator = load.frames.flatMap((one) => (one.frame === 'windows' ? one.generator : []));
    expect(generator.map(({ at, due, connections }) => [at, due, connections])).toEqual(windows.map(({ at, due }) => [at, due, 1]));
    expect(generator.reduce((total, { sent }) => total + sent, 0)).toBe(16);
    const ticks = load.frames.filter((one) => one.frame === 'progress');
    expect(ticks.reduce((sum, { due }) => sum + due, 0)).toBe(20);
    expect(ticks.reduce((sum, { failed }) => sum + failed, 0)).toBe(4);
    // The fixture begins when the gate says, to a millisecond or two; a busy machine takes longer.
    const { gauges } = await load.frame('gauges');
    expect(Math.abs(gauges['k6.offsetMs'] ?? Number.NaN)).toBeLessThan(80);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is invalid when k6 did not do all that was planned, with the numbers', async () => {
    const load = program('short');
    await load.run();
    await load.frame('done');
    expect(load.findings()).toEqual(['invalid: k6 started 12 and dropped 3 iterations, 15 of the 20 that were planned']);
    expect(load.windows().reduce((sum, { due }) => sum + due, 0)).toBe(15);
  });

  it.each([
    ['later', 300, /^invalid: k6 began (299|300)\.\d ms beside time zero; 100 ms at most would do$/],
    ['earlier', -300, /^invalid: k6 began -(299|300)\.\d ms beside time zero; 100 ms at most would do$/],
  ])('is invalid when k6 began %s than at time zero', async (_, offsetMs, text) => {
    const load = program(
      'well',
      {},
      disturbed(`
      const fetched = fetch;
      globalThis.fetch = async (url) => new Response(String(Number(await (await fetched(url)).text()) + ${offsetMs}));`),
    );
    await load.run();
    await load.frame('done');
    expect(load.findings()).toEqual([expect.stringMatching(text)]);
  });

  it('is invalid when an iteration took longer than it may, so that it is told of out of turn', async () => {
    // The two samples of the first iteration, another VU's, come 1.8 s later.
    const load = program(
      'well',
      {},
      disturbed(`
      const write = process.stdout.write.bind(process.stdout);
      let held = 0;
      process.stdout.write = (text) => {
        if (!text.includes('vu=1') || held++ >= 2) return write(text);
        const [metric, atMicros, value, ...rest] = text.replace('vu=1', 'vu=2').split(',');
        const took = metric === 'iteration_duration' ? Number(value) + 1800 : value;
        setTimeout(() => write([metric, Number(atMicros) + 1800000, took, ...rest].join(',')), 1800);
        return true;
      };`),
    );
    await load.run();
    await load.frame('done');
    expect(load.findings()).toEqual(["invalid: an iteration took 1802 ms, and the longest allowed is 200 ms; write a longer one (longest: '...')"]);
  });

  it('fails when the wall clock was set while it ran', async () => {
    let setMs = 0;
    const clock = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => clock() + setMs);
    const load = program('hangs');
    await load.run();
    await load.frame('progress');
    setMs = 500;
    expect((await load.frame('failed')).why).toMatch(/^the wall clock was set by (499|500|501) ms during the load, and k6 tells times by it$/);
  });

  it.each<[string, string, RegExp]>([
    ['is killed', 'dies', /^k6 ended \d+ ms after time zero \(SIGKILL\); k6 started 8 and dropped 2 iterations, 10 of the 20 that were planned$/],
    ['is killed after a word of the script', 'prints and dies', /^k6 ended \d+ ms after time zero \(exit code 1\); k6 started 8 and dropped 2 iterations/],
    ['has a script that throws', 'throws', /^the script threw: TypeError: x is undefined at default \(script\/get\.ts:7:48\)$/],
    ['has a script that makes no request', 'mute', /^an iteration of the script made no HTTP request, so nothing is known of the service$/],
    ['never ends', 'hangs', /^k6 did not end by itself 2200 ms after the end of the load, and was killed$/],
  ])('fails in one line when k6 %s', async (_, mode, why) => {
    const load = program(mode);
    await load.run();
    expect((await load.frame('failed')).why).toMatch(why);
    expect(load.exits).toEqual([1]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('fails before it is prepared when k6 refuses the script, without our folder in the words', async () => {
    const load = program('broken');
    expect((await load.frame('failed')).why).toBe('script/get.ts: Line 2:0 Unexpected end of file');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('fails when k6 writes what is no sample', async () => {
    const load = program('babbles');
    // It says so when it is started, where it was prepared before it had read anything.
    const running = load.run();
    running.catch(() => undefined);
    expect((await load.frame('failed')).why).toBe("k6 wrote no column 'metric_name': 'hello'");
  });

  it('fails when there is no k6 in its node', async () => {
    const load = program('', {}, ['k6-that-is-not-there']);
    expect((await load.frame('failed')).why).toBe('there is no k6-that-is-not-there in this node; give it the image of k6Client(...)');
  });

  it('is not troubled by what a script prints', async () => {
    const load = program('prints');
    await load.run();
    await load.frame('done');
    expect(load.findings()).toEqual([]);
  });

  it('ends when it is stopped, without a word against k6', async () => {
    const load = program('hangs');
    await load.run();
    await sleep(150);
    load.tell({ do: 'stop' });
    await load.frame('done');
    expect(load.findings()).toEqual([]);
  });

  it.each<[string, Partial<K6Settings>, string]>([
    ['an address that is none', { entry: '${link:client-1 -> web-1}' }, "settings.entry: '${link:client-1 -> web-1}' is not an address; write ip:port"],
    ['no duration', { forMs: 0 }, 'settings.forMs: 0 is not allowed; write how long the load lasts, ms'],
    ['nothing to do', { segments: [{ kind: 'hold', ratePerSecond: 0.001 }] }, 'rate: k6 would start no iteration in the 200 ms of the load'],
  ])('refuses %s', async (_, change, why) => {
    expect((await program('well', change).frame('failed')).why).toBe(why);
  });

  it('refuses to last longer or shorter than it was planned for', async () => {
    const load = program('well');
    await load.frame('prepared');
    load.tell({ do: 'start', atMs: monotonicMs(), forMs: 300 });
    expect((await load.frame('failed')).why).toBe('start: the load was planned for 200 ms, not for 300 ms');
    expect(existsSync(folder)).toBe(true);
  });
});
