/** Which nodes of a cluster have small filesystems of their own, which can be filled. */
import type { NodeSpec } from '../harness/cluster/spec.ts';
import { InputError } from '../harness/core/errors.ts';
import { matches } from '../harness/core/names.ts';
import { wholeNumber } from './counts.ts';

/** By node pattern and path, the size in MiB: `{ 'mc-*': { '/var/log': 8 } }`. In memory, and counted as the node's. */
export type SmallDisks = Readonly<Record<string, Readonly<Record<string, number>>>>;

const MOST_MIB = 256;

/** The same nodes, those of each pattern with filesystems of their own. Throws InputError naming what is wrong. */
export function withSmallDisks(disks: SmallDisks | undefined, nodes: readonly NodeSpec[]): readonly NodeSpec[] {
  return Object.entries(disks ?? {}).reduce<readonly NodeSpec[]>((all, [pattern, paths]) => {
    if (!all.some(({ name }) => matches(pattern, name)))
      throw new InputError(`smallDisks: no node fits '${pattern}'; known: ${all.map(({ name }) => name).join(', ')}`);
    for (const [path, mib] of Object.entries(paths)) {
      if (!/^\/[A-Za-z0-9._/-]*[A-Za-z0-9._-]$/.test(path)) throw new InputError(`smallDisks: '${path}' is not a path; write one such as '/var/log'`);
      wholeNumber(`smallDisks.${pattern}.${path}`, mib, 1, MOST_MIB);
    }
    return all.map((node) => (matches(pattern, node.name) ? { ...node, tmpfs: { ...node.tmpfs, ...paths } } : node));
  }, nodes);
}
