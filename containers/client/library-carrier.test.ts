import { describe, expect, it } from 'vitest';
import { type Ended, type Ending, LibraryCarrier } from './library-carrier.ts';
import type { SocketEvents } from './library-sockets.ts';

/** A carrier over a library that does nothing by itself, and everything that it tells. */
function carried() {
  const asked: { word: string; ended: Ended }[] = [];
  const told: string[] = [];
  const closed: string[] = [];
  const is = { nowMs: 0, open: 0, events: undefined as SocketEvents | undefined };
  const outcomes = {
    answered: (dueMs: number, operation: number, key: number, endedMs: number, miss: boolean) =>
      told.push(`${operation ? 'set' : 'get'} ${key} due ${dueMs} answered at ${endedMs}${miss ? ', miss' : ''}`),
    failed: (dueMs: number, operation: number, key: number, endedMs: number, kind: string) =>
      told.push(`${operation ? 'set' : 'get'} ${key} due ${dueMs} failed at ${endedMs}: ${kind}`),
    sent: (atMs: number) => told.push(`sent at ${atMs}`),
    connected: (atMs: number) => told.push(`connected at ${atMs}`),
    shortOf: (code: string) => told.push(`short of ${code}`),
  };
  const carrier = new LibraryCarrier(
    {
      open: (events) => {
        is.events = events;
        return {
          library: {
            get: (key, bytes, ended) => asked.push({ word: `get ${key} of ${bytes}`, ended }),
            set: (key, bytes, ended) => asked.push({ word: `set ${key} of ${bytes}`, ended }),
            close: () => closed.push('library'),
          },
          sockets: {
            get open() {
              return is.open;
            },
            close: () => closed.push('sockets'),
          },
        };
      },
      keyName: (key) => `k:${key}`,
      sizes: (key) => key * 10,
      getOperation: 0,
      timeoutMs: 250,
    },
    () => is.nowMs,
    outcomes,
  );
  const end = (place: number, ending: Ending) => asked[place]?.ended(ending);
  return { carrier, asked, told, closed, is, end };
}

describe('LibraryCarrier', () => {
  it('asks the library at once, and tells how each request ended, in whatever order', () => {
    const { carrier, asked, told, is, end } = carried();
    carrier.offer(1, 0, 7);
    carrier.offer(2, 1, 8);
    carrier.offer(3, 0, 9);
    expect(asked.map(({ word }) => word)).toEqual(['get k:7 of 70', 'set k:8 of 80', 'get k:9 of 90']);
    expect(carrier.underWay).toBe(3);
    is.nowMs = 20;
    end(1, 'done');
    end(2, 'miss');
    is.nowMs = 30;
    end(0, 'hit');
    expect(told).toEqual(['set 8 due 2 answered at 20', 'get 9 due 3 answered at 20, miss', 'get 7 due 1 answered at 30']);
    expect(carrier.underWay).toBe(0);
  });

  it('tells failures by their kind', () => {
    const { carrier, told, end } = carried();
    for (const [place, kind] of (['refused', 'closed', 'server', 'garbled', 'unconnected', 'timeout'] as const).entries()) {
      carrier.offer(0, 0, place);
      end(place, kind);
    }
    expect(told).toEqual(['refused', 'closed', 'server', 'garbled', 'unconnected', 'timeout'].map((kind, key) => `get ${key} due 0 failed at 0: ${kind}`));
  });

  it('gives up at the timeout, counted from asking, and hears nothing of it later', () => {
    const { carrier, told, is, end } = carried();
    expect(carrier.nextExpiryMs()).toBe(Number.POSITIVE_INFINITY);
    is.nowMs = 100;
    carrier.offer(40, 0, 1);
    is.nowMs = 150;
    carrier.offer(50, 0, 2);
    expect(carrier.nextExpiryMs()).toBe(350);
    is.nowMs = 349;
    carrier.sweep();
    expect(told).toEqual([]);
    is.nowMs = 350;
    carrier.sweep();
    expect(told).toEqual(['get 1 due 40 failed at 350: timeout']);
    expect(carrier.nextExpiryMs()).toBe(400);
    end(0, 'hit');
    end(1, 'hit');
    end(1, 'server');
    expect(told).toEqual(['get 1 due 40 failed at 350: timeout', 'get 2 due 50 answered at 350']);
    expect(carrier.underWay).toBe(0);
    expect(carrier.nextExpiryMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('is in order when the library ends requests while it is asked, and when that leads to further requests', () => {
    const told: string[] = [];
    const carrier: LibraryCarrier = new LibraryCarrier(
      {
        open: () => ({
          library: { get: (_key, _bytes, ended) => ended('refused'), set: (_key, _bytes, ended) => ended('done'), close: () => undefined },
          sockets: { open: 0, close: () => undefined },
        }),
        keyName: String,
        sizes: () => 0,
        getOperation: 0,
        timeoutMs: 250,
      },
      () => 0,
      {
        answered: (_due, _operation, key) => {
          told.push(`answered ${key}`);
          if (key < 3) carrier.offer(0, 1, key + 1);
        },
        failed: (_due, _operation, key) => told.push(`failed ${key}`),
        sent: () => undefined,
        connected: () => undefined,
        shortOf: () => undefined,
      },
    );
    carrier.offer(0, 0, 0);
    carrier.offer(0, 1, 1);
    expect(told).toEqual(['failed 0', 'answered 1', 'answered 2', 'answered 3']);
    expect(carrier.underWay).toBe(0);
  });

  it('keeps its order over very many requests, some of which are never answered', () => {
    const { carrier, told, is, end } = carried();
    for (let key = 0; key < 5_000; key++) {
      is.nowMs = key;
      carrier.sweep();
      carrier.offer(key, 0, key);
      if (key % 5 !== 0) end(key, 'hit');
    }
    is.nowMs = 6_000;
    carrier.sweep();
    const timeouts = told.filter((line) => line.endsWith('timeout'));
    expect(timeouts).toHaveLength(1_000);
    expect(timeouts.slice(0, 2)).toEqual(['get 0 due 0 failed at 250: timeout', 'get 5 due 5 failed at 255: timeout']);
    expect(carrier.underWay).toBe(0);
  });

  it('tells of connections and of requests that went out, to whom it was handed over', () => {
    const { carrier, told, is } = carried();
    is.events?.connected();
    is.open = 3;
    expect(carrier.open).toBe(3);
    const later: string[] = [];
    carrier.handOver(() => 77, {
      answered: () => undefined,
      failed: () => undefined,
      sent: (atMs) => later.push(`sent at ${atMs}`),
      connected: (atMs) => later.push(`connected at ${atMs}`),
      shortOf: (code) => later.push(`short of ${code}`),
    });
    is.events?.sent();
    is.events?.connected();
    is.events?.shortOf('EMFILE');
    expect(told).toEqual(['connected at 0']);
    expect(later).toEqual(['sent at 77', 'connected at 77', 'short of EMFILE']);
  });

  it('tells nothing more once it is closed', () => {
    const { carrier, told, closed, is, end } = carried();
    carrier.offer(0, 0, 1);
    carrier.close();
    is.nowMs = 1_000;
    end(0, 'hit');
    carrier.sweep();
    expect(told).toEqual([]);
    expect(carrier.underWay).toBe(0);
    expect(closed).toEqual(['library', 'sockets']);
  });
});
