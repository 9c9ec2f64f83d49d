import { describe, expect, it } from 'vitest';
import { seeded } from '../../core/random.ts';
import { until } from '../pool/pool.fixture.ts';
import { churn } from './churn.ts';
import type { Connection } from './connection.ts';
import { answer, FarEnd, start } from './far-end.fixture.ts';
import { flood } from './flood.ts';
import { halfClosed } from './half-closed.ts';
import { type HerdOptions, herd } from './herd.ts';
import { leak } from './leak.ts';
import { neverReading } from './never-reading.ts';
import { slowSender } from './slow-sender.ts';

describe('a flood', () => {
  it('opens so many and holds them, and never has more under way at once than it may', async () => {
    let waiting = 0;
    let most = 0;
    await using far = await FarEnd.listen((seen, operation, key) => {
      most = Math.max(most, ++waiting);
      setTimeout(() => {
        waiting--;
        answer(seen, operation, key);
      }, 5);
    });
    await using run = await start(far.port, { behaviour: flood({ atMs: 0, count: 300, openingAtOnce: 16 }), forMs: 600 });
    await run.done;
    expect(run.totals()).toEqual({ due: 300, answered: 300, failed: {} });
    expect(most).toBeGreaterThan(8);
    expect(most).toBeLessThanOrEqual(16);
    expect(far.open.length).toBe(300);
  });

  it('opens at a rate, whatever is answered, from its moment on', async () => {
    await using far = await FarEnd.listen(() => undefined);
    await using run = await start(far.port, { behaviour: flood({ atMs: 100, count: 50, ratePerSecond: 200, openingAtOnce: 1 }), forMs: 500, timeoutMs: 2_000 });
    await until(() => far.seen.length === 50);
    const moments = far.seen.map(({ openedMs }) => openedMs - run.zeroMs);
    expect(moments[0]).toBeGreaterThan(99);
    // The last is due at 100 + 49 x 5 = 345 ms.
    expect(moments[49]).toBeGreaterThan(344);
    expect(moments[24]).toBeGreaterThan(219);
    await until(() => run.gauges.some((gauges) => gauges['connections.unanswered'] === 50));
  });
});

describe('churn', () => {
  it('connects, asks once and closes, at its rate', async () => {
    await using far = await FarEnd.listen();
    await using run = await start(far.port, { behaviour: churn({ atMs: 0, ratePerSecond: 100 }), forMs: 500 });
    await run.done;
    expect(run.totals()).toEqual({ due: 50, answered: 50, failed: {} });
    await until(() => far.seen.every(({ closedMs }) => closedMs !== undefined));
    expect(far.seen.length).toBe(50);
    for (const { requests, error, finMs } of far.seen) {
      expect(requests.length).toBe(1);
      expect(error).toBeUndefined();
      expect(finMs).toBeDefined();
    }
    expect(run.gauges.at(-1)).toMatchObject({ 'connections.open': 0, 'connections.lost': 0 });
  });
});

