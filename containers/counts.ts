/** Counts as options of a builder. */
import { InputError } from '../harness/core/errors.ts';

/** The count itself. Throws InputError naming the option, for what is no whole number between the two. */
export function wholeNumber(option: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new InputError(`${option}: ${String(value)} is not allowed; write a whole number from ${least} to ${most}`);
  return value;
}
