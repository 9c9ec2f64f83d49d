import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { monotonicMs } from '../core/clock.ts';
import { InputError } from '../core/errors.ts';
import { seeded } from '../core/random.ts';
import type { Command, Frame } from './frames.ts';
import { countingWorkload, FakeServer, optionsFor, until } from './pool/pool.fixture.ts';
import { serve } from './program.ts';
import { pooledLoad } from './request-load.ts';

/** A load program under test: what it is told, what it tells, and with which code it ends. */
function program(read: (settings: unknown) => ReturnType<Parameters<typeof serve>[0]>) {
  const input = new PassThrough();
  const output = new PassThrough();
  const frames: Frame[] = [];
  const exits: number[] = [];
  createInterface({ input: output }).on('line', (line) => frames.push(JSON.parse(line)));
  serve(read, { input, output, exit: (code) => exits.push(code) });
  return {
    frames,
    exits,
    write: (message: object) => input.write(`${JSON.stringify(message)}\n`),
    raw: (text: string) => input.write(text),
    tell: (command: Command) => input.write(`${JSON.stringify(command)}\n`),
    end: () => input.end(),
    has: (frame: Frame['frame']) => frames.some((told) => told.frame === frame),
  };
}

const loadAt = (port: number) => () =>
  pooledLoad({
    asking: { kind: 'schedule', arrivals: { kind: 'segments', spacing: 'even', segments: [{ kind: 'hold', ratePerSecond: 500 }] }, part: { index: 0, of: 1 } },
    pool: optionsFor(port, { connections: 5 }),
    workload: countingWorkload(),
    random: seeded(1),
  });

describe('a load program', () => {
  it('takes settings, prepares, answers pings with its clock, runs, and tells everything before done', async () => {
    await using server = await FakeServer.listen();
    let given: unknown;
    const load = program((settings) => {
      given = settings;
      return loadAt(server.port)();
    });
    load.write({ some: 'settings' });
    await until(() => load.has('prepared'));
    expect(given).toEqual({ some: 'settings' });
    expect(load.frames).toContainEqual({ frame: 'prepared', connections: 5 });
    const beforeMs = monotonicMs();
    load.tell({ do: 'ping', id: 7 });
    await until(() => load.has('pong'));
    const pong = load.frames.find((frame) => frame.frame === 'pong');
    expect(pong?.id).toBe(7);
    expect(pong?.clockMs).toBeGreaterThanOrEqual(beforeMs);
    expect(pong?.clockMs).toBeLessThanOrEqual(monotonicMs());

    load.tell({ do: 'start', atMs: monotonicMs() + 20, forMs: 300 });
    await until(() => load.has('done'));
    expect(load.frames.at(-1)).toEqual({ frame: 'done' });
    const windows = load.frames.flatMap((frame) => (frame.frame === 'windows' ? frame.windows : []));
    const progress = load.frames.filter((frame) => frame.frame === 'progress');
    expect(windows.reduce((sum, { due }) => sum + due, 0)).toBe(150);
    expect(progress.reduce((sum, { due }) => sum + due, 0)).toBe(150);
    expect(progress.length).toBeGreaterThanOrEqual(3);
    expect(load.exits).toEqual([]);
    load.end();
    await until(() => load.exits.length > 0);
    expect(load.exits).toEqual([0]);
  });

  it('stops when it is told to', async () => {
    await using server = await FakeServer.listen();
    const load = program(loadAt(server.port));
    load.write({});
    await until(() => load.has('prepared'));
    load.tell({ do: 'start', atMs: monotonicMs(), forMs: 60_000 });
    await until(() => load.has('progress'));
    load.tell({ do: 'stop' });
    await until(() => load.has('done'));
    load.end();
  });

  it('fails when it is started a second time, and closes what it has', async () => {
    let starts = 0;
    let closes = 0;
    const load = program(() => ({
      prepare: async () => ({ connections: 0, start: () => void starts++, stop: () => undefined, close: () => void closes++ }),
    }));
    load.write({});
    await until(() => load.has('prepared'));
    load.tell({ do: 'start', atMs: 0, forMs: 100 });
    load.tell({ do: 'start', atMs: 0, forMs: 100 });
    await until(() => load.exits.length > 0);
    expect(load.frames.at(-1)).toEqual({ frame: 'failed', why: 'start: the load was started before' });
    expect(load.exits).toEqual([1]);
    expect([starts, closes]).toEqual([1, 1]);
  });

  it('is done when it is told to stop while it prepares, and lets go of what it has connected since', async () => {
    await using server = await FakeServer.listen();
    const load = program(loadAt(server.port));
    load.write({});
    load.tell({ do: 'stop' });
    await until(() => load.has('done'));
    await until(() => server.accepted > 0);
    await until(() => server.sockets.size === 0);
    load.tell({ do: 'start', atMs: monotonicMs(), forMs: 100 });
    await until(() => load.exits.length > 0);
    expect(load.frames).toEqual([{ frame: 'done' }, { frame: 'failed', why: 'start: the load was stopped before' }]);
  });

  it('ends at once when its stdin ends, in the middle of a load', async () => {
    await using server = await FakeServer.listen();
    const load = program(loadAt(server.port));
    load.write({});
    await until(() => load.has('prepared'));
    // Two seconds, because here no process is gone at the end of stdin: the load goes on to its own end.
    load.tell({ do: 'start', atMs: monotonicMs(), forMs: 2_000 });
    await until(() => load.has('progress'));
    load.end();
    await until(() => load.exits.length > 0);
    expect(load.exits).toEqual([0]);
    expect(load.has('done')).toBe(false);
  });

  it.each<[string, (load: ReturnType<typeof program>) => void, string]>([
    ['settings that are refused', (load) => load.write({}), "entry: 'x' is not an address"],
    ['a first line that is not JSON', (load) => load.raw('{"entry"\n'), "Expected ':' after property name in JSON at position 8 (line 1 column 9)"],
    [
      'a start before it is prepared',
      (load) => {
        load.write({ good: true });
        load.tell({ do: 'start', atMs: 0, forMs: 1 });
      },
      'start: the load is not prepared yet',
    ],
    [
      'an unknown command',
      (load) => {
        load.write({ good: true });
        load.write({ do: 'dance' });
      },
      'unknown command {"do":"dance"}; known: ping, start, stop',
    ],
  ])('fails with one line on %s', async (_, provoke, why) => {
    await using server = await FakeServer.listen();
    const load = program((settings) => {
      if ((settings as { good?: boolean }).good) return loadAt(server.port)();
      throw new InputError("entry: 'x' is not an address");
    });
    provoke(load);
    await until(() => load.exits.length > 0);
    expect(load.frames).toEqual([{ frame: 'failed', why }]);
    expect(load.exits).toEqual([1]);
    // A warm-up that was under way may still end, and is not told any more.
    await until(() => server.sockets.size === 0);
    expect(load.frames).toHaveLength(1);
    expect(load.exits).toEqual([1]);
  });
});
