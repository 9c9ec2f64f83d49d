/**
 * What a plan's connections and requests take of the engine, hop by hop: descriptors, ports, tracked connections, memory and processor time. Each sum comes with
 * its arithmetic in words. Pure; the limits that they are held against are in `budget.ts`.
 */
import { type HopCost, type NodeSpec, TOXIPROXY_MEMORY_MIB } from '../cluster/spec.ts';
import { type Flow, type Hop, hopsOf, leakedBy, openedWithin, ratesOf } from './flows.ts';
import type { LoadSpec, Plan } from './types.ts';

/** So much of something, in one place, and how it adds up. */
export interface Need {
  /** 'Toxiproxy', "load 'main'", 'edge', 'client-1 to edge'. */
  readonly who: string;
  readonly count: number;
  /** '(2 x 9,500 + 8) connections x 2 descriptors + 75 of its own' */
  readonly sum: string;
}

/** Beside its connections a process holds a few files, pipes and listeners: a load program 21. */
const OWN_DESCRIPTORS = 64;
/** How long a closed connection keeps its port (fixed in the kernel), and how long it stays tracked (nf_conntrack_tcp_timeout_time_wait), s. */
const PORT_KEPT_S = 60;
const TRACKED_KEPT_S = 120;
/** The kernel's own for both ends of a TCP connection: 60,000 of them took 507 MB of slab. */
const KERNEL_BYTES_PER_CONNECTION = 8_400;
/** Measured with 2,000 and 4,000 connections over one link, after a load over them: 45 KiB each, buffers of both directions, and 2 MiB without any. */
const TOXIPROXY_KIB_PER_CONNECTION = 45;
const TOXIPROXY_OWN_MIB = 16;
/** A load program without connections held 45 MiB of its own, and takes up to 3.4 kB for each of them. */
const PROCESS_MIB = 48;
const CLIENT_BYTES_PER_CONNECTION = 3_400;
/** Measured over three links at 2,000/s; and at 52,000/s over one, where it had a core and more to itself. */
const TOXIPROXY_CPU: HopCost = { quietUs: 70, busyUs: 19 };
/**
 * Up to this rate, over the whole plan, requests find a process asleep, and each pays for waking it; beyond it fewer and fewer do. A cache behind two proxies and an edge comes to
 * 1.2 cores at 5,000/s and 1.5 at 8,000/s by this; measured were 1.3, and 1.5 to 1.8. So it is rather too little than too much, and refuses nothing that might fit.
 */
const QUIET_PER_SECOND = 2_000;
/** A load that is woken for each request took 0.4 of a core at 5,000/s, and 0.13 with timers; it is woken 10,000 times a second at most. */
const WAKING_US = 54;
const MOST_WAKINGS = 10_000;
/** 16,000 connections over four TCP hops took two processors 7.5 s: 2 x 7.5 s / 64,000. */
const CONNECT_US = 240;

export const ceiled = (count: number) => Math.ceil(count - 1e-9);

/** 9500.2 to '9,501'. */
export function formatCount(count: number): string {
  return ceiled(count).toLocaleString('en-US');
}

/** Descriptors of each process at its most: every load's programs, Toxiproxy, every node with a port. */
export function descriptorNeeds(plan: Plan, hops: readonly Hop[]): (Need & { readonly node?: NodeSpec })[] {
  const loads = plan.load.map((load) => {
    const { name, processes = 1 } = load;
    const { count, sum } = heldBy([load], plan.durationMs);
    const shared = processes > 1;
    return {
      who: shared ? `each process of load '${name}'` : `load '${name}'`,
      count: ceiled(count / processes) + OWN_DESCRIPTORS,
      sum: `${shared && sum.includes('+') ? `(${sum})` : sum}${shared ? ` / ${processes} processes` : ''} + ${OWN_DESCRIPTORS} of its own`,
    };
  });
  const links = hops.filter((hop) => hop.byLink);
  // Each link has a listener of its own.
  const own = OWN_DESCRIPTORS + plan.cluster.links.length;
  const toxiproxy = {
    who: 'Toxiproxy',
    count: ceiled(connectionsOver(links)) * 2 + own,
    sum: `${tiers(plan, links)} connections x 2 descriptors + ${own} of its own`,
  };
  const nodes = plan.cluster.nodes.filter((node) => node.port !== undefined).map((node) => ({ ...nodeDescriptors(node, plan, hops), node }));
  return [...loads, toxiproxy, ...nodes];
}

function nodeDescriptors(node: NodeSpec, plan: Plan, hops: readonly Hop[]): Need {
  const { mostConnections = Number.POSITIVE_INFINITY, onwards } = node.needs ?? {};
  const into = Math.min(mostConnections, ceiled(connectionsOver(hops.filter((hop) => hop.to === node.name))));
  const links = plan.cluster.links.filter((link) => link.from === node.name).length;
  if (onwards === 'one for each')
    return { who: node.name, count: into * 2 + OWN_DESCRIPTORS, sum: `${formatCount(into)} connections x 2 descriptors + ${OWN_DESCRIPTORS} of its own` };
  const held = (onwards ?? 0) * links;
  return {
    who: node.name,
    count: into + held + OWN_DESCRIPTORS,
    sum: `${formatCount(into)} connections${held > 0 ? ` + ${links} links x ${onwards}` : ''} + ${OWN_DESCRIPTORS} of its own`,
  };
}

