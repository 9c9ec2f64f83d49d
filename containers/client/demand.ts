/**
 * What clients ask for, as options of a scenario: how often, which keys, values how long. Schemas of these options, to be composed with those of
 * a kind of client, and the way from them to what the engine is told.
 */
import { z } from 'zod';
import { InputError } from '../../harness/core/errors.ts';
import { type Duration, milliseconds, perSecond, type Rate, type Share, share } from '../../harness/core/units.ts';
import type { Arrivals, Segment } from '../../harness/load/demand/arrivals.ts';
import type { KeyChoice } from '../../harness/load/demand/keys.ts';
import type { Values } from '../../harness/load/demand/values.ts';
import { exactly, hasKey, inForm, oneOf, parsed, positiveDuration, positiveNumber, recordedTimes, timesInFile, told, wholeNumber } from './fields.ts';

export interface DemandOptions {
  /**
   * Requests that fall due each second, whether or not earlier ones were answered: '2000/s', or segments that follow one another, or `{ replay }` of a recording.
   * Behind the last segment, and behind the last moment of a recording, nothing falls due.
   */
  readonly rate: RateOption;
  /** How they follow each other: as evenly as can be, or by chance as from very many callers, with the rate as their mean. Bursts and replays come as they are written. Default 'even'. */
  readonly arrivals?: 'even' | 'poisson';
  /** Different keys, all stored before the load starts: 1 to 1000000. Default 2000. */
  readonly keys?: number;
  /**
   * Which key comes next. `zipf`: the k-th most popular has a chance in proportion to 1 / k^zipf, above 0, up to 5. `hot`: so many keys get this
   * share of the requests. Which keys are popular is up to the seed. Default 'uniform'.
   */
  readonly keyChoice?: 'uniform' | 'sequential' | { readonly zipf: number } | { readonly hot: number; readonly share: Share };
  /**
   * Length of each value, 0 to 1000000: one for all, or drawn for each key from the seed. Of `lognormal`, half are below the median, and what would be
   * longer than `most` is cut to it; shares add up to 100%. Default 100.
   */
  readonly valueBytes?:
    | number
    | { readonly from: number; readonly to: number }
    | { readonly lognormal: { readonly median: number; readonly sigma: number; readonly most: number } }
    | readonly { readonly bytes: number; readonly share: Share }[];
}

export type RateOption = Rate | readonly RateSegment[] | ReplayOption;

/** The last segment may leave `for` out and goes on to the end of the load; a ramp then takes all that is left to reach its rate. */
export type RateSegment =
  | { readonly hold: Rate; readonly for?: Duration }
  | { readonly ramp: Rate; readonly to: Rate; readonly for?: Duration }
  /** So many at the same moment, and again each `every`. */
  | { readonly burst: number; readonly every: Duration; readonly for?: Duration };

/**
 * Due times in ms since the start of the load, which never fall: 1 to 1000000 of them, in a list or in a file with one a line ('#' begins a comment).
 * The path counts from the current folder; the file is read when the load is built, so the plan holds its numbers.
 */
export interface ReplayOption {
  readonly replay: string | readonly number[];
}

/** What the options come down to: plain data that the engine is told. */
export interface Demand {
  readonly arrivals: Arrivals;
  readonly keys: number;
  readonly keyChoice: KeyChoice;
  readonly values: Values;
}

const MOST_PER_SECOND = 1_000_000;
const MOST_BYTES = 1_000_000;
/** Of a list that somebody writes; more is a recording. */
const MOST_SEGMENTS = 1_000;

const rateText = parsed(perSecond, "a rate, such as '2000/s'");
const shareText = parsed(share, "a share, such as '90%'");
const positiveShare = parsed((text) => {
  const value = share(text);
  if (value === 0) throw new InputError(`'${text}' is not allowed; write more than zero, such as '90%'`);
  return value;
}, "a share, such as '90%'");
const bytes = wholeNumber(0, MOST_BYTES);
const length = positiveDuration.optional();

const lasting = (text: string | undefined) => (text === undefined ? {} : { forMs: milliseconds(text) });

