/**
 * What a fault of packets is aimed at: nodes or links, all that comes to the port that is served there or only what comes from one node, or to one port. And from where that is looked at: by who
 * should meet it, and, where it is narrowed, by who should not.
 */
import { z } from 'zod';
import { TOXIPROXY } from '../../cluster/spec.ts';
import type { Cluster, NetworkHand, Node, Passage, Prober, Vantage } from '../../cluster/types.ts';
import { InputError } from '../../core/errors.ts';
import { linkEnds, linkName, matchingLinks, type NodeName } from '../../core/names.ts';
import { matchingNodes, namesOfMatching } from '../targets.ts';
import type { Place } from './dose.ts';

/** Narrows a fault on nodes. */
export interface Narrowed {
  /** Only what goes between the target and this node, by its address. What comes over a link comes from Toxiproxy's address: there one names the link. */
  readonly peer?: NodeName;
  /** Only this port of the target's; the one that it serves, when left out. */
  readonly port?: number;
}

export interface OnPassage extends Narrowed {
  readonly kind: string;
  /** Nodes or links, by name or pattern. */
  readonly on: string;
}

export const narrowedFields = {
  peer: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, { error: (issue) => `'${String(issue.input)}' is not the name of a node; write one, such as 'client-1'` })
    .optional(),
  port: z
    .number()
    .refine((port) => Number.isInteger(port) && port >= 1 && port <= 65_535, {
      error: (issue) => `${String(issue.input)} is not a port; write a whole number from 1 to 65535`,
    })
    .optional(),
};

/** For a schema: a link is narrow already. */
export function refuseNarrowedLink(fault: OnPassage, context: z.RefinementCtx): void {
  if (!linkEnds(fault.on)) return;
  for (const key of ['peer', 'port'] as const)
    if (fault[key] !== undefined)
      context.addIssue({ code: 'custom', path: [key], message: `goes with a node, not with a link: '${fault.on}' is one node's way to one port already` });
}

/** ' from client-1, port 22222', for people. */
export function narrowedPhrase({ peer, port }: Narrowed): string {
  return [peer === undefined ? '' : ` for ${peer}`, port === undefined ? '' : ` at port ${port}`].join('');
}

/** Throws InputError for a peer that is not there, or of which nothing arrives under its own address. */
export function checkPeer(
  { on, peer }: OnPassage,
  cluster: { readonly nodes: readonly { readonly name: NodeName }[]; readonly links: readonly { readonly from: NodeName; readonly to: NodeName }[] },
): void {
  if (peer === undefined) return;
  const targets = namesOfMatching(on, cluster);
  const others = cluster.nodes.map(({ name }) => name).filter((name) => !targets.includes(name));
  if (!others.includes(peer)) throw new InputError(`peer: '${peer}' is not another node than those of '${on}'; allowed: ${others.join(', ')}`);
  const link = cluster.links.find(({ from, to }) => from === peer && targets.includes(to));
  if (link)
    throw new InputError(
      `peer: ${peer} reaches ${link.to} over a link, and what comes over links comes from Toxiproxy's address; write on: '${linkName(link.from, link.to)}' instead`,
    );
}

/** Somebody who looks: by exchanges, or by connections alone at a port of which nobody knows what is spoken there; and by datagrams. */
export interface View {
  readonly prober: Prober;
  /** Whether there are exchanges, so that a kept connection tells something. */
  readonly speaks: boolean;
  readonly place: Place;
}

export interface Aim {
  readonly passage: Passage;
  /** In its namespace. */
  readonly hand: NetworkHand;
  readonly port: number;
  /** Its address is asked for at each use, since a node may move. */
  readonly peer?: { readonly name: NodeName; readonly address: string };
  readonly meets: View;
  /** Another address that should meet it too, where it was asked for and there is one. */
  readonly alsoMeets?: View;
  readonly spared: readonly View[];
}

/** The aims of a fault, with their hands and probers: some tenths of a second for each namespace that nobody has been in. */
export async function aimsOf({ on, peer, port }: OnPassage, cluster: Cluster, fromTwo = false): Promise<Aim[]> {
  if (linkEnds(on)) return Promise.all(matchingLinks(on, cluster.links).map(aimAtLink));
  return Promise.all(
    matchingNodes(on, cluster.nodes).map((node) => aimAtNode(node, peer === undefined ? undefined : cluster.node(peer), port, fromTwo && peer === undefined)),
  );
}

async function aimAtLink(link: Passage): Promise<Aim> {
  const [hand, peer, prober] = await Promise.all([link.network(), link.peer(), link.prober()]);
  const { port } = link;
  return { passage: link, hand, port, meets: { prober, speaks: true, place: { passage: link, port, hand, peer } }, spared: [] };
}

async function aimAtNode(node: Node, peer: Node | undefined, port = node.port, fromTwo = false): Promise<Aim> {
  const hand = await node.network();
  const viewed = async (vantage: Vantage): Promise<View> => {
    const [prober, far] = await Promise.all([node.prober(vantage), node.peer(vantage.from)]);
    return { prober, speaks: (vantage.port ?? node.port) === node.port, place: { passage: node, port: vantage.port ?? node.port, hand, peer: far } };
  };
  const from = peer === undefined ? {} : { from: peer.name };
  // Who is not meant is Toxiproxy, by whose address all links come; what is not meant is the port that is served.
  const spared = [...(peer === undefined ? [] : [viewed({ from: TOXIPROXY, port })]), ...(port === node.port ? [] : [viewed(from)])];
  return {
    passage: node,
    hand,
    port,
    ...(peer === undefined ? {} : { peer }),
    meets: await viewed({ ...from, port }),
    ...(fromTwo && { alsoMeets: await viewed({ from: TOXIPROXY, port }) }),
    spared: await Promise.all(spared),
  };
}

/** The rule's part that an aim decides. */
export function aimed({ port, peer }: Aim): { port: number; peer?: string } {
  return peer === undefined ? { port } : { port, peer: peer.address };
}

export async function closeAll(aims: readonly Aim[]): Promise<void> {
  await Promise.all(aims.flatMap(({ meets, alsoMeets, spared }) => [meets, ...(alsoMeets ? [alsoMeets] : []), ...spared].map(({ prober }) => prober.close())));
}
