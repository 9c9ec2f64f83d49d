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
