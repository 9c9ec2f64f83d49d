/** Which faults cannot be in force on one target at one time. */
import type { Aspect, FaultKind } from './fault.ts';

type Kind = Pick<FaultKind<{ readonly kind: string }>, 'kind' | 'alters' | 'needs'>;

/** Undefined when two kinds go together; otherwise what one of them alters and the other's proof needs, or 'kind' for two of one kind. */
export function clashOf(one: Kind, other: Kind): Aspect | 'kind' | undefined {
  if (one.kind === other.kind) return 'kind';
  return one.alters.find((aspect) => other.needs.includes(aspect)) ?? other.alters.find((aspect) => one.needs.includes(aspect));
}
