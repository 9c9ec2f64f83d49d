import { describe, expect, it } from 'vitest';
import type { ClusterSpec, LinkSpec, NodeSpec } from '../cluster/spec.ts';
import { type Hop, hopsOf } from './flows.ts';
import { portNeed } from './needs.ts';
import type { LoadSpec, Plan } from './types.ts';

const program = { node: 'client-1', program: 'x', settings: {} };

/** Nodes that open one connection onwards for each that they take, and the links between them, as 'a -> b'. */
function clusterOf(names: readonly string[], links: readonly string[]): ClusterSpec {
  const tool = { image: 'x', program: 'x', sources: [] };
  return {
    title: 'x',
    nodes: names.map((name): NodeSpec => ({ name, role: name, image: 'x', command: [], port: 1, memoryMiB: 64, needs: { onwards: 'one for each' } })),
    links: links.map((link): LinkSpec => {
      const [from = '', to = ''] = link.split(' -> ');
      return { from, to, port: 1 };
    }),
    ready: program,
    tools: { toxiproxyImage: 'x', hand: tool, reaper: tool },
  };
}

const loadInto = (entry: string, connections: number): LoadSpec => ({
  name: entry,
  node: 'client-1',
  title: 'x',
  program: { ...program, settings: { entry: `\${host:${entry}}` } },
  ratePerSecond: connections * 10,
  connections,
  longestRequestMs: 1_000,
  shards: ['end'],
});

const flows = (cluster: ClusterSpec, ...load: LoadSpec[]) =>
  hopsOf({ cluster, load, durationMs: 60_000 }).map((hop) => `${hop.from} -> ${hop.to}: ${hop.connections}, ${hop.requestsPerSecond}/s`);

describe('the flow of a load', () => {
  it('goes on from a node only when all that leads to it has arrived, whichever is met first', () => {
    const links = ['edge -> proxy', 'proxy -> cache', 'cache -> end'];
    const names = ['cache', 'proxy', 'edge', 'end'];
    // Met in this order: cache, edge, end, proxy.
    expect(flows(clusterOf(names, links), loadInto('cache', 1), loadInto('edge', 20))).toEqual([
      'client-1 -> cache: 1, 10/s',
      'client-1 -> edge: 20, 200/s',
      'edge -> proxy: 20, 200/s',
      'proxy -> cache: 20, 200/s',
      'cache -> end: 21, 210/s',
    ]);
    expect(flows(clusterOf(names, links), loadInto('edge', 20), loadInto('cache', 1)).toSorted()).toEqual(
      flows(clusterOf(names, links), loadInto('cache', 1), loadInto('edge', 20)).toSorted(),
    );
  });

  it('begins with the node that was met first where links lead in a circle', () => {
    const cluster = clusterOf(['two', 'one', 'end'], ['two -> one', 'one -> two', 'two -> end']);
    expect(flows(cluster, loadInto('one', 8))).toEqual(['client-1 -> one: 8, 80/s', 'one -> two: 8, 80/s', 'two -> one: 4, 40/s', 'two -> end: 4, 40/s']);
  });
});

describe('the ports of a plan', () => {
  const hop = (from: string, to: string, connections: number, byLink: boolean, connectsPerSecond = 0): Hop => ({
    from,
    to,
    port: 1,
    byLink,
    connections,
    connectsPerSecond,
    connectsPerMinute: connectsPerSecond * 60,
    requestsPerSecond: 0,
  });
  const needOf = (...hops: Hop[]) => portNeed({ durationMs: 300_000 } as Plan, hops);

  it.each<[string, Hop[], string, number]>([
    ['where most is held', [hop('a', 'x', 10, false), hop('b', 'x', 30, false), hop('c', 'x', 20, false)], 'b to x', 30],
    [
      'where most is held and kept for a minute behind the last one',
      [hop('a', 'x', 1_000, false), hop('b', 'x', 10, false, 100), hop('c', 'x', 10, false, 10)],
      'b to x',
      6_010,
    ],
    [
      'from Toxiproxy, where links of several nodes lead to one',
      [hop('a', 'x', 10, true), hop('b', 'x', 12, true), hop('a', 'y', 21, true)],
      'Toxiproxy to x',
      22,
    ],
    ['from a node, by a link and beside it together', [hop('a', 'x', 10, true), hop('a', 'x', 5, false), hop('b', 'y', 14, false)], 'a to x', 15],
    ['directly, with which Toxiproxy has nothing to do', [hop('a', 'x', 10, false), hop('b', 'x', 10, false), hop('c', 'y', 11, false)], 'c to y', 11],
  ])('are those of the fullest pair: %s', (_, hops, who, count) => {
    for (const order of [hops, hops.toReversed()]) expect(needOf(...order)).toMatchObject({ who, count });
  });

  it('are none where nothing connects', () => {
    expect(needOf()).toBeUndefined();
  });
});
