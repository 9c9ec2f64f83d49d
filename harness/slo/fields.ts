/** The fields that objectives are written with, as schemas whose errors name the allowed values. */
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { type Duration, type Factor, factor, milliseconds, type Share, share } from '../core/units.ts';
import { AMONG, type Among, PHASES, type Phase } from '../timeline/phases.ts';

/** A text in one of the units of `core/units.ts`, read by the very function that judges with it. */
function inUnit<T extends string>(read: (text: string, key: string) => number, example: string, leastExclusive = -1): z.ZodType<T> {
  const key = 'value';
  const schema = z.string({ error: `expected a text with its unit, such as '${example}'` }).superRefine((text, context) => {
    try {
      if (read(text, key) > leastExclusive) return;
      context.addIssue({ code: 'custom', message: `'${text}' is not allowed; write more than zero, such as '${example}'` });
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: messageOf(thrown).replace(`${key}: `, '') });
    }
  });
  return schema as unknown as z.ZodType<T>;
}

export const durationField = inUnit<Duration>(milliseconds, '300ms', 0);
/** As above, and zero is allowed. */
export const graceField = inUnit<Duration>(milliseconds, '1s');
export const shareField = inUnit<Share>(share, '95%');
export const factorField = inUnit<Factor>(factor, '3x');

function oneOf<const T extends readonly [string, ...string[]]>(values: T): z.ZodType<T[number]> {
  return z.enum(values, { error: `allowed are ${values.map((value) => `'${value}'`).join(', ')}` }) as unknown as z.ZodType<T[number]>;
}

export const whenField: z.ZodType<Phase> = oneOf(PHASES);
export const amongField: z.ZodType<Among> = oneOf(AMONG);
export const fromField = oneOf(['injected', 'healed']);

/** What counts as well again, in figures of its own: at least one of the two. */
export interface Limits {
  readonly p99Under?: Duration;
  /** Answered correctly within the deadline, of all requests that were due. */
  readonly goodputAtLeast?: Share;
}

const LIMITS_EXAMPLE = "{ p99Under: '25ms', goodputAtLeast: '99%' }";
const limitsField = z
  .strictObject(
    { p99Under: durationField.exactOptional(), goodputAtLeast: shareField.exactOptional() },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys' ? `unknown ${issue.keys.map((key) => `'${key}'`).join(', ')} in limits; known: p99Under, goodputAtLeast` : undefined,
    },
  )
  .refine(({ p99Under, goodputAtLeast }) => p99Under !== undefined || goodputAtLeast !== undefined, {
    error: `limits need p99Under, goodputAtLeast or both, such as ${LIMITS_EXAMPLE}`,
    abort: true,
  });

/** What a recovery leads to: one of the names, or limits. What is wrong with limits is told in one line, with the key inside them. */
export const toField = z.union([oneOf(['baseline', 'first success']), limitsField], {
  error: (issue) => {
    const isObject = typeof issue.input === 'object' && issue.input !== null && !Array.isArray(issue.input);
    const wrong = isObject && issue.code === 'invalid_union' ? issue.errors[1]?.[0] : undefined;
    if (!wrong) return `allowed are 'baseline', 'first success' and limits, such as ${LIMITS_EXAMPLE}`;
    return wrong.path.length > 0 ? `${wrong.path.join('.')}: ${wrong.message}` : wrong.message;
  },
}) as unknown as z.ZodType<'baseline' | 'first success' | Limits>;

/** A node's name, or a pattern over names. */
export const nodeField: z.ZodType<string> = z.string().regex(/^[a-z0-9*][a-z0-9*-]*$/, {
  error: (issue) => `'${String(issue.input)}' is not a node; write a name or a pattern, such as 'mc-3' or 'mc-*'`,
});

export const percentField: z.ZodType<number> = z
  .number({ error: 'expected a number above 0 and below 100, such as 99' })
  .gt(0, { error: 'expected a number above 0 and below 100, such as 99' })
  .lt(100, { error: 'expected a number above 0 and below 100, such as 99' });

/** An object of one kind with these keys and no others. */
export function fieldsOf<Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) {
  const known = Object.keys(shape).join(', ');
  return z.strictObject(
    { kind: z.literal(kind), ...shape },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys' ? `unknown ${issue.keys.map((key) => `'${key}'`).join(', ')} in ${kind}; known: ${known}` : undefined,
    },
  );
}
