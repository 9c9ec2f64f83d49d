/** Three memcached, for the tests of what is done to processes: mc-1 and mc-2 by themselves, mc-3 under a supervisor, a shell that starts it again. */
import { bareCache } from '../../../containers/cache.ts';
import { memcached } from '../../../containers/memcached/index.ts';
import type { ClusterSpec, NodeSpec } from '../../cluster/spec.ts';

/** The same node, with a supervisor for its first process. */
export function supervised(node: NodeSpec): NodeSpec {
  return { ...node, command: ['sh', '-c', 'while :; do "$@"; sleep 0.2; done', 'supervisor', ...node.command] };
}

export function caches(): ClusterSpec {
  const bare = bareCache();
  return { ...bare, nodes: [...bare.nodes, memcached('mc-2'), supervised(memcached('mc-3'))] };
}
