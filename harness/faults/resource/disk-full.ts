/**
 * disk-full: one of a node's filesystems has no room any more, not a byte.
 *
 * On the wire: whatever the node makes of a write that fails with ENOSPC. A program that only logs goes on without its log; a store that keeps a file of all writes refuses them, or ends itself; a database stops. Only
 * a filesystem in memory that is the node's own (`tmpfs` in its specification) is ever filled, never a real disk. By a file without a name that a program of ours within the node has open, and
 * that takes what others give up, ten times a second.
 *
 * It does not: damage a file, or take inodes. What is taken counts as memory of the node.
 *
 * Proof: a write of 4 KiB there fails for want of room, and the filesystem tells less than that free. Healed: it succeeds, and at least three quarters of what was free before are free (the node may
 * have written meanwhile; half would not do).
 *
 * Ends by itself: the program lets go when our words stop; and the kernel takes the file back when it is killed, however that came.
 *
 * Needs: a node with such a filesystem, and perl in its image.
 */
import { z } from 'zod';
import { formatBytes } from '../../core/units.ts';
import { misfitOf } from '../targets.ts';
import { numberIn, resourceFault } from './kind.ts';

export interface DiskFull {
  readonly kind: 'disk-full';
  readonly node: string;
  readonly path: string;
}

/** Fills the filesystem at `path` in the nodes that `node` names ('db-1', 'mc-*'). */
export const diskFull = (node: string, options: { readonly path: string }): DiskFull => ({ kind: 'disk-full', node, path: options.path });

const PROBE_BYTES = 4_096;
/** A smaller one is not worth filling, and a probe of it would be most of it. */
const LEAST_FREE_BYTES = 64 * PROBE_BYTES;
const GIVEN_BACK = 0.75;

export const diskFullKind = resourceFault<DiskFull>({
  kind: 'disk-full',
  summary: "one of a node's small filesystems has no room any more",
  example: diskFull('mc-1', { path: '/var/log' }),
  fields: {
    path: z
      .string()
      .regex(/^\/[A-Za-z0-9._/-]*[A-Za-z0-9._-]$/, {
        error: (issue) => `'${String(issue.input)}' is not a path; write one of the node's small filesystems, such as '/var/log'`,
      })
      .describe("the path of one of the node's small filesystems, such as '/var/log'"),
  },
  alters: ['disk', 'memory', 'answers', 'connects', 'timing'],
  needs: ['disk'],
  phrase: ({ path }) => `disk-full ${path}`,
  misfit: ({ node, path }, { nodes }) =>
    misfitOf(
      node,
      nodes,
      ({ tmpfs = {} }) => path in tmpfs,
      `has no small filesystem at '${path}' that could be filled; give it one where the cluster is built, smallDisks: { '${node}': { '${path}': 8 } } for 8 MiB`,
    ),
  provingMs: () => 500,
  asked: () => ({ bites: 'no room (ENOSPC)', gone: 'room as before' }),
  taking: ({ path }, node) => {
    let freeBefore = 0;
    const measured = async () => {
      const of = await node.measure('disk', path);
      const [free, size] = [numberIn(of, 'freeBytes'), numberIn(of, 'sizeBytes')];
      return { free, write: of['write'], told: `${formatBytes(free)} of ${formatBytes(size)} free, a write: ${String(of['write'])}` };
    };
    return {
      before: async () => {
        const { free, write, told } = await measured();
        freeBefore = free;
        return write !== 'written' || free < LEAST_FREE_BYTES ? `has no room at ${path} before the fault (${told})` : undefined;
      },
      disturb: () => node.fillDisk(path),
      bites: async () => {
        const { free, write, told } = await measured();
        return { holds: write === 'ENOSPC' && free < PROBE_BYTES, told };
      },
      isGone: async () => {
        const { free, write, told } = await measured();
        return { holds: write === 'written' && free >= freeBefore * GIVEN_BACK, told };
      },
    };
  },
});
