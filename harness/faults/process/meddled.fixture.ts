/** The means to have a cluster do something else than it is told to. */
import type { Cluster, Disturbance, Node } from '../../cluster/types.ts';

/** The same cluster, where one node does something else than it is told to. */
export function meddled(cluster: Cluster, name: string, acts: Partial<Node>): Cluster {
  const stoodIn = (node: Node) => new Proxy(node, { get: (target, key) => Reflect.get(key in acts ? acts : target, key) as unknown });
  return { ...cluster, nodes: cluster.nodes.map((node) => (node.name === name ? stoodIn(node) : node)) };
}

/** Nothing was done, and nobody misses it. */
export const NOTHING: Disturbance = { undo: async () => undefined, missing: async () => undefined };
