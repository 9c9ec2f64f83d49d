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
