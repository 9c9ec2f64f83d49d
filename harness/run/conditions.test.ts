import { describe, expect, it } from 'vitest';
import { type Condition, connectionsReach, failuresAbove, look, p99Above } from './conditions.ts';
import { Running } from './running.ts';
import { awaitTrigger } from './trigger.ts';

/** A run of which so many tenths of a second are known, from its beginning. */
function seen(slices: readonly { answered?: number; failed?: number; p99Ms?: number }[]): Running {
  const running = new Running();
  for (const [index, { answered = 10, failed = 0, p99Ms }] of slices.entries())
    running.tick({ load: 'one', atMs: index * 100, answered, failed, ...(p99Ms === undefined ? {} : { p99Ms }) });
  return running;
}
const many = <T>(count: number, one: T) => Array.from({ length: count }, () => one);

describe('slow answers', () => {
  const condition = p99Above('200ms', { lasting: '500ms' });

  it('are seen when all that ended for so long was slow', () => {
    expect(look(condition, seen(many(10, { p99Ms: 250 })))).toMatchObject({ holds: true, seen: 'p99 250 ms' });
    expect(look(condition, seen([...many(9, { p99Ms: 250 }), { p99Ms: 10 }])).holds).toBe(false);
    expect(look(condition, seen([...many(9, { p99Ms: 10 }), { p99Ms: 250 }])).holds).toBe(false);
  });

  it("are seen when they are one load's, whatever the others do", () => {
    const running = seen(many(10, { p99Ms: 250 }));
    for (let index = 0; index < 10; index++) running.tick({ load: 'other', atMs: index * 100, answered: 10, failed: 0, p99Ms: 1 });
    expect(look(condition, running).holds).toBe(true);
  });

  it('are not seen where too little is known yet', () => {
    expect(look(condition, seen(many(3, { p99Ms: 250 }))).holds).toBe(false);
  });

  it('are not made of silence, nor ended by it', () => {
    expect(look(condition, seen(many(10, { answered: 0 }))).holds).toBe(false);
    expect(look(condition, seen([...many(8, { p99Ms: 250 }), { answered: 0 }, { p99Ms: 250 }])).holds).toBe(true);
  });

  it('are what failures count for, from one of a hundred on', () => {
    expect(look(condition, seen(many(10, { answered: 98, failed: 2, p99Ms: 1 }))).holds).toBe(true);
    expect(look(condition, seen(many(10, { answered: 199, failed: 1, p99Ms: 1 }))).holds).toBe(false);
  });
});

describe('failures', () => {
  const condition = failuresAbove('5%', { lasting: '500ms' });

  it('are a share of all that ended for so long', () => {
    expect(look(condition, seen([...many(9, { answered: 100 }), { answered: 60, failed: 40 }]))).toMatchObject({ holds: true, seen: '8% failing' });
    expect(look(condition, seen([...many(9, { answered: 100 }), { answered: 90, failed: 10 }])).holds).toBe(false);
    expect(look(condition, seen([{ answered: 0, failed: 100 }, ...many(9, { answered: 100 })])).holds).toBe(false);
  });
});

describe('connections', () => {
  const running = seen([{}]);
  running.read('edge', 100, { 'sockets.total': 300, 'host.idle': 1 });
  running.read('proxy-1', 150, { 'sockets.total': 250 });

  it('are counted at the nodes that are named', () => {
    expect(look(connectionsReach('edge', 300), running)).toMatchObject({ holds: true, seen: '300 connections' });
    expect(look(connectionsReach('edge', 301), running).holds).toBe(false);
    expect(look(connectionsReach('edge|proxy-*', 550), running).holds).toBe(true);
  });

  it('are unknown where nobody counts, and at a node that was not read for two seconds', () => {
    expect(look(connectionsReach('mc-1', 1), running)).toMatchObject({ holds: false, seen: 'nobody counting' });
    running.read('proxy-1', 2_200, { 'sockets.total': 250 });
    expect(look(connectionsReach('edge', 1), running).holds).toBe(false);
  });
});

describe('waiting for a condition', () => {
  const wait = (condition: Condition, running: Running, now: () => number, signal = new AbortController().signal) =>
    awaitTrigger({ condition, title: 'x', byMs: 5_000, forMs: 1_000 }, running, { now }, signal);

  it('ends in the moment in which it is seen', async () => {
    const running = new Running();
    const waiting = wait(connectionsReach('edge', 5), running, () => 100);
    running.read('edge', 100, { 'sockets.total': 4 });
    running.read('edge', 200, { 'sockets.total': 5 });
    expect(await waiting).toEqual({ seen: true, best: '5 connections' });
  });

  it('ends when its time is over, and tells the nearest that was seen', async () => {
    const running = new Running();
    let now = 100;
    const waiting = wait(connectionsReach('edge', 9), running, () => now);
    running.read('edge', 100, { 'sockets.total': 8 });
    running.read('edge', 200, { 'sockets.total': 3 });
    now = 5_000;
    expect(await waiting).toEqual({ seen: false, best: '8 connections' });
  });

  it('ends when the run is stopped, even before it began', async () => {
    const stop = new AbortController();
    const waiting = wait(connectionsReach('edge', 9), new Running(), () => 0, stop.signal);
    stop.abort();
    expect(await waiting).toMatchObject({ seen: false });
    expect(await wait(connectionsReach('edge', 9), new Running(), () => 0, stop.signal)).toMatchObject({ seen: false });
  });
});