const hold = exactly({ hold: rateText, for: length }).transform(
  ({ hold, ...rest }): Segment => ({ kind: 'hold', ratePerSecond: perSecond(hold), ...lasting(rest.for) }),
);

const ramp = exactly({ ramp: rateText, to: rateText, for: length }).transform(
  ({ ramp, to, ...rest }): Segment => ({ kind: 'ramp', fromPerSecond: perSecond(ramp), toPerSecond: perSecond(to), ...lasting(rest.for) }),
);

const burst = exactly({ burst: wholeNumber(1, MOST_PER_SECOND), every: positiveDuration, for: length })
  .superRefine(({ burst, every }, context) => {
    const ratePerSecond = (burst * 1_000) / milliseconds(every);
    if (ratePerSecond > MOST_PER_SECOND)
      context.addIssue({ code: 'custom', path: ['burst'], message: `${burst} each ${every} is ${ratePerSecond}/s; ${MOST_PER_SECOND}/s at most` });
  })
  .transform(({ burst, every, ...rest }): Segment => ({ kind: 'burst', hits: burst, everyMs: milliseconds(every), ...lasting(rest.for) }));

const SEGMENT_FORMS = "{ hold: '1000/s', for: '10s' }, { ramp: '1000/s', to: '5000/s', for: '10s' } or { burst: 500, every: '1s', for: '5s' }";

const segment = inForm<Segment>((input) => {
  if (hasKey(input, 'hold')) return hold;
  if (hasKey(input, 'ramp')) return ramp;
  if (hasKey(input, 'burst')) return burst;
  return `${told(input)} is not a segment; write ${SEGMENT_FORMS}`;
});

const segments = z
  .array(segment)
  .min(1, { error: `no segment; write one or more, such as ${SEGMENT_FORMS}` })
  .max(MOST_SEGMENTS, { error: `more than ${MOST_SEGMENTS} segments; write { replay: 'file' } for a recording` })
  .superRefine((list, context) => {
    const endless = list.slice(0, -1).findIndex(({ forMs }) => forMs === undefined);
    if (endless >= 0) context.addIssue({ code: 'custom', path: [endless, 'for'], message: "missing; only the last segment can do without, write '10s' or so" });
  });

const replay = exactly({
  replay: z.unknown().transform((input, context): readonly number[] => {
    const read = typeof input === 'string' ? timesInFile(input) : recordedTimes(input);
    if (typeof read !== 'string') return read;
    context.addIssue({ code: 'custom', message: read });
    return z.NEVER;
  }),
});

type RateSource = { readonly segments: readonly Segment[] } | { readonly dueMs: readonly number[] };

/** '2000/s', segments, or a recording. */
export const rateField = inForm<RateSource>((input) => {
  if (input === undefined || typeof input === 'string')
    return rateText.transform((text) => ({ segments: [{ kind: 'hold' as const, ratePerSecond: perSecond(text) }] }));
  if (Array.isArray(input)) return segments.transform((list) => ({ segments: list }));
  if (hasKey(input, 'replay')) return replay.transform(({ replay: dueMs }) => ({ dueMs }));
  return `${told(input)} is not a rate; write '2000/s', a list of segments such as ${SEGMENT_FORMS}, or { replay: 'arrivals.txt' }`;
});

export const keyChoiceField = inForm<KeyChoice>((input) => {
  if (input === 'uniform' || input === 'sequential') return z.literal(input).transform((kind) => ({ kind }));
  if (hasKey(input, 'zipf')) return exactly({ zipf: positiveNumber(5, 0.99) }).transform(({ zipf }) => ({ kind: 'zipf' as const, exponent: zipf }));
  if (hasKey(input, 'hot'))
    return exactly({ hot: wholeNumber(1, 999_999), share: positiveShare }).transform((is) => ({
      kind: 'hot' as const,
      hot: is.hot,
      hotShare: share(is.share),
    }));
  return `${told(input)} is not allowed; write 'uniform', 'sequential', { zipf: 0.99 } or { hot: 100, share: '90%' }`;
});