describe('a herd', () => {
  const MEMBERS = 100;
  const herding = (changes: Partial<HerdOptions> = {}) =>
    herd({ atMs: 0, members: MEMBERS, everyMs: 400, spreadMs: 0, jitter: 'full', restMs: 1_000, ...changes }, seeded(7));
  const spread = (moments: number[]) => Math.max(...moments) - Math.min(...moments);

  it('closes all and comes back in one moment, each time', async () => {
    await using far = await FarEnd.listen();
    await using run = await start(far.port, { behaviour: herding(), forMs: 1_000 });
    await run.done;
    // At 0, 400 and 800 ms.
    expect(run.totals()).toEqual({ due: 300, answered: 300, failed: {} });
    const rounds = [0, 1, 2].map((round) => far.seen.slice(round * MEMBERS, (round + 1) * MEMBERS));
    for (const [round, seen] of rounds.entries()) {
      const moments = seen.map(({ openedMs }) => openedMs - run.zeroMs);
      expect(Math.min(...moments)).toBeGreaterThanOrEqual(round * 400);
      expect(spread(moments)).toBeLessThan(150);
      // Those of the rounds before were closed by then.
      if (round < 2) expect(seen.every(({ finMs = Number.NaN }) => finMs - run.zeroMs >= (round + 1) * 400 - 1)).toBe(true);
    }
    expect(far.open.length).toBe(MEMBERS);
  });

  it('comes back spread over a span, evenly', async () => {
    await using far = await FarEnd.listen();
    await using run = await start(far.port, { behaviour: herding({ everyMs: 500, spreadMs: 300, jitter: 'even' }), forMs: 1_000 });
    await run.done;
    const again = far.seen.slice(MEMBERS).map(({ openedMs }) => openedMs - run.zeroMs - 500);
    expect(again.length).toBe(MEMBERS);
    // One each 3 ms: member n not before 3 n ms.
    for (const [n, moment] of again.toSorted((a, b) => a - b).entries()) expect(moment).toBeGreaterThan(n * 3 - 0.5);
    expect(spread(again)).toBeGreaterThan(290);
  });

  it('comes back spread over a span, by chance, and by the same chance with the same seed', async () => {
    const moments: number[][] = [];
    for (let n = 0; n < 2; n++) {
      const behaviour = herding({ spreadMs: 300 });
      behaviour.turn?.(0);
      const due: number[] = [];
      while (behaviour.nextDueMs(300, 0) <= 300) {
        due.push(behaviour.nextDueMs(300, 0));
        behaviour.take();
      }
      moments.push(due);
    }
    const [first = [], second] = moments;
    expect(first).toEqual(second);
    expect(first.length).toBe(MEMBERS);
    expect(Math.max(...first)).toBeLessThan(300);
    // Of 100 even draws, a third falls into each third: 33, standard deviation 4.7.
    for (const third of [0, 100, 200]) expect(Math.abs(first.filter((due) => due >= third && due < third + 100).length - 33)).toBeLessThan(20);
  });

  it('comes back in a round by the same chance, whoever has lost a connection before it', () => {
    /** When each member is due in the second round, if the first so many have lost their connections before. */
    const secondRound = (lost: number) => {
      const behaviour = herding({ spreadMs: 300 });
      const dueBy = (untilMs: number) => {
        behaviour.turn?.(untilMs);
        const due = new Map<number, number>();
        for (let dueMs = behaviour.nextDueMs(untilMs, 0); dueMs <= untilMs; dueMs = behaviour.nextDueMs(untilMs, 0)) due.set(behaviour.take(), dueMs);
        return due;
      };
      const connections = [...dueBy(399)].map(([ticket, beganMs]) => {
        const connection = { ticket, beganMs, isAnswered: true, ask: () => undefined, leave: () => undefined } as unknown as Connection;
        behaviour.connected?.(connection, beganMs);
        return connection;
      });
      // Who comes back after a loss rests for longer than this looks ahead.
      for (const connection of connections) if (connection.ticket < lost) behaviour.ended?.(connection, 390, 'rst');
      return dueBy(799);
    };
    const calm = secondRound(0);
    expect(calm.size).toBe(MEMBERS);
    const troubled = secondRound(40);
    expect(troubled.size).toBe(MEMBERS - 40);
    for (const [member, dueMs] of troubled) expect(dueMs).toBe(calm.get(member));
  });

  it('comes back at once when its connections are lost, if they are old enough', async () => {
    await using far = await FarEnd.listen();
    await using run = await start(far.port, { behaviour: herding({ everyMs: Number.POSITIVE_INFINITY, restMs: 100 }), forMs: 800 });
    await until(() => far.open.length === MEMBERS && run.gauges.length >= 2);
    const lostMs = performance.now();
    for (const { socket } of far.open) socket.resetAndDestroy();
    await until(() => far.seen.length === 2 * MEMBERS);
    expect(performance.now() - lostMs).toBeLessThan(400);
    await run.done;
    expect(run.gauges.at(-1)).toMatchObject({ 'connections.open': MEMBERS, 'connections.lost': MEMBERS, 'connections.lost.rst': MEMBERS });
  });

  it('rests between attempts where nobody lets it in', async () => {
    await using far = await FarEnd.listen(({ socket }) => socket.resetAndDestroy());
    await using run = await start(far.port, { behaviour: herding({ everyMs: Number.POSITIVE_INFINITY, restMs: 200 }), forMs: 700 });
    await run.done;
    // At 0, 200, 400 and 600 ms.
    const { due, failed } = run.totals();
    expect(failed).toEqual({ closed: due });
    expect(due).toBeGreaterThanOrEqual(3 * MEMBERS);
    expect(due).toBeLessThanOrEqual(4 * MEMBERS);
  });
});

