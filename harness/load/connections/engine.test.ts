import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { deafPort, until, words } from '../pool/pool.fixture.ts';
import type { Protocol } from '../protocol.ts';
import { churn } from './churn.ts';
import { type Act, answer, FarEnd, fullPort, type Options, start } from './far-end.fixture.ts';
import { flood } from './flood.ts';
import { LocalPorts } from './local-ports.ts';

const ATONCE = 512;
const flooding = (count: number, changes: Partial<Options> = {}): Options => ({
  behaviour: flood({ atMs: 0, count, openingAtOnce: ATONCE }),
  forMs: 300,
  ...changes,
});

describe.each(['public', 'internal'] as const)('attempts over %s wires', (wires) => {
  it('are answered when the first request on the connection is answered, and each is a request of one series', async () => {
    await using far = await FarEnd.listen();
    await using run = await start(far.port, flooding(40), wires);
    await run.done;
    expect(run.totals()).toEqual({ due: 40, answered: 40, failed: {} });
    expect(new Set(run.windows.map(({ s }) => s.join(' ')))).toEqual(new Set(['connect * everyone']));
    expect(run.completions.reduce((sum, { answered }) => sum + answered, 0)).toBe(40);
    expect(run.generator.reduce((sum, { connects }) => sum + connects, 0)).toBe(40);
    expect(run.generator.reduce((sum, { sent }) => sum + sent, 0)).toBe(40);
    expect(far.seen.map(({ requests }) => requests.length)).toEqual(Array.from({ length: 40 }, () => 1));
    expect(run.gauges.at(-1)).toMatchObject({ 'connections.open': 40, 'connections.opening': 0, 'connections.unanswered': 0, 'connections.lost': 0 });
  });

  it.each<[string, string, Act]>([
    ['a far end that closes before it answers', 'closed', ({ socket }) => socket.end()],
    ['a far end that resets', 'closed', ({ socket }) => socket.resetAndDestroy()],
    ['half an answer and then the end', 'closed', ({ socket }) => socket.end('hit')],
    ['an error of the server', 'server', ({ socket }, _, key) => socket.write(`server ${key}\n`)],
    ['something that is no answer', 'garbled', ({ socket }) => socket.write('what\n')],
    ['no answer', 'timeout', () => undefined],
    ['half an answer', 'timeout', ({ socket }) => socket.write('hit')],
  ])('fail with %s as %s', async (_, kind, act) => {
    await using far = await FarEnd.listen(act);
    await using run = await start(far.port, flooding(8, { timeoutMs: 100 }), wires);
    await run.done;
    expect(run.totals()).toEqual({ due: 8, answered: 0, failed: { [kind]: 8 } });
    expect(run.gauges.at(-1)).toMatchObject({ 'connections.open': 0, 'connections.unanswered': 0, 'connections.lost': 0 });
    // What failed is not left behind.
    await until(() => far.open.length === 0);
  });

  it('fail as refused where nobody listens', async () => {
    await using run = await start(await deafPort(), flooding(8), wires);
    await run.done;
    expect(run.totals()).toEqual({ due: 8, answered: 0, failed: { refused: 8 } });
  });

  it('fail as unconnected where the backlog is full, and as timeout where there was room in it', async () => {
    await using full = await fullPort();
    await using run = await start(full.port, flooding(10, { timeoutMs: 200 }), wires);
    await until(() => run.gauges.length > 0);
    // Room for one makes two, in Linux.
    expect(run.gauges[0]).toMatchObject({ 'connections.opening': 8, 'connections.unanswered': 2 });
    await run.done;
    expect(run.totals()).toEqual({ due: 10, answered: 0, failed: { unconnected: 8, timeout: 2 } });
  });

  it('tells what was lost afterwards, and how', async () => {
    await using far = await FarEnd.listen();
    await using run = await start(far.port, flooding(9, { forMs: 500 }), wires);
    await until(() => run.gauges.at(-1)?.['connections.open'] === 9);
    const [first, second, third] = far.seen.map(({ socket }) => socket);
    first?.end();
    second?.end();
    third?.resetAndDestroy();
    await run.done;
    expect(run.gauges.at(-1)).toMatchObject({ 'connections.open': 6, 'connections.lost': 3, 'connections.lost.fin': 2, 'connections.lost.rst': 1 });
    expect(run.totals()).toEqual({ due: 9, answered: 9, failed: {} });
    await until(() => far.open.length === 6);
  });

  it('takes bytes that nobody asked for as the end of a connection', async () => {
    await using far = await FarEnd.listen();
    await using run = await start(far.port, flooding(3, { forMs: 500 }), wires);
    await until(() => run.gauges.at(-1)?.['connections.open'] === 3);
    far.seen[0]?.socket.write('hit 0\n');
    await run.done;
    expect(run.gauges.at(-1)).toMatchObject({ 'connections.open': 2, 'connections.lost': 1, 'connections.lost.fin': 0, 'connections.lost.rst': 0 });
  });
});

