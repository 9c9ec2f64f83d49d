/** The ground on which a run stands: its engine, the names and labels of all that it makes, and the journal of what it does. */
import type { Placement } from './container.ts';
import type { Engine } from './engine.ts';
import { NODE_LABEL, runLabels } from './labels.ts';

export interface ActionJournal {
  /** Called before a side effect on the engine. */
  intent(action: string, name: string): void;
  /** Called after it. */
  done(action: string, name: string, detail?: string): void;
}

export class Ground {
  readonly engine: Engine;
  readonly runId: string;
  readonly #journal: ActionJournal;

  constructor(engine: Engine, runId: string, journal: ActionJournal) {
    this.engine = engine;
    this.runId = runId;
    this.#journal = journal;
  }

  get network(): string {
    return this.name('network');
  }

  get labels(): Record<string, string> {
    return runLabels(this.runId);
  }

  /** The engine's name for a part of this run: the same for the same part, so that what was never answered for can be found. */
  name(part: string): string {
    return `aftershock-${this.runId}-${part}`;
  }

  placement(node: string): Placement {
    return { name: this.name(node), labels: { ...this.labels, [NODE_LABEL]: node }, network: this.network, alias: node };
  }

  /** Journals an action around its effect. */
  async act<T>(action: string, name: string, effect: () => Promise<T>, detail?: string): Promise<T> {
    this.#journal.intent(action, name);
    const result = await effect();
    this.#journal.done(action, name, detail);
    return result;
  }
}

/** Waits until all have ended, one way or the other, and throws the first failure: what is still being made could not be removed. */
export async function allEnded<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(promises);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