describe('half-closed connections', () => {
  it('send FIN behind the request, and the answer is still read', async () => {
    await using far = await FarEnd.listen((seen, operation, key) => void setTimeout(() => answer(seen, operation, key), 60), false);
    await using run = await start(far.port, { behaviour: halfClosed({ atMs: 0, count: 10, openingAtOnce: 10 }), forMs: 400 });
    await until(() => far.seen.length === 10 && far.seen.every(({ finMs }) => finMs !== undefined));
    expect(run.totals().answered).toBe(0);
    await run.done;
    expect(run.totals()).toEqual({ due: 10, answered: 10, failed: {} });
    expect(run.gauges.at(-1)).toMatchObject({ 'connections.open': 10, 'connections.lost': 0 });
    // The far end closes, too, and with that it is over.
    for (const { socket } of far.seen) socket.end();
    await until(() => far.seen.every(({ closedMs }) => closedMs !== undefined));
  });
});

describe('connections that are never read from', () => {
  it('leave the far end with what it cannot send', async () => {
    const VALUE = 1_000_000;
    // Who reads of it finds at once that it is no answer, and closes.
    const value = Buffer.alloc(VALUE, 'x\n');
    await using far = await FarEnd.listen((seen, operation, key) => {
      if (seen.requests.length === 1) answer(seen, operation, key);
      else seen.socket.write(value);
    });
    await using run = await start(far.port, { behaviour: neverReading({ atMs: 0, count: 4, openingAtOnce: 4, asks: 16 }), forMs: 700 });
    await until(() => far.seen.length === 4 && far.seen.every(({ requests }) => requests.length === 17));
    await run.done;
    // Of 16 MB, at least 4 do not fit into the buffers of both ends.
    for (const { socket } of far.seen) expect(socket.writableLength).toBeGreaterThan(4 * VALUE);
    expect(run.gauges.at(-1)).toMatchObject({ 'connections.open': 4, 'connections.lost': 0 });
    expect(run.totals()).toEqual({ due: 4, answered: 4, failed: {} });
  });
});

describe('slow senders', () => {
  it('send a byte at a time, and the next request after each answer', async () => {
    await using far = await FarEnd.listen();
    // 'get 0' and the end of the line are 6 bytes: whole after 5 x 30 = 150 ms, longer than the timeout.
    const behaviour = slowSender({ atMs: 0, count: 5, openingAtOnce: 5, bytes: 1, everyMs: 30 });
    await using run = await start(far.port, { behaviour, forMs: 600, timeoutMs: 120 });
    await run.done;
    expect(run.totals()).toEqual({ due: 5, answered: 5, failed: {} });
    for (const { pieces, requests } of far.seen) {
      expect(requests.length).toBeGreaterThanOrEqual(2);
      expect(pieces.every(({ bytes }) => bytes === 1)).toBe(true);
      const gaps = pieces.slice(1).map(({ atMs }, n) => atMs - (pieces[n]?.atMs ?? 0));
      expect(gaps.toSorted((a, b) => a - b)[gaps.length >> 1]).toBeGreaterThan(28);
    }
  });

  it('give up when no answer comes to a request that is whole', async () => {
    await using far = await FarEnd.listen(() => undefined);
    const behaviour = slowSender({ atMs: 0, count: 3, openingAtOnce: 5, bytes: 4, everyMs: 20 });
    await using run = await start(far.port, { behaviour, forMs: 300, timeoutMs: 100 });
    await run.done;
    expect(run.totals()).toEqual({ due: 3, answered: 0, failed: { timeout: 3 } });
  });
});

describe('a leak', () => {
  it('opens at its rate up to its most, and keeps even what the far end has closed', async () => {
    await using far = await FarEnd.listen();
    await using run = await start(far.port, { behaviour: leak({ atMs: 0, ratePerSecond: 200, most: 30 }), forMs: 600 });
    await until(() => far.seen.length === 30);
    const [first] = far.seen;
    first?.socket.end();
    await run.done;
    expect(run.totals()).toEqual({ due: 30, answered: 30, failed: {} });
    expect(run.gauges.at(-1)).toMatchObject({ 'connections.open': 29, 'connections.lost.fin': 1 });
    // The far end has sent its FIN, and gets none back.
    expect(first?.socket.writableFinished).toBe(true);
    expect(first?.finMs).toBeUndefined();
    run.engine.close();
    await until(() => far.seen.every(({ finMs }) => finMs !== undefined));
  });
});
