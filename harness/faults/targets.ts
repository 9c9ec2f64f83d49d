/** What faults act on: the links or nodes that a pattern names, and which nodes the load cannot reach well for it. */
import { matches, matchingLinks, type NodeName } from '../core/names.ts';

interface Links {
  readonly links: readonly { readonly from: NodeName; readonly to: NodeName }[];
}

interface Nodes {
  readonly nodes: readonly { readonly name: NodeName }[];
}

/** The nodes at the far ends of the links that a pattern names: those behind the fault. */
export function farEnds(pattern: string, { links }: Links): NodeName[] {
  return [...new Set(matchingLinks(pattern, links).map((link) => link.to))];
}

/** The nodes that a pattern names. */
export function matchingNodes<N extends { readonly name: NodeName }>(pattern: string, nodes: readonly N[]): N[] {
  return nodes.filter((node) => matches(pattern, node.name));
}

/** Their names. */
export function namesOfMatching(pattern: string, { nodes }: Nodes): NodeName[] {
  return matchingNodes(pattern, nodes).map((node) => node.name);
}

/** Why a fault cannot be done to the nodes of a pattern, when one of them does not have what it needs: its words behind the node's name, and who has it. */
export function misfitOf<N extends { readonly name: NodeName }>(
  pattern: string,
  nodes: readonly N[],
  has: (node: N) => boolean,
  words: string,
): string | undefined {
  const lacking = matchingNodes(pattern, nodes).find((node) => !has(node));
  if (!lacking) return undefined;
  const able = nodes.filter(has).map(({ name }) => name);
  return `'${lacking.name}' ${words}; allowed: ${able.join(', ') || 'no node of this cluster'}`;
}
