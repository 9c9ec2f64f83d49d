import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { aftershock, temporaryFolder } from '../../harness/cli/spawned.fixture.ts';
import { drill, goodput, latency, percentile } from '../../harness/index.ts';
import { performed, sumsOf } from '../run.fixture.ts';
import { redisClients } from './clients.ts';
import { bareRedis } from './index.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

describe('a drill on Redis', () => {
  it('is planned as the page on protocols writes it down', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/protocols.md'), 'utf8');
    const [, text = ''] = /```ts\n(import { drill.*?)```/s.exec(page) ?? [];
    const { code, stdout, stderr } = await aftershock(['plan', folder.file('slow-redis.ts', text)]).finished;
    expect(stderr).toBe('');
    expect(stdout).toMatch(/one Redis.*client-1 -> redis-1.*500\/s over 100 connections, 90% get/s);
    expect(code).toBe(0);
  });

  it('is run and judged as any other: its load is answered, and a slow link is seen', async () => {
    const { report, timeline } = await performed(
      drill({
        id: 'slow-redis',
        story: 'the link to Redis becomes slow',
        duration: '10s',
        load: [
          redisClients({
            rate: '500/s',
            // Each carries ten requests a second while an answer takes 100 ms: 500 / 10 = 50, and as many again.
            connections: 100,
            mix: { get: '90%', set: '10%' },
            valueBytes: { from: 0, to: 2_000 },
            deadline: '1s',
            timeout: '500ms',
            onTimeout: 'reconnect',
          }),
        ],
        steps: [{ at: '4s', for: '3s', fault: latency('client-1 -> redis-1', '100ms') }],
        slos: { answers: goodput({ atLeast: '95%', when: 'during' }), quick: percentile(99, { under: '90ms', when: 'during' }) },
        variants: { one: { title: 'one Redis', cluster: bareRedis(), misses: ['quick'] } },
      }),
    );
    expect(report.results.map(({ name, verdict }) => `${name} ${verdict.status}`)).toEqual(['answers met', 'quick missed']);
    // 500/s for 10 s, every one of them answered, and every key was stored before.
    expect(sumsOf(timeline.windows, () => true)).toMatchObject({ due: 5_000, answered: 5_000, misses: 0, failed: {} });
    expect(new Set(timeline.windows.map(({ series }) => series.shard))).toEqual(new Set(['redis-1']));
    const p50Ms = (from: number, to: number) =>
      Math.max(
        ...timeline.windows.filter(({ at, due }) => at >= from && at < to && due > 20).map(({ latency: histogram }) => histogram.percentile(50) / 1_000),
      );
    expect(p50Ms(1_000, 3_500)).toBeLessThan(50);
    expect(p50Ms(4_500, 6_500)).toBeGreaterThanOrEqual(99);
  });
});
