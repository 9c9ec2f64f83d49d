/** Which nodes of a cluster can have their wall clocks put wrong. */
import type { NodeSpec } from '../harness/cluster/spec.ts';
import { InputError } from '../harness/core/errors.ts';
import { matches } from '../harness/core/names.ts';

/** Nodes that tell the time by their wall clocks: those that are asked for it, and clients, in which programs run. */
const tells = ({ role, wallClock }: NodeSpec) => role === 'client' || wallClock !== undefined;

/** The same nodes, those of the pattern with a clock that can be put wrong. Throws InputError naming the nodes that can. */
export function withSkewable(pattern: string | undefined, nodes: readonly NodeSpec[]): readonly NodeSpec[] {
  if (pattern === undefined) return nodes;
  const known = nodes.filter(tells).map(({ name }) => name);
  const wanted = nodes.filter(({ name }) => matches(pattern, name));
  if (wanted.length === 0) throw new InputError(`skewable: no node fits '${pattern}'; known: ${known.join(', ')}`);
  const deaf = wanted.find((node) => !tells(node));
  if (deaf) throw new InputError(`skewable: '${deaf.name}' does not go by a wall clock that it tells; allowed: ${known.join(', ')}`);
  return nodes.map((node) => (wanted.includes(node) ? { ...node, skewable: true } : node));
}