/** Descriptors that a node reserves for as many connections as it is set to take: without them it does not start. Undefined where it has no such setting. */
export function reservedDescriptors({ name, needs }: NodeSpec): Need | undefined {
  if (needs?.mostConnections === undefined) return undefined;
  const each = needs.onwards === 'one for each' ? 2 : 1;
  return {
    who: name,
    count: needs.mostConnections * each + OWN_DESCRIPTORS,
    sum: `${formatCount(needs.mostConnections)} connections${each > 1 ? ` x ${each} descriptors` : ''} + ${OWN_DESCRIPTORS} of its own`,
  };
}

/** Ports from one address to one other address and port, where most are taken; undefined when nothing connects. */
export function portNeed(plan: Plan, hops: readonly Hop[]): Need | undefined {
  const seconds = Math.min(PORT_KEPT_S, plan.durationMs / 1_000);
  const pairs = new Map<string, Opened>();
  const add = (pair: string, hop: Hop) => pairs.set(pair, addUp([pairs.get(pair) ?? addUp([]), hop]));
  for (const hop of hops) {
    // Each link has a port of its own at Toxiproxy, which goes on from one address to where the link leads.
    if (hop.byLink) add(`Toxiproxy to ${hop.to}`, hop);
    add(`${hop.from} to ${hop.to}`, hop);
  }
  const needs = [...pairs].map(([who, opened]) => ({
    who,
    count: ceiled(opened.connections + openedWithin(opened, seconds)),
    sum: `${formatCount(opened.connections)} connections${opened.connectsPerMinute > 0 ? ` + ${anew(opened, seconds)} until a port is free again` : ''}`,
  }));
  return needs.toSorted((a, b) => b.count - a.count)[0];
}

/** Connections that the kernel tracks, over all hops: two for each over a link. */
export function trackedNeed(plan: Plan, hops: readonly Hop[]): Need {
  const seconds = Math.min(TRACKED_KEPT_S, plan.durationMs / 1_000);
  const opened = addUp(hops.flatMap((hop) => Array.from({ length: ends(hop) }, () => hop)));
  return {
    who: 'the kernel',
    count: ceiled(opened.connections + openedWithin(opened, seconds)),
    sum: `${formatCount(opened.connections)} connections, hop by hop${opened.connectsPerMinute > 0 ? `, + ${anew(opened, seconds)}` : ''}`,
  };
}

type Opened = Omit<Flow, 'requestsPerSecond'>;

function addUp(flows: readonly Opened[]): Opened {
  const sum = (key: keyof Opened) => flows.reduce((total, flow) => total + flow[key], 0);
  return { connections: sum('connections'), connectsPerSecond: sum('connectsPerSecond'), connectsPerMinute: sum('connectsPerMinute') };
}

