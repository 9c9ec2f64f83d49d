/**
 * What can go wrong, as exit codes. Each error carries one line for the person at the terminal; a
 * stack is shown only when asked for (`--verbose`).
 */

/** The exit codes of the command line. */
export const EXIT = {
  asExpected: 0,
  /** A promise was missed that should have been met, or a variant was not reproduced. */
  notAsExpected: 1,
  badInput: 2,
  environment: 3,
  /** The run cannot be judged: an unproven fault, too few samples, a starved generator. */
  invalidRun: 4,
  cleanUpIncomplete: 5,
  internal: 70,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** When several codes apply, the leftmost wins. */
const PRECEDENCE: readonly ExitCode[] = [130, 143, 70, 5, 4, 3, 2, 1, 0];

/** The code to leave with when several things are true at once. */
export function worstExit(codes: Iterable<ExitCode>): ExitCode {
  const present = new Set(codes);
  return PRECEDENCE.find((code) => present.has(code)) ?? EXIT.asExpected;
}

/** An error whose message is one clear line for the user. */
export class AftershockError extends Error {
  readonly exitCode: ExitCode;
  constructor(message: string, exitCode: ExitCode, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.exitCode = exitCode;
  }
}

/** The user's words are off: names the key or the thing, and the allowed values. */
export class InputError extends AftershockError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.badInput, options);
  }
}

/** This machine cannot do it: names what is missing and what to type. */
export class EnvironmentError extends AftershockError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.environment, options);
  }
}

/** Something was to be done in a node that does not run: with it, what was in it is gone. */
export class NotRunningError extends EnvironmentError {}

/** The run happened, and cannot be judged: says why. */
export class InvalidRunError extends AftershockError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.invalidRun, options);
  }
}

/** Something of ours may still be there: says what, and names `aftershock clean`. */
export class CleanUpError extends AftershockError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.cleanUpIncomplete, options);
  }
}

/** The text of anything that was thrown, on one line. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.replace(/\s*\n\s*/g, ' ').trim();
}

/** "unknown X 'foo'; did you mean 'food'? known: a, b": the one way in which an unknown name is answered. */
export function unknownName(what: string, given: string, known: readonly string[]): InputError {
  const near = known.find((name) => distance(name.toLowerCase(), given.toLowerCase()) <= Math.max(1, Math.floor(name.length / 4)));
  const hint = near ? ` did you mean '${near}'?` : '';
  return new InputError(`unknown ${what} '${given}';${hint} known: ${known.length > 0 ? known.join(', ') : 'none'}`);
}

/** Edits (insert, delete, replace) between two short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
