/**
 * unreachable-name: a name stands for an address at which nobody answers, for those who are told so.
 *
 * On the wire: the cluster's name service answers their questions for the name with an address of the run's own network that takes every packet and answers none (its own, behind a rule that drops
 * all but questions). A connect is neither made nor refused: the kernel sends its SYN again after 1, 3 and 7 s, until the program gives up.
 *
 * It does not: send anything to an address outside of the run, nor move connections that stand, nor touch what is dialled over a link.
 *
 * Proof: questions that are asked in the place of those who are lied to are answered with such an address, and a connect from there to it, at the node's port, is met by silence; others, and
 * other names, are answered rightly.
 *
 * Needs: a cluster in which that hop is dialled by name (`byName`).
 *
 * Ends by itself: 8 s after the last word of its run, by the name service.
 */
import { PATIENCE_MS } from '../probing.ts';
import { namesFault } from './kind.ts';

export interface UnreachableName {
  readonly kind: 'unreachable-name';
  readonly of: string;
  readonly name: string;
}

/** The nodes of `of` are told that the names of the nodes of `name` stand for an address at which nobody answers. */
export const unreachableName = (of: string, { name }: { readonly name: string }): UnreachableName => ({ kind: 'unreachable-name', of, name });

const QUESTION_PATIENCE_MS = 1_000;

export const unreachableNameKind = namesFault<UnreachableName>({
  kind: 'unreachable-name',
  summary: 'a name stands for an address where nobody answers, for some who ask',
  example: unreachableName('client-1', { name: 'mc-1' }),
  provingMs: () => 500 + PATIENCE_MS,
  phrase: ({ name }) => `${name} resolves to nobody`,
  lie: () => ({ kind: 'nobody' }),
  patienceMs: () => QUESTION_PATIENCE_MS,
  asked: ({ name }) => `${name} resolves to an address that is silent`,
  async bites({ asker, name, resolved }, _fault, { nodes }) {
    const [address] = resolved.kind === 'address' && resolved.addresses.length === 1 ? resolved.addresses : [];
    // A node that is silent for a reason of its own is not nobody.
    if (address === undefined || nodes.some((node) => node.address === address)) return false;
    return (await asker.ask(name, address, PATIENCE_MS)).kind === 'silent';
  },
});
