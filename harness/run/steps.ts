/** One step of a scenario: its probes, its injection, its proofs and its healing, each at its moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/types.ts';
import { messageOf } from '../core/errors.ts';
import type { Injected } from '../faults/fault.ts';
import { faultKind } from '../faults/index.ts';
import type { Mark, Proof } from '../timeline/types.ts';
import { unlessAborted } from './abort.ts';
import type { RunLog } from './log.ts';
import type { PlannedStep } from './types.ts';

/** The probes measure what is normal this long before the fault. */
const PREPARE_BEFORE_MS = 1_000;
/** A fault that is healed later than this after its time was another fault than the plan's. */
const MOST_OVERTIME_MS = 500;
/** A look takes some milliseconds; a fault that is lost is noticed within twice this. */
const LOOK_EVERY_MS = 500;
/** For so long it may be unknown whether a fault is in force: an engine that is busy for a moment. */
const MOST_UNKNOWN_MS = 3_000;

export interface StepContext {
  readonly cluster: Cluster;
  readonly log: RunLog;
  /** Ends waiting; what was injected is healed all the same. */
  readonly signal: AbortSignal;
  /** Called when the fault comes into force and when it is over. */
  readonly onChange: (inForce: boolean) => void;
}

/** Performs one step. A fault that cannot be prepared, injected, proven or healed becomes an invalid finding, never an exception. */
export async function performStep(step: PlannedStep, index: number, context: StepContext): Promise<void> {
  const { cluster, log, signal } = context;
  const mark = (event: Mark['event'], at: number, seen?: { proof: Proof; provenAt: number }) =>
    log.mark({ at, step: index, fault: step.title, target: step.targets.join(', '), event, affects: step.affects, ...seen });
  const invalid = (what: string, thrown: unknown) => log.finding('invalid', `${step.title}: ${what}: ${messageOf(thrown)}`);

  if (!(await waitUntil(step.atMs - PREPARE_BEFORE_MS, log, signal))) return;
  const prepared = await faultKind(step.fault)
    .prepare(step.fault, cluster)
    .catch((thrown: unknown) => invalid('its probes could not be prepared', thrown));
  if (!prepared) return;
  if (await waitUntil(step.atMs, log, signal)) {
    mark('injecting', log.now());
    const injected = await prepared.inject().catch((thrown: unknown) => invalid('it could not be injected', thrown));
    if (injected) await holdAndHeal(injected);
  }
  if (!signal.aborted) await prepared.close().catch((thrown: unknown) => log.finding('note', `${step.title}: its probes did not close: ${messageOf(thrown)}`));

  async function holdAndHeal(injected: Injected): Promise<void> {
    const injectedAt = log.now();
    context.onChange(true);
    try {
      const proof = await unlessAborted(injected.prove(), signal);
      mark('injected', injectedAt, { proof, provenAt: log.now() });
      if (!proof.holds) log.finding('invalid', `${step.title} was not seen to bite: asked ${proof.asked}, saw ${proof.measured}`);
      await hold(injected);
    } catch (thrown) {
      if (!signal.aborted) invalid('it could not be proven', thrown);
    } finally {
      // Healed first and written down second: a journal that cannot be written must not keep a fault in force.
      const healingAt = log.now();
      const healed = await injected.heal().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const healedAt = log.now();
      mark('healing', healingAt);
      if (healed !== undefined) invalid('it could not be healed', healed);
      const overMs = healingAt - step.untilMs;
      if (overMs > MOST_OVERTIME_MS) log.finding('invalid', `${step.title} was in force ${Math.round(overMs)} ms longer than planned`);
      context.onChange(false);
      // An aborted run is torn down at once, and judged by nobody.
      if (signal.aborted) mark('healed', healedAt);
      else await proveHealed(injected, healedAt);
    }
  }

  /** Until its time is over. A fault that is lost meanwhile (its target was started again, its lease ran out) is noticed within a second, and is another one than the plan's. */
  async function hold(injected: Injected): Promise<void> {
    let unknownSince: number | undefined;
    while (await waitUntil(Math.min(step.untilMs, log.now() + LOOK_EVERY_MS), log, signal)) {
      if (log.now() >= step.untilMs) return;
      try {
        const why = await injected.missing();
        unknownSince = undefined;
        if (why === undefined) continue;
        // Looked at in the moment in which it was healed: that it is gone is as it should be.
        if (log.now() < step.untilMs) log.finding('invalid', `${step.title} was lost before its time: ${why}`);
      } catch (thrown) {
        // Not to know is not to know that it is gone; but who does not know for long cannot say that it was there.
        unknownSince ??= log.now();
        if (log.now() - unknownSince < MOST_UNKNOWN_MS) continue;
        invalid('nobody could tell whether it was in force', thrown);
      }
      await waitUntil(step.untilMs, log, signal);
      return;
    }
  }

  async function proveHealed(injected: Injected, healedAt: number): Promise<void> {
    try {
      const proof = await injected.proveHealed();
      mark('healed', healedAt, { proof, provenAt: log.now() });
      if (!proof.holds) log.finding('invalid', `${step.title} was not seen to end: asked ${proof.asked}, saw ${proof.measured}`);
    } catch (thrown) {
      invalid('its end could not be proven', thrown);
    }
  }
}

/** Waits for a moment of the load's time; false when the run was stopped before it. */
async function waitUntil(atMs: number, log: RunLog, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(Math.max(0, atMs - log.now()), undefined, { signal });
    return true;
  } catch (thrown) {
    if (signal.aborted) return false;
    throw thrown;
  }
}