const between = exactly({ from: bytes, to: bytes })
  .superRefine(({ from, to }, context) => {
    if (from > to) context.addIssue({ code: 'custom', path: ['from'], message: `${from} is more than to, which is ${to}` });
  })
  .transform(({ from, to }): Values => ({ kind: 'between', fromBytes: from, toBytes: to }));

const lognormal = exactly({
  lognormal: exactly({ median: wholeNumber(1, MOST_BYTES), sigma: positiveNumber(5, 1), most: wholeNumber(1, MOST_BYTES) }).superRefine(
    ({ median, most }, context) => {
      if (median > most) context.addIssue({ code: 'custom', path: ['median'], message: `${median} is more than most, which is ${most}` });
    },
  ),
}).transform(({ lognormal: { median, sigma, most } }): Values => ({ kind: 'lognormal', medianBytes: median, sigma, mostBytes: most }));

const mixed = z
  .array(exactly({ bytes, share: shareText }))
  .min(1, { error: "no length; write one or more, such as { bytes: 100, share: '100%' }", abort: true })
  .max(100, { error: 'more than 100 lengths' })
  .superRefine((list, context) => {
    const sum = list.reduce((total, part) => total + share(part.share), 0);
    if (Math.abs(sum - 1) > 1e-9)
      context.addIssue({
        code: 'custom',
        message: `shares ${list.map((part) => part.share).join(', ')} add up to ${Number((sum * 100).toFixed(6))}%, not to 100%`,
      });
  })
  .transform((list): Values => ({ kind: 'mixed', parts: list.map((part) => ({ bytes: part.bytes, share: share(part.share) })) }));

export const valueBytesField = inForm<Values>((input) => {
  if (typeof input === 'number') return bytes.transform((length): Values => ({ kind: 'fixed', bytes: length }));
  if (Array.isArray(input)) return mixed;
  if (hasKey(input, 'lognormal')) return lognormal;
  if (hasKey(input, 'from') || hasKey(input, 'to')) return between;
  return `${told(input)} is not allowed; write a number of bytes, { from: 100, to: 1000 }, { lognormal: { median: 300, sigma: 1, most: 100000 } } or [{ bytes: 100, share: '90%' }, { bytes: 10000, share: '10%' }]`;
});

/** The keys of `DemandOptions`, for the schema of a kind of client: `exactly({ ...demandFields, ... }).superRefine(refuseMisfits)`. */
export const demandFields = {
  rate: rateField,
  arrivals: oneOf(['even', 'poisson']).optional(),
  keys: wholeNumber(1, 1_000_000).default(2_000),
  keyChoice: keyChoiceField.default({ kind: 'uniform' }),
  valueBytes: valueBytesField.default({ kind: 'fixed', bytes: 100 }),
};

/** Options that passed `demandFields`. */
export interface DemandFields {
  readonly rate: RateSource;
  readonly arrivals?: 'even' | 'poisson' | undefined;
  readonly keys: number;
  readonly keyChoice: KeyChoice;
  readonly valueBytes: Values;
}

/** What no option shows alone: hot keys that there are not, a spacing of times that are given. */
export function refuseMisfits({ rate, arrivals, keys, keyChoice, tenants }: DemandFields & { readonly tenants?: unknown }, context: z.RefinementCtx): void {
  if (keyChoice.kind === 'hot' && keyChoice.hot >= keys && !tenants)
    context.addIssue({
      code: 'custom',
      path: ['keyChoice', 'hot'],
      message: `${keyChoice.hot} of ${keys} keys is not allowed; let fewer be hot than there are`,
    });
  if ('dueMs' in rate && arrivals !== undefined)
    context.addIssue({ code: 'custom', path: ['arrivals'], message: `'${arrivals}' is not allowed beside a replay, whose times are given; leave it out` });
}

/** Options that passed `demandFields` and `refuseMisfits` to what the engine is told. */
export function demandOf({ rate, arrivals, keys, keyChoice, valueBytes }: DemandFields): Demand {
  return {
    arrivals: 'dueMs' in rate ? { kind: 'replay', dueMs: rate.dueMs } : { kind: 'segments', spacing: arrivals ?? 'even', segments: rate.segments },
    keys,
    keyChoice,
    values: valueBytes,
  };
}
