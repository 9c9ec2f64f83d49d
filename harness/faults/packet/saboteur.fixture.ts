/** A cluster whose nodes put other rules in force than they were told to: what a proof must not be taken in by. */
import type { Cluster, NetworkHand, Node } from '../../cluster/types.ts';

/** The same cluster, but for what every script of a fault at `name` becomes; and, where it is deaf, that rules which are to be replaced stay as they are. */
export function sabotaged(cluster: Cluster, name: string, spoil: (script: string) => string, deaf = false): Cluster {
  return { ...cluster, nodes: cluster.nodes.map((node) => (node.name === name ? withNetwork(node, spoil, deaf) : node)) };
}

function withNetwork(node: Node, spoil: (script: string) => string, deaf: boolean): Node {
  const network = async (): Promise<NetworkHand> => {
    const hand = await node.network();
    return {
      nft: async (script) => {
        if (!(deaf && script.startsWith('flush chain'))) await hand.nft(script);
      },
      counted: (family, table, counter) => hand.counted(family, table, counter),
      elements: (family, table, set) => hand.elements(family, table, set),
      rules: (family, table) => hand.rules(family, table),
      send: (datagrams) => hand.send(datagrams),
      farEnds: (port) => hand.farEnds(port),
      count: (table, script) => hand.count(table, script),
      lend: (lease, script) => hand.lend(lease, { ...script, begin: spoil(script.begin) }),
    };
  };
  // Its port and its address are asked of the node each time, since it may move.
  return new Proxy(node, { get: (target, key) => (key === 'network' ? network : Reflect.get(target, key)) });
}
