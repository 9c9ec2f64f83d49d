/**
 * Traffic that a k6 script carries, as a typed value: k6 is a source of load here and never the judge.
 *
 * ```ts
 * k6Load({ script: 'scenarios/k6/get.ts', rate: '200/s', preAllocatedVUs: 40, deadline: '1s', timeout: '2s', entry: 'web-1' })
 * ```
 * The client node has to be a `k6Client(...)`. What k6 does with it, and why so, is told in docs/decisions/0006-k6-is-a-source-of-load.md.
 */
import { z } from 'zod';
import { InputError, messageOf } from '../../harness/core/errors.ts';
import { linkName } from '../../harness/core/names.ts';
import { type Duration, milliseconds } from '../../harness/core/units.ts';
import { type Arrivals, describe, mostPerMinute, peakPerSecond } from '../../harness/load/demand/arrivals.ts';
import { oneLine } from '../../harness/run/oneline.ts';
import type { LoadSpec } from '../../harness/run/types.ts';
import { type RateOption, rateField } from '../client/demand.ts';
import { exactly, nodeName, positiveDuration, wholeNumber } from '../client/fields.ts';
import type { K6Segment, K6Settings } from './adapter/settings.ts';
import { OTHER } from './adapter/settings.ts';
import { readScript } from './script.ts';

export { k6Client } from './node.ts';

export interface K6LoadOptions {
  /**
   * A k6 script, in TypeScript or JavaScript, from the project's root or the current folder: its default export is called for each iteration, after its
   * `setup`, where it has one. It finds in `__ENV`: ENTRY (ip:port of the first hop), TIMEOUT ('2000ms'), SEED, and what `environment` says.
   */
  readonly script: string;
  /**
   * Iterations that fall due each second, whether or not earlier ones have ended: '1000/s', or segments that hold a rate or ramp it in a line. A script
   * that makes one request makes as many requests.
   */
  readonly rate: RateOption;
  /** VUs, each of which carries one iteration at a time: 1 to 5000. When none is free, an iteration is dropped, and counts as failed. */
  readonly preAllocatedVUs: number;
  /** So many more may be made while the load goes on, which takes k6 some time each. Default: no more. */
  readonly maxVUs?: number;
  /** Iterations that are answered within this time, counted from due, are good. */
  readonly deadline: Duration;
  /** The longest that a request may take: the script hands it on, as `http.get(url, { timeout: __ENV.TIMEOUT })`. Default '60s', which is k6's own. */
  readonly timeout?: Duration;
  /** The longest that a whole iteration may take, for scripts that make several requests. Default: the timeout and a second. */
  readonly longest?: Duration;
  /**
   * What iterations can be told apart by: `http.get(url, { tags: { operation: 'search' } })`. Those without a tag, and those that were dropped, are called
   * 'iteration'. Default: none.
   */
  readonly operations?: readonly string[];
  /** The node that it talks to. */
  readonly entry: string;
  /** Further variables for the script. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Who asks, for objectives that tell tenants apart. Default 'everyone'. */
  readonly tenant?: string;
  /** The client node that it runs in, a `k6Client`. Default 'client-1'. */
  readonly node?: string;
  /** Name of this load, unlike that of any other beside it. Default: the node's name. */
  readonly name?: string;
}

const SECOND_MS = 1_000;
const MOST_VUS = 5_000;
const RESERVED = ['ENTRY', 'TIMEOUT', 'SEED'];

const environmentField = z.record(z.string(), z.string({ error: 'write text' }), { error: "write { NAME: 'value' }" }).superRefine((variables, context) => {
  for (const name of Object.keys(variables)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || /^(K6_|AFTERSHOCK_)/.test(name) || RESERVED.includes(name))
      context.addIssue({
        code: 'custom',
        message: `'${name}' is not allowed; write a name of letters, digits and '_' that is none of ours (${RESERVED.join(', ')}, K6_..., AFTERSHOCK_...)`,
      });
  }
});

/** What k6's arrival-rate executors can plan: see adapter/schedule.ts. */
const plannable = rateField.superRefine((rate, context) => {
  const wrong = 'dueMs' in rate ? 'a recording' : rate.segments.some(({ kind }) => kind === 'burst') ? 'a burst' : undefined;
  if (wrong !== undefined) context.addIssue({ code: 'custom', message: `${wrong} cannot be planned with k6; write '1000/s', or segments of hold and ramp` });
});

