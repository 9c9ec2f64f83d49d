/**
 * What this hand does to the namespace that it is in, is lent. Whoever ordered it says a word every two seconds; at each word what the kernel itself would end is renewed, and when no
 * word came for ten seconds, or stdin has ended, everything is taken back. What the kernel ends by itself ends even if this process is killed.
 */
import { type Call, carryOut } from './tool.ts';

export interface Loan {
  /** Repeated at each word: what has a time-out of the kernel's own. */
  readonly renew?: Call;
  /** Takes it back. */
  readonly end: Call;
}

export class Loans {
  readonly #loans = new Map<string, Loan>();
  #renewing: Promise<unknown> = Promise.resolve();

  get size(): number {
    return this.#loans.size;
  }

  add(name: string, loan: Loan): void {
    this.#loans.set(name, loan);
  }

  /** One renewal after the other: two at a time would trip over each other's transactions. */
  renew(): Promise<unknown> {
    this.#renewing = this.#renewing.then(() => Promise.all([...this.#loans.values()].map(({ renew }) => renew && carryOut(renew))));
    return this.#renewing;
  }

  /** Takes one back. Throws with the tool's own words when that fails. */
  async end(name: string): Promise<void> {
    const loan = this.#loans.get(name);
    if (!loan) return;
    this.#loans.delete(name);
    const { code, err } = await carryOut(loan.end);
    if (code !== 0) throw new Error(err.trim().split('\n')[0] ?? `exit ${code}`);
  }

  /** Takes everything back, the newest first, whatever becomes of each. */
  async endAll(): Promise<void> {
    for (const name of [...this.#loans.keys()].reverse()) await this.end(name).catch((thrown: unknown) => process.stderr.write(`${name}: ${String(thrown)}\n`));
  }
}
