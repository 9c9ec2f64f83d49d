/** The fields that faults are written with, as schemas whose errors name the allowed values. */
import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { linkEnds } from '../core/names.ts';
import { byteCount, bytesPerSecond, formatMs, formatShare, milliseconds, perSecond, type Rate, type Share, share } from '../core/units.ts';

/** A duration of whole milliseconds, which is what Toxiproxy takes, from `leastMs` to `mostMs`. */
export function wholeMs(leastMs: number, mostMs: number): z.ZodString {
  return z
    .string()
    .superRefine((text, context) => {
      try {
        const ms = milliseconds(text);
        if (!Number.isInteger(ms)) context.addIssue({ code: 'custom', message: `'${text}' is not a whole number of milliseconds` });
        if (ms < leastMs || ms > mostMs)
          context.addIssue({ code: 'custom', message: `'${text}' is out of range; write ${formatMs(leastMs)} to ${formatMs(mostMs)}` });
      } catch (thrown) {
        context.addIssue({ code: 'custom', message: messageOf(thrown).replace(/^duration: /, '') });
      }
    })
    .describe(`a duration from ${durationText(leastMs)} to ${durationText(mostMs)}`);
}

/** As it is written in a scenario: 60000 to '60s'. */
function durationText(ms: number): string {
  return ms >= 1_000 ? `${ms / 1_000}s` : `${ms}ms`;
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
  return z
    .string({ error })
    .superRefine((text, context) => {
      try {
        const value = share(text);
        if (value < least) context.addIssue({ code: 'custom', message: `'${text}' is out of range; write ${formatShare(least)} to 100%` });
      } catch (thrown) {
        context.addIssue({ code: 'custom', message: messageOf(thrown).replace(/^share: /, '') });
      }
    })
    .describe(`a share from ${formatShare(least)} to 100%`) as unknown as z.ZodType<Share>;
}

/** So many a second. */
export const perSecondField: z.ZodType<Rate> = z
  .string()
  .superRefine((text, context) => {
    try {
      perSecond(text);
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: messageOf(thrown).replace(/^rate: /, '') });
    }
  })
  .describe("a rate, such as '500/s'") as unknown as z.ZodType<Rate>;

/** So many bytes, from `least` to `most`, as they are written: '1KB' to '1MB'. */
export function bytesBetween(least: string, most: string): z.ZodString {
  return amount(least, most, byteCount, 'bytes');
}

/** So many bytes a second. */
export function byteRate(least: string, most: string): z.ZodString {
  return amount(least, most, bytesPerSecond, 'rate');
}

function amount(least: string, most: string, countOf: (text: string, key: string) => number, key: string): z.ZodString {
  return z
    .string()
    .superRefine((text, context) => {
      try {
        const value = countOf(text, key);
        if (value < countOf(least, key) || value > countOf(most, key))
          context.addIssue({ code: 'custom', message: `'${text}' is out of range; write ${least} to ${most}` });
      } catch (thrown) {
        context.addIssue({ code: 'custom', message: messageOf(thrown).replace(`${key}: `, '') });
      }
    })
    .describe(`${key === 'rate' ? 'a rate' : 'a number of bytes'} from ${least} to ${most}`);
}