/** What `k6Load` accepts. */
export const k6LoadSchema = exactly({
  script: z.string({
    error: (issue) => `${issue.input === undefined ? 'missing' : String(issue.input)}; write the path of a script, such as 'scenarios/k6/get.ts'`,
  }),
  rate: plannable,
  preAllocatedVUs: wholeNumber(1, MOST_VUS),
  maxVUs: wholeNumber(1, MOST_VUS).optional(),
  deadline: positiveDuration,
  timeout: positiveDuration.default('60s'),
  longest: positiveDuration.optional(),
  operations: z.array(nodeName, { error: "write a list of names, such as ['search', 'buy']" }).max(32, { error: 'more than 32' }).default([]),
  entry: z.string({ error: "missing; write the name of a node, such as 'web-1'" }).pipe(nodeName),
  environment: environmentField.default({}),
  tenant: nodeName.default('everyone'),
  node: nodeName.default('client-1'),
  name: nodeName.optional(),
}).superRefine(({ preAllocatedVUs, maxVUs = preAllocatedVUs, operations, timeout, longest }, context) => {
  if (maxVUs < preAllocatedVUs)
    context.addIssue({ code: 'custom', path: ['maxVUs'], message: `${maxVUs} is less than preAllocatedVUs, which is ${preAllocatedVUs}` });
  if (operations.includes(OTHER)) context.addIssue({ code: 'custom', path: ['operations'], message: `'${OTHER}' is what all others are called` });
  const twin = operations.find((name, index) => operations.indexOf(name) !== index);
  if (twin !== undefined) context.addIssue({ code: 'custom', path: ['operations'], message: `'${twin}' is there twice` });
  if (longest !== undefined && milliseconds(longest) < milliseconds(timeout))
    context.addIssue({ code: 'custom', path: ['longest'], message: `${longest} is less than timeout, which is ${timeout}` });
});

/** k6 as a load of a scenario. Throws InputError with one line that names the option, or what is wrong with the script. */
export function k6Load(options: K6LoadOptions): LoadSpec {
  const result = k6LoadSchema.safeParse(options);
  if (!result.success) throw new InputError(`k6Load: ${oneLine(result.error, 'options')}`);
  const { rate, preAllocatedVUs, maxVUs = preAllocatedVUs, node, entry, tenant, environment, operations, ...rest } = result.data;
  const segments = ('segments' in rate ? rate.segments : []) as readonly K6Segment[];
  const timeoutMs = milliseconds(rest.timeout);
  const longestMs = rest.longest === undefined ? timeoutMs + SECOND_MS : milliseconds(rest.longest);
  const settings: K6Settings = {
    entry: `\${link:${linkName(node, entry)}}`,
    ...scriptOf(rest.script),
    segments,
    preAllocatedVUs,
    maxVUs,
    deadlineMs: milliseconds(rest.deadline),
    timeoutMs,
    longestMs,
    operations,
    shard: entry,
    tenant,
    environment,
  };
  const arrivals: Arrivals = { kind: 'segments', spacing: 'even', segments };
  return {
    name: rest.name ?? node,
    node,
    title: `${describe(arrivals)} by k6 with ${maxVUs} VU${maxVUs === 1 ? '' : 's'}, ${rest.script.split(/[/\\]/).at(-1)}`,
    program: { node, program: 'containers/k6/adapter/main.ts', settings },
    ratePerSecond: peakPerSecond(arrivals),
    requestsPerMinute: mostPerMinute(arrivals),
    connections: maxVUs,
    memoryMiB: K6_MIB + (maxVUs * MIB_PER_1000_VUS) / 1_000,
    longestRequestMs: longestMs + SECOND_MS,
    shards: [entry],
  };
}

/** k6's own, and what a thousand of its virtual users take with a script of one line: measured. What a script holds, each of them holds. */
const K6_MIB = 70;
const MIB_PER_1000_VUS = 227;

function scriptOf(path: string) {
  try {
    return readScript(path);
  } catch (thrown) {
    if (thrown instanceof InputError) throw new InputError(`k6Load: script: ${messageOf(thrown)}`, { cause: thrown });
    throw thrown;
  }
}
