/**
 * What must be taken away before we end, however we end, and takes time: containers. Programs and files go by themselves.
 */
import { messageOf } from '../../harness/core/errors.ts';

const cleanUps = new Set<() => Promise<void>>();

/** Has `remove` called if we are interrupted. Answers with the call that does it now, once. */
export function whenEnding(remove: () => Promise<void>): () => Promise<void> {
  cleanUps.add(remove);
  return async () => {
    if (cleanUps.delete(remove)) await remove();
  };
}

/** Does all that is left; says what could not be done. */
export async function cleanUp(say: (line: string) => void): Promise<void> {
  const left = [...cleanUps];
  cleanUps.clear();
  for (const outcome of await Promise.allSettled(left.map((remove) => remove()))) if (outcome.status === 'rejected') say(messageOf(outcome.reason));
}
