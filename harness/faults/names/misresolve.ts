/**
 * misresolve: a name stands for another node than it should, for those who are told so, and for nobody else.
 *
 * On the wire: the cluster's name service answers their questions for the name with the other node's address, at once and without an error. Whoever connects anew connects to that node, at the
 * port of the one that he wants: where both serve the same port he is answered, by the wrong one; otherwise he is refused.
 *
 * It does not: move connections that stand, or touch what is dialled over a link, which has an address.
 *
 * Proof: questions that are asked in the place of those who are lied to are answered with the other node's address; others, and other names, with the right one.
 *
 * Needs: a cluster in which that hop is dialled by name (`byName`).
 *
 * Ends by itself: 8 s after the last word of its run, by the name service.
 */
import { z } from 'zod';
import { matches } from '../../core/names.ts';
import { namesFault } from './kind.ts';

export interface Misresolve {
  readonly kind: 'misresolve';
  readonly of: string;
  readonly name: string;
  /** A node. */
  readonly as: string;
}

/** The nodes of `of` are told that the names of the nodes of `name` stand for the node `as`. */
export const misresolve = (of: string, { name, as }: { readonly name: string; readonly as: string }): Misresolve => ({ kind: 'misresolve', of, name, as });

const PATIENCE_MS = 1_000;

export const misresolveKind = namesFault<Misresolve>({
  kind: 'misresolve',
  summary: 'a name stands for another node, for some who ask',
  example: misresolve('client-1', { name: 'mc-1', as: 'mc-2' }),
  fields: {
    as: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, { error: (issue) => `'${String(issue.input)}' is not a node; write the name of one, such as 'mc-2'` }),
  },
  provingMs: () => 500,
  phrase: ({ name, as }) => `${name} resolves to ${as}`,
  lie: ({ as }) => ({ kind: 'other', node: as }),
  patienceMs: () => PATIENCE_MS,
  asked: ({ name, as }) => `${name} resolves to the address of ${as}`,
  bites: ({ resolved }, { as }, cluster) =>
    resolved.kind === 'address' && resolved.addresses.length === 1 && resolved.addresses[0] === cluster.node(as).address,
  misfit: ({ name, as }, nodes) => {
    if (!nodes.some((node) => node.name === as)) return `as: there is no node '${as}'; known: ${nodes.map((node) => node.name).join(', ')}`;
    return matches(name, as) ? `as: '${as}' is what its own name stands for; name another node, or leave it out of '${name}'` : undefined;
  },
});
