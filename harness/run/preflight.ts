/** What a plan's faults need of the engine and its kernel, asked before anything of a cluster starts. */
import type { Engine } from '../cluster/engine.ts';
import type { ClusterSpec } from '../cluster/spec.ts';
import { EnvironmentError } from '../core/errors.ts';
import type { FaultKind } from '../faults/fault.ts';
import { type Fault, faultKind } from '../faults/index.ts';

/** Throws EnvironmentError naming the first fault that cannot be done here, and what it lacks. Each kind is asked once, and then each fault. */
export async function refuseLacking(
  faults: readonly Fault[],
  engine: Engine,
  tools: ClusterSpec['tools'],
  kindOf: (fault: Fault) => Pick<FaultKind<Fault>, 'kind' | 'lacks' | 'lacksFor'> = faultKind,
): Promise<void> {
  const kinds = [...new Set(faults.map(kindOf))];
  const answers = await Promise.all([
    ...kinds.map(async (kind) => ({ name: kind.kind, why: await kind.lacks?.(engine) })),
    ...faults.map(async (fault) => ({ name: fault.kind, why: await kindOf(fault).lacksFor?.(fault, engine, tools) })),
  ]);
  const lacking = answers.find(({ why }) => why !== undefined);
  if (lacking) throw new EnvironmentError(`fault '${lacking.name}' cannot be done here: ${lacking.why}`);
}