/** '467 new ones/s x 60 s', or where their peak does not last '3,000 new ones in a minute'. */
function anew(opened: Opened, seconds: number): string {
  const { connectsPerSecond, connectsPerMinute } = opened;
  if (openedWithin(opened, seconds) === connectsPerSecond * seconds) return `${formatCount(connectsPerSecond)} new ones/s x ${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return `${formatCount(connectsPerMinute)} new ones in a minute${minutes > 1 ? ` x ${minutes}` : ''}`;
}

/** Connections that loads hold at the end of a run, those among them that they have leaked. */
function heldBy(load: readonly LoadSpec[], durationMs: number): { readonly count: number; readonly sum: string } {
  const connections = load.reduce((sum, source) => sum + source.connections, 0);
  const leaked = load.reduce((sum, source) => sum + leakedBy(source, durationMs), 0);
  return {
    count: connections + leaked,
    sum: `${formatCount(connections)} connections${leaked > 0 ? ` + ${formatCount(leaked)} leaked in ${durationMs / 1_000} s` : ''}`,
  };
}

/** Memory of the kernel's, for connections, MiB: it comes on top of what containers hold. */
export function kernelMemoryNeed(hops: readonly Hop[]): Need {
  const connections = tcpConnections(hops);
  return {
    who: 'the kernel',
    count: ceiled((connections * KERNEL_BYTES_PER_CONNECTION) / 2 ** 20),
    sum: `${formatCount(connections)} connections x ${KERNEL_BYTES_PER_CONNECTION / 1_000} kB`,
  };
}

/** Memory inside containers that have a limit, MiB, with that limit: Toxiproxy's, and each client's. */
export function memoryNeeds(plan: Plan, hops: readonly Hop[]): (Need & { readonly limitMiB: number })[] {
  const links = hops.filter((hop) => hop.byLink);
  const toxiproxy = {
    who: 'Toxiproxy',
    count: ceiled(TOXIPROXY_OWN_MIB + (connectionsOver(links) * TOXIPROXY_KIB_PER_CONNECTION) / 1_024),
    sum: `${tiers(plan, links)} connections x ${TOXIPROXY_KIB_PER_CONNECTION} KiB + ${TOXIPROXY_OWN_MIB} MiB of its own`,
    limitMiB: TOXIPROXY_MEMORY_MIB,
  };
  const clients = [...Map.groupBy(plan.load, (load) => load.node)].map(([who, loads]) => {
    const processes = loads.reduce((sum, load) => sum + (load.processes ?? 1), 0);
    const held = heldBy(loads, plan.durationMs);
    const of = held.sum.includes('+') ? `(${held.sum})` : held.sum;
    const keysMiB = loads.reduce((sum, { memoryMiB = 0, processes = 1 }) => sum + memoryMiB * processes, 0);
    return {
      who,
      count: ceiled(processes * PROCESS_MIB + keysMiB + (held.count * CLIENT_BYTES_PER_CONNECTION) / 2 ** 20),
      sum: `${processes} ${processes === 1 ? 'process' : 'processes'} x ${PROCESS_MIB} MiB${keysMiB > 0 ? ` + ${formatCount(keysMiB)} MiB of keys or virtual users` : ''} + ${of} x ${CLIENT_BYTES_PER_CONNECTION / 1_000} kB`,
      limitMiB: plan.cluster.nodes.find((node) => node.name === who)?.memoryMiB ?? Number.POSITIVE_INFINITY,
    };
  });
  return [toxiproxy, ...clients];
}

/** Processor time that these loads take, cores: by load, Toxiproxy, role of node, and for connecting. An estimate from costs measured on two processors. */
export function coreNeeds(plan: Plan, load: readonly LoadSpec[] = plan.load): Need[] {
  const hops = hopsOf({ ...plan, load });
  const total = load.reduce((sum, source) => sum + ratesOf(source).requestsPerSecond, 0);
  const need = (who: string, perSecond: number, cost: HopCost | undefined): Need[] => {
    if (cost === undefined || perSecond === 0) return [];
    const us = cost.busyUs + (cost.quietUs - cost.busyUs) * Math.min(1, QUIET_PER_SECOND / total);
    return [{ who, count: (perSecond * us) / 1e6, sum: `${formatCount(perSecond)}/s x ${Math.round(us)} us` }];
  };
  const nodes = plan.cluster.nodes;
  const loads = load.flatMap((source) =>
    need(`load '${source.name}'`, ratesOf(source).requestsPerSecond, nodes.find((node) => node.name === source.node)?.needs?.cpuUs),
  );
  const wakings = load
    .filter(({ exactPacing }) => exactPacing)
    .map(({ name, ratePerSecond, processes = 1 }) => {
      // Each process has a thread of its own for it.
      const perSecond = Math.min(MOST_WAKINGS * processes, ratePerSecond);
      return { who: `pacing of load '${name}'`, count: (perSecond * WAKING_US) / 1e6, sum: `${formatCount(perSecond)}/s x ${WAKING_US} us` };
    });
  const overLinks = hops.filter((hop) => hop.byLink).reduce((sum, hop) => sum + hop.requestsPerSecond, 0);
  const roles = [
    ...Map.groupBy(
      nodes.filter((node) => node.port !== undefined),
      (node) => node.role,
    ),
  ].flatMap(([role, members]) => {
    const into = hops.filter((hop) => members.some((node) => node.name === hop.to)).reduce((sum, hop) => sum + hop.requestsPerSecond, 0);
    return need(role, into, members[0]?.needs?.cpuUs);
  });
  const connects = hops.reduce((sum, hop) => sum + hop.connectsPerSecond * ends(hop), 0);
  const connecting = connects > 0 ? [{ who: 'connecting', count: (connects * CONNECT_US) / 1e6, sum: `${formatCount(connects)}/s x ${CONNECT_US} us` }] : [];
  return [...loads, ...wakings, ...need('Toxiproxy', overLinks, TOXIPROXY_CPU), ...roles, ...connecting];
}

function ends(hop: Hop): number {
  return hop.byLink ? 2 : 1;
}

function tcpConnections(hops: readonly Hop[]): number {
  return hops.reduce((sum, hop) => sum + hop.connections * ends(hop), 0);
}

export function connectionsOver(hops: readonly Hop[]): number {
  return hops.reduce((sum, hop) => sum + hop.connections, 0);
}

/** '(2 x 9,500 + 8)': the connections between each two roles, those that are alike together. */
function tiers(plan: Plan, hops: readonly Hop[]): string {
  const roleOf = (name: string) => plan.cluster.nodes.find((node) => node.name === name)?.role ?? name;
  const counts = [...Map.groupBy(hops, (hop) => `${roleOf(hop.from)} ${roleOf(hop.to)}`).values()].map((tier) => formatCount(connectionsOver(tier)));
  const terms = [...Map.groupBy(counts, (count) => count)].map(([count, alike]) => (alike.length > 1 ? `${alike.length} x ${count}` : count));
  return terms.length > 1 ? `(${terms.join(' + ')})` : (terms[0] ?? '0');
}
