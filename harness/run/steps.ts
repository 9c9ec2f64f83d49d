/** One step of a scenario: its probes, its injection, its proofs and its healing, each at its moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/types.ts';
import { messageOf } from '../core/errors.ts';
import type { Injected, Prepared } from '../faults/fault.ts';
import { type Fault, faultKind } from '../faults/index.ts';
import type { Mark, Proof } from '../timeline/types.ts';
import { unlessAborted } from './abort.ts';
import type { RunLog } from './log.ts';
import type { Running } from './running.ts';
import { awaitTrigger } from './trigger.ts';
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
  readonly log: Pick<RunLog, 'now' | 'mark' | 'finding'>;
  readonly running: Running;
  /** Ends waiting; what was injected is healed all the same. */
  readonly signal: AbortSignal;
  /** Called when the fault comes into force and when it is over. */
  readonly onChange: (inForce: boolean) => void;
  /** How long a proof may take, ms; the proofs' own limit when left out. */
  readonly proofLimitMs?: number;
}

/** Performs one step. A fault that cannot be prepared, injected, proven or healed becomes an invalid finding, never an exception. */
export function performStep(step: PlannedStep, index: number, context: StepContext): Promise<void> {
  return new StepPerformance(step, index, context).perform();
}

class StepPerformance {
  readonly #step: PlannedStep;
  readonly #index: number;
  readonly #context: StepContext;
  /** When its time is over: for a step that waited for something, so long after it was seen. */
  #untilMs: number;
  #prepared: Prepared | undefined;

  constructor(step: PlannedStep, index: number, context: StepContext) {
    this.#step = step;
    this.#index = index;
    this.#context = context;
    this.#untilMs = step.untilMs;
  }

