/** Clusters that were left standing on purpose: which one somebody means. */
import { EnvironmentError, InputError, unknownName } from '../core/errors.ts';

/**
 * The one whose id is, or begins with, what was given; the only one, where nothing was. Throws InputError naming them where it cannot be told which one is meant, and EnvironmentError where
 * there is none.
 */
export function chosenCluster(known: readonly string[], wanted: string | undefined, where: string): string {
  if (wanted !== undefined) {
    const fitting = known.filter((id) => id === wanted || id.startsWith(wanted));
    if (fitting.length !== 1 || wanted === '') throw unknownName('cluster', wanted, known);
    return fitting[0] as string;
  }
  if (known.length === 0) throw new EnvironmentError('no cluster stands; start one: npx aftershock up SCENARIO');
  if (known.length > 1) throw new InputError(`${where}: ${known.length} clusters stand; write one of ${known.join(', ')}`);
  return known[0] as string;
}
