/** The fields that loads are written with, as schemas whose errors say in one line what is allowed. */
import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { InputError, messageOf } from '../../harness/core/errors.ts';
import { LONGEST_MS, milliseconds } from '../../harness/core/units.ts';

/** What somebody wrote, for an error: 'text' in quotes, `{ its, keys }` of an object. */
export function told(input: unknown): string {
  if (typeof input === 'string') return `'${input}'`;
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object' && input !== null) return `{ ${Object.keys(input).join(', ')} }`;
  return String(input);
}

const refused = (input: unknown) => (input === undefined ? 'missing' : `${told(input)} is not allowed`);

export const wholeNumber = (least: number, most: number) => {
  const error = (issue: { input?: unknown }) => `${refused(issue.input)}; write a whole number from ${least} to ${most}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(most, { error });
};

/** A number above zero, up to `most`. */
export const positiveNumber = (most: number, example: number) => {
  const error = (issue: { input?: unknown }) => `${refused(issue.input)}; write a number above 0, up to ${most}, such as ${example}`;
  return z.number({ error }).gt(0, { error }).max(most, { error });
};

/** Text that `parse` accepts; its own words are the error. */
export const parsed = (parse: (text: string) => number, example: string) =>
  z.string({ error: (issue) => `${issue.input === undefined ? 'missing' : String(issue.input)}; write ${example}` }).superRefine((text, context) => {
    try {
      parse(text);
    } catch (thrown) {
      // Nothing is computed with a text that has no value.
      context.addIssue({ code: 'custom', continue: false, message: messageOf(thrown).replace(/^[a-z]+: /, '') });
    }
  });

export const positiveDuration = parsed((text) => {
  const ms = milliseconds(text);
  if (ms < 1) throw new InputError(`'${text}' is too short; write '1ms' or more`);
  return ms;
}, "a duration, such as '250ms'");

export const nodeName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: (issue) => `'${String(issue.input)}' is not a name; write small letters, digits and '-', such as 'client-1'` });

export const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, { error: (issue) => `${refused(issue.input)}; write ${values.map((value) => `'${value}'`).join(' or ')}` });

/** An object of these keys and no others. */
export const exactly = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key '${issue.keys?.[0]}'; known: ${Object.keys(shape).join(', ')}`
        : `${issue.input === undefined ? 'missing' : 'not an object'}; its keys are ${Object.keys(shape).join(', ')}`,
  });

/**
 * An option that is written in one of several forms: `formOf` looks at the input and names the schema that it is meant for, whose errors are then the
 * only ones, or says in one line that it is none. (A union of schemas would tell what is wrong with every form.)
 */
export const inForm = <Output>(formOf: (input: unknown) => z.ZodType<Output> | string): z.ZodType<Output> =>
  z.unknown().transform((input, context): Output => {
    const form = formOf(input);
    if (typeof form === 'string') {
      context.addIssue({ code: 'custom', message: form });
      return z.NEVER;
    }
    const result = form.safeParse(input);
    if (result.success) return result.data;
    for (const issue of result.error.issues) context.issues.push({ ...issue, input } as z.core.$ZodRawIssue);
    return z.NEVER;
  });

/** Whether the input is an object that has this key. */
export function hasKey(input: unknown, key: string): boolean {
  return typeof input === 'object' && input !== null && !Array.isArray(input) && Object.hasOwn(input, key);
}

const MOST_TIMES = 1_000_000;
/** A million times of 17 digits, each with a comment as long, are 36 MB. */
const LARGEST_FILE_BYTES = 64_000_000;

const TIME = /^\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** Recorded times, as the list is, or what is wrong with it. */
export function recordedTimes(list: unknown): readonly number[] | string {
  if (!Array.isArray(list)) return `${refused(list)}; write the path of a file or a list of times in ms`;
  if (list.length === 0) return 'no times; write one or more, ms since the start of the load, such as [0, 1.5, 3]';
  if (list.length > MOST_TIMES) return `${list.length} times; ${MOST_TIMES} at most`;
  for (let index = 0; index < list.length; index++) {
    const wrong = wrongWith(list[index], list[index - 1]);
    if (wrong) return `time ${index + 1} of ${list.length}: ${wrong}`;
  }
  return list;
}

/** The recorded times in a file with one a line, or what is wrong with it. The path counts from the current folder. */
export function timesInFile(path: string): readonly number[] | string {
  let text: string;
  try {
    const file = statSync(path);
    if (!file.isFile()) return `'${path}' is not a file; write the path of one that has a time in ms on each line`;
    if (file.size > LARGEST_FILE_BYTES) return `'${path}' has ${file.size} bytes; ${LARGEST_FILE_BYTES} at most`;
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    return `cannot read '${path}' from ${process.cwd()}: ${messageOf(thrown)}`;
  }
  const times: number[] = [];
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    // Trims a byte order mark, too.
    const word = (line.split('#', 1)[0] as string).trim();
    if (word === '') continue;
    const wrong = wrongWith(TIME.test(word) ? Number(word) : word, times.at(-1));
    if (wrong) return `'${path}' line ${number}: ${wrong}`;
    if (times.length === MOST_TIMES) return `'${path}' line ${number}: more than ${MOST_TIMES} times`;
    times.push(Number(word));
  }
  return times.length > 0 ? times : `'${path}' has no times; write one a line, ms since the start of the load`;
}

function wrongWith(time: unknown, before: number | undefined): string | undefined {
  if (typeof time !== 'number' || !(time >= 0 && time <= LONGEST_MS)) return `${told(time)} is not a time; write ms from 0 to ${LONGEST_MS}`;
  if (before !== undefined && time < before) return `${time} is less than the one before it, ${before}; times must not fall`;
  return undefined;
}
