/** When what a fault has put into a network namespace went by somebody else's doing: with its node, or with the hand that had lent it. */
import type { NetworkHand } from '../../cluster/types.ts';
import { NotRunningError } from '../../core/errors.ts';

/** With a node that has ended, its namespace has, too, and all that was in it. Throws whatever else went wrong. */
export function toldWhenEnded(thrown: unknown): string {
  if (thrown instanceof NotRunningError) return `${thrown.message} any more`;
  throw thrown;
}

/**
 * The hand that had lent it is gone: another one removes what the kernel has not ended yet. Where the node does not run any more, nothing is left to be taken back. Throws what went wrong when that
 * is something else.
 */
export async function removedByAnother(thrown: unknown, hand: NetworkHand, find: () => Promise<NetworkHand>, script: string): Promise<void> {
  const another = await find().catch((failure: unknown) => {
    if (failure instanceof NotRunningError) return undefined;
    throw failure;
  });
  if (another === hand) throw thrown;
  await another?.nft(script);
}