  async perform(): Promise<void> {
    const { signal, log } = this.#context;
    if (!(await this.#waitUntil(this.#step.atMs - PREPARE_BEFORE_MS))) return;
    this.#prepared = await this.#prepare(this.#step.fault).catch((thrown: unknown) => this.#invalid('its probes could not be prepared', thrown));
    if (!this.#prepared) return;
    if (await this.#itsMoment()) {
      this.#mark('injecting', log.now());
      const injected = await this.#prepared.inject().catch((thrown: unknown) => this.#invalid('it could not be injected', thrown));
      if (injected) await this.#holdAndHeal(injected);
    }
    if (!signal.aborted)
      await this.#prepared.close().catch((thrown: unknown) => log.finding('note', `${this.#step.title}: its probes did not close: ${messageOf(thrown)}`));
  }

  /** By the clock, or when what it waits for is seen. */
  async #itsMoment(): Promise<boolean> {
    const { atMs, trigger, title } = this.#step;
    if (!(await this.#waitUntil(atMs))) return false;
    if (!trigger) return true;
    const { log, running, signal } = this.#context;
    const { seen, best } = await awaitTrigger(trigger, running, log, signal);
    if (seen) this.#untilMs = log.now() + trigger.forMs;
    else if (!signal.aborted) log.finding('invalid', `${title} was never injected: it waited for ${trigger.title}, and saw ${best} at most`);
    return seen;
  }

  async #holdAndHeal(first: Injected): Promise<void> {
    const { log, signal, onChange } = this.#context;
    let injected = first;
    const injectedAt = log.now();
    onChange(true);
    try {
      await this.#prove(injected, 'injected', injectedAt);
      for (const stage of this.#step.stages ?? []) {
        injected = await this.#hold(injected, stage.atMs);
        if (signal.aborted || log.now() >= this.#untilMs) break;
        await this.#change(injected, stage);
      }
      injected = await this.#hold(injected, this.#untilMs);
    } catch (thrown) {
      if (!signal.aborted) this.#invalid('it could not be proven', thrown);
    } finally {
      await this.#heal(injected);
    }
  }

  async #prove(injected: Injected, event: 'injected' | 'changed' | 'reapplied', at: number, title = this.#step.title): Promise<void> {
    const { log, signal, proofLimitMs } = this.#context;
    const proof = await unlessAborted(injected.prove(proofLimitMs), signal);
    this.#mark(event, at, { proof, provenAt: log.now() });
    if (!proof.holds) log.finding('invalid', `${title} was not seen to bite: asked ${proof.asked}, saw ${proof.measured}`);
  }

  /** To another magnitude, without a moment of being healed. */
  async #change(injected: Injected, { fault, title }: { fault: Fault; title: string }): Promise<void> {
    if (!injected.change) throw new Error(`${title}: it cannot be changed while it is in force`);
    await injected.change(fault);
    await this.#prove(injected, 'changed', this.#context.log.now(), title);
  }

  /**
   * Until a moment. A fault that is lost meanwhile (its target was started again, its lease ran out) is noticed within a second; it is put in force again where the scenario says so, and is another
   * one than the plan's where not. Answers with what is in force then.
   */
  async #hold(first: Injected, untilMs: number): Promise<Injected> {
    const { log } = this.#context;
    let injected = first;
    let unknownSince: number | undefined;
    let failure: unknown;
    while (await this.#waitUntil(Math.min(untilMs, log.now() + LOOK_EVERY_MS))) {
      if (log.now() >= untilMs) {
        // Had it been lost then, nobody would have noticed within the second in which it has to be.
        if (unknownSince !== undefined && untilMs - unknownSince > 2 * LOOK_EVERY_MS)
          this.#invalid('nobody could tell whether it was in force to its end', failure);
        return injected;
      }
      try {
        const why = await injected.missing();
        unknownSince = undefined;
        // Looked at in the moment in which it is to be healed: that it is gone is as it should be.
        if (why === undefined || log.now() >= untilMs) continue;
        if (this.#step.reapply) {
          const again = await this.#reapply(injected, why);
          if (again) {
            injected = again;
            continue;
          }
        } else log.finding('invalid', `${this.#step.title} was lost before its time: ${why}`);
      } catch (thrown) {
        // Not to know is not to know that it is gone; but who does not know for long cannot say that it was there.
        unknownSince ??= log.now();
        failure = thrown;
        if (log.now() - unknownSince < MOST_UNKNOWN_MS) continue;
        this.#invalid('nobody could tell whether it was in force', thrown);
      }
      await this.#waitUntil(untilMs);
      return injected;
    }
    return injected;
  }

  /** Puts a lost fault in force again as soon as its target answers as it should. Undefined when it never did in its time. */
  async #reapply(lost: Injected, why: string): Promise<Injected | undefined> {
    const { log } = this.#context;
    this.#mark('lost', log.now());
    log.finding('note', `${this.#step.title} was lost (${why}) and is put in force again`);
    // What is left of it is taken back first: rules of one target can be there when those of another are gone.
    await lost.heal().catch((thrown: unknown) => log.finding('note', `${this.#step.title}: the rest of it was not taken back: ${messageOf(thrown)}`));
    await this.#prepared?.close().catch(() => undefined);
    let trouble: unknown;
    while (log.now() < this.#untilMs) {
      try {
        this.#prepared = await this.#prepare(this.#step.fault);
        const again = await this.#prepared.inject();
        await this.#prove(again, 'reapplied', log.now());
        return again;
      } catch (thrown) {
        // A target that is being started does not answer yet; the fault waits for it, as long as its time lasts.
        trouble = thrown;
        if (!(await this.#waitUntil(log.now() + LOOK_EVERY_MS))) return undefined;
      }
    }
    this.#invalid('it was lost, and could not be put in force again', trouble);
    return undefined;
  }

  async #heal(injected: Injected): Promise<void> {
    const { log, signal, onChange } = this.#context;
    // Healed first and written down second: a journal that cannot be written must not keep a fault in force.
    const healingAt = log.now();
    const failure = await injected.heal().then(
      () => undefined,
      (thrown: unknown) => ({ thrown }),
    );
    const healedAt = log.now();
    this.#mark('healing', healingAt);
    if (failure) this.#invalid('it could not be healed', failure.thrown);
    const overMs = healingAt - this.#untilMs;
    if (overMs > MOST_OVERTIME_MS) log.finding('invalid', `${this.#step.title} was in force ${Math.round(overMs)} ms longer than planned`);
    onChange(false);
    // An aborted run is torn down at once, and judged by nobody.
    if (signal.aborted) this.#mark('healed', healedAt);
    else await this.#proveHealed(injected, healedAt);
  }

  async #proveHealed(injected: Injected, healedAt: number): Promise<void> {
    const { log, proofLimitMs } = this.#context;
    try {
      const proof = await injected.proveHealed(proofLimitMs);
      this.#mark('healed', healedAt, { proof, provenAt: log.now() });
      if (!proof.holds) log.finding('invalid', `${this.#step.title} was not seen to end: asked ${proof.asked}, saw ${proof.measured}`);
    } catch (thrown) {
      this.#invalid('its end could not be proven', thrown);
    }
  }

  async #prepare(fault: Fault): Promise<Prepared> {
    return faultKind(fault).prepare(fault, this.#context.cluster);
  }

  #mark(event: Mark['event'], at: number, seen?: { proof: Proof; provenAt: number }): void {
    const { title, targets, affects } = this.#step;
    this.#context.log.mark({ at, step: this.#index, fault: title, target: targets.join(', '), event, affects, ...seen });
  }

  #invalid(what: string, thrown: unknown): undefined {
    this.#context.log.finding('invalid', `${this.#step.title}: ${what}: ${messageOf(thrown)}`);
  }

  /** Waits for a moment of the load's time; false when the run was stopped before it. */
  async #waitUntil(atMs: number): Promise<boolean> {
    const { log, signal } = this.#context;
    try {
      await sleep(Math.max(0, atMs - log.now()), undefined, { signal });
      return true;
    } catch (thrown) {
      if (signal.aborted) return false;
      throw thrown;
    }
  }
}
