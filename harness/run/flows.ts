/**
 * How a plan's loads spread over its hops: connections and requests, from the clients' entries along links and names to the last node. Every split is even, which
 * is what the balancers here do with connections that live long.
 */
import type { ClusterSpec, LinkSpec, NodeSpec } from '../cluster/spec.ts';
import { linkName } from '../core/names.ts';
import type { LoadSpec, Plan } from './types.ts';

/** What goes over a hop, at its most. */
export interface Flow {
  readonly connections: number;
  readonly connectsPerSecond: number;
  /** The most in any minute. */
  readonly connectsPerMinute: number;
  readonly requestsPerSecond: number;
}

/** One way from a node to another: over a link it is two TCP connections with Toxiproxy between them, else one. */
export interface Hop extends Flow {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly byLink: boolean;
}

/** The hops that anything goes over: those of the loads first, then from node to node. */
export function hopsOf({ cluster, load, durationMs }: Pick<Plan, 'cluster' | 'load' | 'durationMs'>): Hop[] {
  const hops = new Map<string, Hop>();
  const into = new Map<string, Flow>();
  const cross = (hop: Hop) => {
    const key = `${hop.byLink} ${linkName(hop.from, hop.to)}`;
    hops.set(key, { ...hop, ...sum(hops.get(key), hop) });
    into.set(hop.to, sum(into.get(hop.to), hop));
  };
  for (const source of load) {
    const entries = entriesOf(source, cluster);
    const flow = { connections: source.connections + leakedBy(source, durationMs), ...ratesOf(source) };
    for (const entry of entries) cross({ from: source.node, ...entry, ...split(flow, entries.length) });
  }
  for (const { name, needs } of inOrder(cluster, [...into.keys()])) {
    const onward = waysOf(cluster).filter((way) => way.from === name);
    const { mostConnections = Number.POSITIVE_INFINITY, onwards } = needs ?? {};
    const arriving = into.get(name) ?? NOTHING;
    // Who is not taken waits at the door, and nothing is opened onwards for him.
    const taken = { ...arriving, connections: Math.min(arriving.connections, mostConnections) };
    for (const { from, to, port, byLink } of onward) {
      const part = split(taken, onward.length);
      cross({ from, to, port, byLink, ...(onwards === 'one for each' ? part : { ...part, ...NO_CONNECTS, connections: onwards ?? 0 }) });
    }
  }
  return [...hops.values()];
}

/** All ways from a node to another: by links, and those that are dialled by name. */
export function waysOf({ links, byName = [] }: Pick<ClusterSpec, 'links' | 'byName'>): (LinkSpec & Pick<Hop, 'byLink'>)[] {
  return [...links.map((way) => ({ ...way, byLink: true })), ...byName.map((way) => ({ ...way, byLink: false }))];
}

/** The nodes that anything arrives at and goes on from, each after all that lead to it; where ways lead in a circle, the one that was met first is begun with. */
function inOrder(cluster: ClusterSpec, entries: readonly string[]): NodeSpec[] {
  const { nodes } = cluster;
  const ways = waysOf(cluster);
  const goingOn = new Map(nodes.filter((node) => node.needs?.onwards !== undefined).map((node) => [node.name, node]));
  const met = new Set(entries);
  for (const name of met) if (goingOn.has(name)) for (const way of ways) if (way.from === name) met.add(way.to);
  const left = [...met].filter((name) => goingOn.has(name));
  const ordered: NodeSpec[] = [];
  while (left.length > 0) {
    const free = left.findIndex((name) => !ways.some((way) => way.to === name && left.includes(way.from)));
    const [next] = left.splice(Math.max(0, free), 1);
    ordered.push(goingOn.get(next as string) as NodeSpec);
  }
  return ordered;
}

/** What a load asks for whatever it gets. A closed loop waits for its answers, so it asks for nothing. What a leak opens is held, and gives no port back. */
export function ratesOf({
  closedLoop,
  leaks,
  connectsPerSecond = 0,
  connectsPerMinute = connectsPerSecond * 60,
  ratePerSecond,
}: LoadSpec): Omit<Flow, 'connections'> {
  if (closedLoop) return { ...NO_CONNECTS, requestsPerSecond: 0 };
  return { connectsPerSecond, connectsPerMinute: leaks ? 0 : connectsPerMinute, requestsPerSecond: ratePerSecond };
}

/** Connections that a load has forgotten by its end, and that are still open. */
export function leakedBy({ closedLoop, leaks, connectsPerSecond = 0, connectsPerMinute = connectsPerSecond * 60 }: LoadSpec, durationMs: number): number {
  if (!leaks || closedLoop) return 0;
  return openedWithin({ connectsPerSecond, connectsPerMinute }, durationMs / 1_000);
}

/** The most connections that are opened anew in any so many seconds. */
export function openedWithin({ connectsPerSecond, connectsPerMinute }: Pick<Flow, 'connectsPerSecond' | 'connectsPerMinute'>, seconds: number): number {
  return Math.min(connectsPerSecond * seconds, connectsPerMinute * Math.ceil(seconds / 60));
}

/** Where the programs of a load connect to: what its settings ask to have filled in. */
export function entriesOf({ node, program }: Pick<LoadSpec, 'node' | 'program'>, cluster: ClusterSpec): Pick<Hop, 'to' | 'port' | 'byLink'>[] {
  const asked = new Set([...JSON.stringify(program.settings).matchAll(/\$\{(?:link|host):[^}]+\}/g)].map(([placeholder]) => placeholder));
  const along = waysOf(cluster)
    .filter(({ from, to }) => from === node && asked.has(`\${link:${linkName(from, to)}}`))
    .map(({ to, port, byLink }) => ({ to, port, byLink }));
  const direct = cluster.nodes.filter(({ name }) => asked.has(`\${host:${name}}`)).map(({ name, port = 0 }) => ({ to: name, port, byLink: false }));
  return [...along, ...direct];
}

const NO_CONNECTS = { connectsPerSecond: 0, connectsPerMinute: 0 };
const NOTHING: Flow = { connections: 0, ...NO_CONNECTS, requestsPerSecond: 0 };

function sum(one: Flow = NOTHING, other: Flow): Flow {
  return {
    connections: one.connections + other.connections,
    connectsPerSecond: one.connectsPerSecond + other.connectsPerSecond,
    connectsPerMinute: one.connectsPerMinute + other.connectsPerMinute,
    requestsPerSecond: one.requestsPerSecond + other.requestsPerSecond,
  };
}

function split(flow: Flow, ways: number): Flow {
  return {
    connections: flow.connections / ways,
    connectsPerSecond: flow.connectsPerSecond / ways,
    connectsPerMinute: flow.connectsPerMinute / ways,
    requestsPerSecond: flow.requestsPerSecond / ways,
  };
}
