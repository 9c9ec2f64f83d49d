/** The fields that faults are written with, as schemas whose errors name the allowed values. */
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { linkEnds } from '../core/names.ts';
import { formatMs, formatShare, milliseconds, type Share, share } from '../core/units.ts';

/** A duration of whole milliseconds, which is what Toxiproxy takes, from `leastMs` to `mostMs`. */
export function wholeMs(leastMs: number, mostMs: number): z.ZodString {
  return z.string().superRefine((text, context) => {
    try {
      const ms = milliseconds(text);
      if (!Number.isInteger(ms)) context.addIssue({ code: 'custom', message: `'${text}' is not a whole number of milliseconds` });
      if (ms < leastMs || ms > mostMs)
        context.addIssue({ code: 'custom', message: `'${text}' is out of range; write ${formatMs(leastMs)} to ${formatMs(mostMs)}` });
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: messageOf(thrown).replace(/^duration: /, '') });
    }
  });
}

export const linkTarget = z.string().refine((text) => linkEnds(text) !== undefined, {
  error: (issue) => `'${String(issue.input)}' is not a link; write 'from -> to', such as 'proxy-* -> mc-3', or 'a <-> b' for either way`,
});

const NODE = /^[a-z0-9*][a-z0-9*|-]*$/;

export const nodeTarget = z
  .string()
  .regex(NODE, { error: (issue) => `'${String(issue.input)}' is not a node; write a name or a pattern, such as 'mc-3', 'mc-*' or 'mc-1|mc-3'` });

/** Where packets pass: at a node, or over a link's near end. */
export const passageTarget = z.string().refine((text) => NODE.test(text) || linkEnds(text) !== undefined, {
  error: (issue) => `'${String(issue.input)}' is neither a node nor a link; write a name or a pattern, such as 'mc-3', 'mc-*' or 'proxy-* -> mc-3'`,
});

/** A share from `least` to all. */
export function shareOf(least: number): z.ZodType<Share> {
  const error = (issue: { input?: unknown }) =>
    `${issue.input === undefined ? 'missing' : `${String(issue.input)} is not allowed`}; write a share, such as '5%'`;
  return z.string({ error }).superRefine((text, context) => {
    try {
      const value = share(text);
      if (value < least) context.addIssue({ code: 'custom', message: `'${text}' is out of range; write ${formatShare(least)} to 100%` });
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: messageOf(thrown).replace(/^share: /, '') });
    }
  }) as unknown as z.ZodType<Share>;
}
