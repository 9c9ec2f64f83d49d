/** A schema's complaints as one line that names the key: 'steps[0].fault.delay: ...; 2 more are not allowed'. */
import type { z } from 'zod';

export function oneLine(error: z.ZodError, whole: string): string {
  // A key that nobody knows explains the one that is missing.
  const first = error.issues.find((issue) => issue.code === 'unrecognized_keys') ?? error.issues[0];
  if (!first) return `${whole}: not allowed`;
  const key =
    first.path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('')
      .replace(/^\./, '') || whole;
  const more = error.issues.length > 1 ? `; ${error.issues.length - 1} more ${error.issues.length === 2 ? 'is' : 'are'} not allowed` : '';
  return `${key}: ${first.message.replace(/\s*\n\s*/g, ' ')}${more}`;
}

/** For a parse: what an object may have is told with the key that it may not have. */
export function knownKeys(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'unrecognized_keys') return undefined;
  const shape = (issue.inst as unknown as { readonly def?: { readonly shape?: object } } | undefined)?.def?.shape;
  const unknown = issue.keys.map((key) => `'${key}'`).join(', ');
  return shape && `unknown ${unknown}; known: ${Object.keys(shape).join(', ')}`;
}
