/** Names by which nodes reach each other, where a cluster has any, and what can be told of them. */
import type { NodeName } from '../core/names.ts';

/** Reserved for tests (RFC 6761), so that no name of ours is anybody's. The engine's own name service answers for short names itself, and never forwards them. */
export const DOMAIN = 'aftershock.test';

/** 'mc-1' to 'mc-1.aftershock.test'. */
export function fullName(node: NodeName): string {
  return `${node}.${DOMAIN}`;
}

/** What somebody is told of a name instead of the truth. */
export type NameLie =
  /** The address of another node. */
  | { readonly kind: 'other'; readonly node: NodeName }
  /** An address that is there and at which nobody answers: packets vanish. */
  | { readonly kind: 'nobody' }
  /** No address: an error, that there is no such name, or not a word. */
  | { readonly kind: 'none'; readonly how: 'servfail' | 'nxdomain' | 'silence' }
  /** The truth, so much later. */
  | { readonly kind: 'late'; readonly byMs: number };

/** How a question for a name ended. `ms` counts from asking. */
export type Resolved =
  | { readonly kind: 'address'; readonly addresses: readonly string[]; readonly ms: number }
  | { readonly kind: 'servfail' | 'nxdomain'; readonly ms: number }
  /** Nothing came within the patience of the question. */
  | { readonly kind: 'silence'; readonly ms: number };
