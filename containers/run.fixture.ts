/** A scenario run for real and in this process, for tests that look at what its timeline says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectEngine } from '../harness/cluster/engine.ts';
import { type Executed, execute } from '../harness/run/execute.ts';
import type { Observer } from '../harness/run/observer.ts';
import { planRun } from '../harness/run/plan.ts';
import type { Scenario } from '../harness/run/types.ts';
import type { Window } from '../harness/timeline/types.ts';

/** Runs the scenario's default variant, and tells whoever looks on. Its result folder is gone afterwards. */
export async function performed(scenario: Scenario, seed = 1, onlooker: Partial<Observer> = {}): Promise<Executed> {
  const out = mkdtempSync(join(tmpdir(), 'aftershock-run-'));
  const quiet = () => undefined;
  try {
    return await execute(planRun(scenario, { seed }), {
      engine: await connectEngine(),
      out,
      observer: { stage: quiet, tick: quiet, faults: quiet, note: quiet, ...onlooker },
      interrupts: { signal: new AbortController().signal, skipTearDown: () => false },
      keepOnFailure: false,
    });
  } finally {
    rmSync(out, { recursive: true });
  }
}

export interface Sums {
  readonly due: number;
  readonly answered: number;
  readonly good: number;
  readonly misses: number;
  readonly failed: Readonly<Record<string, number>>;
}

/** What the windows that are chosen add up to. */
export function sumsOf(windows: readonly Window[], chosen: (window: Window) => boolean): Sums {
  const sums = { due: 0, answered: 0, good: 0, misses: 0, failed: {} as Record<string, number> };
  for (const window of windows.filter(chosen)) {
    sums.due += window.due;
    sums.answered += window.answered;
    sums.good += window.good;
    sums.misses += window.misses;
    for (const [kind, count] of Object.entries(window.failed)) sums.failed[kind] = (sums.failed[kind] ?? 0) + count;
  }
  return sums;
}
