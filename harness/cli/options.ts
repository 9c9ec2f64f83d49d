/** How the command line's words become values. Each function throws InputError naming the flag and the allowed values. */
import { InputError } from '../core/errors.ts';
import { SEED_LIMIT } from '../core/random.ts';

export function wholeNumber(flag: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new InputError(`${flag}: '${text}' is not allowed; write a whole number from ${least} to ${most}`);
    return value;
  };
}

export const seed = wholeNumber('--seed', 0, SEED_LIMIT - 1);

/** Collects a flag that may be given several times, or once with commas. An empty one is refused: an unset variable of a CI job must not choose nothing. */
export function collect(text: string, before: readonly string[] = []): string[] {
  if (text.split(',').every((part) => part.trim() === ''))
    throw new InputError(`a flag is given an empty value '${text}'; write a name, or leave the flag out`);
  return [
    ...before,
    ...text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ];
}

export function tag(text: string, before: readonly string[] = []): string[] {
  const bad = collect(text).find((part) => !/^[\w.:/-]{1,64}$/.test(part));
  if (bad !== undefined) throw new InputError(`--tag: '${bad}' is not allowed; write up to 64 letters, digits and . _ : / -`);
  return collect(text, before);
}
