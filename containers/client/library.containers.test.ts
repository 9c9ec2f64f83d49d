/** The libraries of applications beside our own clients: the same load on one cluster, and what each sees of the same fault. */
import { describe, expect, it } from 'vitest';
import { drill, goodput, latency, pause } from '../../harness/index.ts';
import type { Step } from '../../harness/run/types.ts';
import type { Window } from '../../harness/timeline/types.ts';
import { bareCache, cache } from '../cache.ts';
import { memcached } from '../memcached/index.ts';
import { performed, sumsOf } from '../run.fixture.ts';
import { cacheClients } from './index.ts';
import { libraryClients, withLibrary } from './library.ts';

const RATE = 500;
const SECONDS = 10;
const COMMON = { rate: `${RATE}/s`, mix: { get: '90%', set: '10%' }, deadline: '1s', timeout: '500ms' } as const;
const FAULT = { at: '4s', for: '3s' } as const;

/** Both loads as they are compared: by tenant. */
const ours = (window: Window) => window.series.tenant === 'ours';
const theirs = (window: Window) => window.series.tenant === 'library';

/** The median of the windows' medians in a stretch of time, ms. */
function medianMs(windows: readonly Window[], chosen: (window: Window) => boolean, fromMs: number, toMs: number): number {
  const medians = windows.filter((window) => window.at >= fromMs && window.at < toMs && window.answered > 0 && chosen(window));
  const sorted = medians.map(({ latency: histogram }) => histogram.percentile(50) / 1_000).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function side(id: string, cluster: ReturnType<typeof cache>, load: Parameters<typeof drill>[0]['load'], steps: readonly Step[]) {
  return performed(
    drill({
      id,
      story: 'two kinds of clients ask for the same',
      duration: `${SECONDS}s`,
      load,
      steps,
      slos: { answers: goodput({ atLeast: '1%', when: 'before' }) },
      variants: { one: { title: 'side by side', cluster } },
    }),
  );
}

describe('npm memcached through twemproxy', () => {
  it('asks and is answered as our clients are, and sees the same slow node', async () => {
    const tier = { backends: 4, proxies: 2 };
    const { timeline } = await side(
      'library-memcached',
      withLibrary(cache(tier), { entry: 'edge' }),
      [
        cacheClients({ ...COMMON, backends: tier.backends, connections: 100, onTimeout: 'fail', tenant: 'ours' }),
        libraryClients({ ...COMMON, backends: tier.backends, library: 'memcached', connections: 10, tenant: 'library' }),
      ],
      [{ ...FAULT, fault: latency('proxy-* -> mc-3', '100ms') }],
    );
    const all = { due: RATE * SECONDS, answered: RATE * SECONDS, misses: 0, failed: {} };
    expect(sumsOf(timeline.windows, ours)).toMatchObject(all);
    expect(sumsOf(timeline.windows, theirs)).toMatchObject(all);
    for (const who of [ours, theirs]) {
      const slow = (window: Window) => who(window) && window.series.shard === 'mc-3';
      expect(medianMs(timeline.windows, slow, 1_000, 3_500)).toBeLessThan(50);
      expect(medianMs(timeline.windows, slow, 4_500, 6_500)).toBeGreaterThanOrEqual(99);
      expect(medianMs(timeline.windows, slow, 8_000, 10_000)).toBeLessThan(50);
    }
    const opened = timeline.generator.filter(({ load }) => load === 'app-1').reduce((sum, { connects }) => sum + connects, 0);
    const sent = timeline.generator.filter(({ load }) => load === 'app-1').reduce((sum, window) => sum + window.sent, 0);
    expect(opened).toBe(0);
    expect(sent).toBe(RATE * SECONDS);
  });
});

describe('memjs straight to memcached', () => {
  const auth = { user: 'app', password: 'secret' };
  const ENTRY = { entry: 'mc-1', shards: ['mc-1'] } as const;

  it.each([
    ['without a login', undefined],
    ['with a login (SASL PLAIN)', auth],
  ])('%s, asks and is answered as our clients are, and sees the same pause', async (_, sasl) => {
    const bare = bareCache();
    const cluster = withLibrary(sasl ? { ...bare, nodes: bare.nodes.map((node) => (node.name === 'mc-1' ? memcached('mc-1', { sasl }) : node)) } : bare, {
      entry: 'mc-1',
    });
    const login = sasl ? { auth: sasl } : {};
    const ready = { ...cluster.ready, settings: { ...(cluster.ready.settings as object), ...(sasl ? { protocol: 'binary', ...login } : {}) } };
    const { timeline } = await side(
      'library-memjs',
      { ...cluster, ready },
      [
        cacheClients({ ...COMMON, ...ENTRY, ...login, protocol: 'binary', connections: 20, onTimeout: 'reconnect', tenant: 'ours' }),
        libraryClients({ ...COMMON, ...login, library: 'memjs', connections: 20, tenant: 'library' }),
      ],
      [{ ...FAULT, fault: pause('mc-1') }],
    );
    for (const who of [ours, theirs]) {
      const total = sumsOf(timeline.windows, who);
      expect(total).toMatchObject({ due: RATE * SECONDS, misses: 0 });
      const before = sumsOf(timeline.windows, (window) => who(window) && window.at < 3_500);
      expect(before).toMatchObject({ due: RATE * 3.5, answered: RATE * 3.5, failed: {} });
      // Of 3 s without answers, ours lose what was due in all but the last second, which still waits for a connection when they are over; the library loses all but
      // the last 500 ms. A client needs a moment to come back.
      const lost = total.due - total.answered;
      expect(lost).toBeGreaterThan(RATE * 1.5);
      expect(lost).toBeLessThan(RATE * 4);
      const after = sumsOf(timeline.windows, (window) => who(window) && window.at >= 8_500);
      expect(after.answered).toBe(after.due);
    }
  });
});
