/** Connections on a real memcached, each load from a client node of its own: what the engine tells held against the kernel's tables at both ends. */
import { describe, expect, it } from 'vitest';
import { drill, goodput } from '../../harness/index.ts';
import type { LoadSpec } from '../../harness/run/types.ts';
import type { Timeline } from '../../harness/timeline/types.ts';
import { bareCache } from '../cache.ts';
import { memcached } from '../memcached/index.ts';
import { performed, sumsOf } from '../run.fixture.ts';
import { type CacheConnectionsOptions, cacheConnections } from './connections.ts';

const SECONDS = 8;

/** Straight to memcached, past the link: where both ends are the two ends of the same connections. */
function direct(options: Omit<CacheConnectionsOptions, 'entry' | 'timeout'>): LoadSpec {
  const load = cacheConnections({ ...options, entry: 'mc-1', timeout: '1s' });
  const settings = { ...(load.program.settings as object), entry: '${host:mc-1}:11211' };
  return { ...load, program: { ...load.program, settings } };
}

/** The values of a gauge at a node in a stretch of time, in order. */
const gauge = (timeline: Timeline, node: string, name: string, fromMs: number, toMs: number) =>
  timeline.gauges.filter((one) => one.node === node && one.name === name && one.at >= fromMs && one.at < toMs).map(({ value }) => value);

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

describe('connections on a real memcached', () => {
  it('are open, closed and opened again at both ends as the loads say', async () => {
    const clients = bareCache({ clients: 3 });
    const cache = { ...memcached('mc-1', { maxConnections: 8_192 }), watchSockets: true };
    const { timeline } = await performed(
      drill({
        id: 'connections',
        story: 'a flood, churn and a herd at the same time',
        duration: `${SECONDS}s`,
        load: [
          direct({ behaviour: { flood: 2_000, rate: '1000/s' }, node: 'client-1', tenant: 'flood' }),
          direct({ behaviour: { churn: '50/s' }, node: 'client-2', tenant: 'churn' }),
          direct({ behaviour: { herd: 200, every: '3s', spread: '500ms' }, node: 'client-3', tenant: 'herd' }),
        ],
        steps: [],
        slos: { answers: goodput({ atLeast: '99%', when: 'before' }) },
        variants: { one: { title: 'straight', cluster: { ...clients, nodes: clients.nodes.map((node) => (node.name === 'mc-1' ? cache : node)) } } },
      }),
    );
    expect(timeline.aborted).toBeUndefined();
    // A round of the herd at 0, 3 and 6 s.
    for (const [tenant, due] of [
      ['flood', 2_000],
      ['churn', 50 * SECONDS],
      ['herd', 600],
    ] as const)
      expect(sumsOf(timeline.windows, ({ series }) => series.tenant === tenant)).toMatchObject({ due, answered: due, failed: {} });
    expect(new Set(timeline.windows.map(({ series }) => `${series.operation} ${series.shard}`))).toEqual(new Set(['connect *']));

    // In the fifth second the flood is open and the herd at rest.
    const at = (node: string, name: string) => gauge(timeline, node, name, 4_000, 5_000);
    expect(new Set(at('client-1', 'connections.open'))).toEqual(new Set([2_000]));
    expect(new Set(at('client-1', 'sockets.ESTABLISHED'))).toEqual(new Set([2_000]));
    expect(new Set(at('client-3', 'connections.open'))).toEqual(new Set([200]));
    expect(new Set(at('client-3', 'sockets.ESTABLISHED'))).toEqual(new Set([200]));
    // One of the churn's may be open in the moment of a reading.
    expect(Math.abs(median(at('mc-1', 'sockets.ESTABLISHED')) - 2_200)).toBeLessThanOrEqual(3);
    // The client closes first, and keeps what it has closed for 60 s: by then one for each connect of the churn, and of the herd's first round.
    const kept = at('client-2', 'sockets.TIME_WAIT').at(-1) ?? 0;
    expect(kept).toBeGreaterThan(50 * 4 - 10);
    expect(kept).toBeLessThan(50 * 5 + 10);
    expect(at('client-3', 'sockets.TIME_WAIT').at(-1)).toBe(200);
    // The herd is gone and comes back within half a second; nothing was lost to the far end.
    const herd = gauge(timeline, 'client-3', 'connections.open', 3_000, 3_500);
    expect(Math.min(...herd)).toBeLessThan(150);
    expect(gauge(timeline, 'client-3', 'connections.open', 3_700, 3_900)).toContain(200);
    for (const node of ['client-1', 'client-2', 'client-3']) expect(Math.max(...gauge(timeline, node, 'connections.lost', 0, SECONDS * 1_000))).toBe(0);
  });

  it('count what half-closed, slow and never reading clients do to it', async () => {
    const clients = bareCache({ clients: 3 });
    const cache = { ...memcached('mc-1', { maxConnections: 8_192 }), watchSockets: true };
    const { timeline } = await performed(
      drill({
        id: 'connections-ill',
        story: 'clients that behave badly',
        duration: '5s',
        load: [
          direct({ behaviour: { halfClosed: 100, rate: '50/s' }, node: 'client-1', tenant: 'half' }),
          direct({ behaviour: { slowSenders: 50, every: '100ms' }, node: 'client-2', tenant: 'slow' }),
          direct({ behaviour: { neverReading: 20 }, node: 'client-3', tenant: 'deaf' }),
        ],
        steps: [],
        slos: { answers: goodput({ atLeast: '99%', when: 'before' }) },
        variants: { one: { title: 'straight', cluster: { ...clients, nodes: clients.nodes.map((node) => (node.name === 'mc-1' ? cache : node)) } } },
      }),
    );
    expect(timeline.aborted).toBeUndefined();
    for (const [tenant, due] of [
      ['half', 100],
      ['slow', 50],
      ['deaf', 20],
    ] as const)
      expect(sumsOf(timeline.windows, ({ series }) => series.tenant === tenant)).toMatchObject({ due, answered: due, failed: {} });
    const at = (node: string, name: string) => gauge(timeline, node, name, 4_000, 5_000);
    // memcached answers, sees the FIN, and closes: every one of them is lost.
    expect(at('client-1', 'connections.lost.fin').at(-1)).toBe(100);
    expect(at('client-1', 'connections.open').at(-1)).toBe(0);
    expect(new Set(at('client-2', 'connections.open'))).toEqual(new Set([50]));
    expect(new Set(at('client-3', 'connections.open'))).toEqual(new Set([20]));
    // 'get slow-senders:12' and the end of the line are 21 bytes: answered after 2 s and not before.
    const first = timeline.completions.filter(({ series }) => series.tenant === 'slow').map(({ firstAnswerAt = Number.POSITIVE_INFINITY }) => firstAnswerAt);
    expect(Math.min(...first)).toBeGreaterThan(1_900);
    expect(at('mc-1', 'sockets.ESTABLISHED').at(-1)).toBe(70);
  });
});