describe('the connection engine', () => {
  it('accounts for every attempt, whatever mixture of fates they meet', async () => {
    let n = 0;
    const fates: Act[] = [
      answer,
      ({ socket }) => socket.end(),
      ({ socket }) => socket.resetAndDestroy(),
      () => undefined,
      ({ socket }) => socket.write('x\n'),
      ({ socket }, _, key) => socket.write(`server ${key}\n`),
    ];
    await using far = await FarEnd.listen((seen, operation, key) => fates[n++ % fates.length]?.(seen, operation, key));
    await using run = await start(far.port, { behaviour: churn({ atMs: 0, ratePerSecond: 600 }), forMs: 500, timeoutMs: 100 });
    await run.done;
    expect(run.totals()).toEqual({ due: 300, answered: 50, failed: { closed: 100, timeout: 50, garbled: 50, server: 50 } });
    const ended = run.completions.reduce((sum, { answered, failed }) => sum + answered + failed, 0);
    expect(ended).toBe(300);
    expect(run.generator.reduce((sum, { due }) => sum + due, 0)).toBe(300);
  });

  it('logs in first where the protocol says so, and takes a refused login for an error of the server', async () => {
    const login: Protocol = { ...words, opening: 1, converse: () => words.converse() };
    let refused = false;
    await using far = await FarEnd.listen((seen, operation, key) => {
      if (operation === 'set' && refused) seen.socket.write('server 0\n');
      else answer(seen, operation, key);
    });
    await using run = await start(far.port, flooding(5, { protocol: login }));
    await run.done;
    expect(run.totals()).toEqual({ due: 5, answered: 5, failed: {} });
    expect(far.seen.map(({ requests }) => requests.map((request) => request.slice(0, 3)))).toEqual(Array.from({ length: 5 }, () => ['set', 'get']));
    refused = true;
    await using second = await start(far.port, flooding(5, { protocol: login }));
    await second.done;
    expect(second.totals()).toEqual({ due: 5, answered: 0, failed: { server: 5 } });
  });

  it('counts latency from when an attempt was due, not from when it began', async () => {
    await using far = await FarEnd.listen();
    await using run = await start(far.port, { behaviour: churn({ atMs: 0, ratePerSecond: 100 }), forMs: 400, deadlineMs: 50 });
    await until(() => far.seen.length === 5);
    // The event loop stands for 150 ms: what falls due in its first 100 is begun more than 50 ms late.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    await run.done;
    expect(run.totals()).toEqual({ due: 40, answered: 40, failed: {} });
    const good = run.windows.reduce((sum, window) => sum + window.good, 0);
    expect(good).toBeLessThanOrEqual(32);
    expect(run.generator.reduce((sum, { late }) => sum + late, 0)).toBeGreaterThanOrEqual(8);
  });

  it('reads an answer that lies in the buffers of its own machine before it gives its attempt up', async () => {
    await using far = await FarEnd.listen((...asked) => {
      answer(...asked);
      // The event loop stands until the timeout is long over.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    });
    await using run = await start(far.port, flooding(1, { timeoutMs: 200 }));
    await run.done;
    expect(run.totals()).toEqual({ due: 1, answered: 1, failed: {} });
  });

  it('closes a connection when it was held so long, and resets it when told to', async () => {
    await using far = await FarEnd.listen();
    await using run = await start(far.port, flooding(5, { holdMs: 100, closeBy: 'reset', forMs: 400 }));
    await run.done;
    await until(() => far.seen.every(({ closedMs }) => closedMs !== undefined));
    for (const { openedMs, closedMs = 0, error } of far.seen) {
      expect(closedMs - openedMs).toBeGreaterThan(95);
      expect(closedMs - openedMs).toBeLessThan(300);
      expect(error).toBe('ECONNRESET');
    }
    expect(run.gauges.at(-1)).toMatchObject({ 'connections.open': 0, 'connections.lost': 0 });
  });

  it('is done when it was stopped and all that was under way has ended, and holds what is open until it is closed', async () => {
    await using far = await FarEnd.listen();
    await using run = await start(far.port, { behaviour: flood({ atMs: 0, count: 1_000, ratePerSecond: 100, openingAtOnce: 1 }), forMs: 60_000 });
    await until(() => far.seen.length >= 5);
    run.engine.stop();
    await run.done;
    const { due, answered } = run.totals();
    expect(answered).toBe(due);
    expect(due).toBeLessThan(100);
    expect(far.open.length).toBe(due);
    run.engine.close();
    await until(() => far.open.length === 0);
  });

  it('names every second local port, and another one where that is in use', async () => {
    await using far = await FarEnd.listen();
    // Ten ports that the kernel takes none of by itself; the first three that are named are in use towards the same far end.
    const ports = new LocalPorts(20_000, 20_019, 0.999);
    const inUse = [20_001, 20_003, 20_005].map((localPort) => connect({ host: '127.0.0.1', port: far.port, localPort }));
    await until(() => far.seen.length === 3);
    await using run = await start(far.port, flooding(8, { ports }));
    await run.done;
    expect(run.totals()).toEqual({ due: 8, answered: 8, failed: {} });
    const named = far.seen.slice(3).flatMap(({ socket: { remotePort = 0 } }) => (remotePort < 21_000 ? [remotePort] : []));
    expect(named.toSorted((a, b) => a - b)).toEqual([20_007, 20_009, 20_011, 20_013]);
    // Reset, so that no port is kept from the next run of this test.
    for (const socket of inUse) socket.resetAndDestroy();
    for (const { socket } of far.seen) socket.resetAndDestroy();
    await until(() => run.gauges.length > 0 && far.seen.every(({ closedMs }) => closedMs !== undefined));
  });

  it("tells what its own machine lacks, and counts that as nobody's failure", async () => {
    await using run = await start(1, {
      behaviour: flood({ atMs: 0, count: 3, openingAtOnce: 1 }),
      forMs: 100,
      timeoutMs: 10_000,
      wires: {
        kind: 'public',
        open: (_address, events) => {
          setImmediate(() => events.failed('EMFILE'));
          const nothing = () => undefined;
          return { write: () => true, end: nothing, reset: nothing, close: nothing, readStart: nothing, readStop: nothing };
        },
      },
    });
    await until(() => run.shortages.length === 1);
    expect(run.shortages).toEqual(['EMFILE']);
    expect(run.totals().failed).toEqual({});
  });
});
