/**
 * Traffic as a typed value: clients of a cache that ask for keys at a constant rate over a pool of connections, as an application with a
 * connection pool does.
 *
 * ```ts
 * cacheClients({ rate: '2000/s', connections: 50, mix: { get: '90%', set: '10%' }, deadline: '1s', timeout: '250ms', onTimeout: 'reconnect' })
 * ```
 */
import { z } from 'zod';
import { InputError, messageOf } from '../../harness/core/errors.ts';
import { linkName } from '../../harness/core/names.ts';
import { type Duration, formatShare, milliseconds, perSecond, type Rate, type Share, share } from '../../harness/core/units.ts';
import { oneLine } from '../../harness/run/oneline.ts';
import type { LoadSpec } from '../../harness/run/types.ts';
import type { ClientSettings } from './settings.ts';

export { CLIENT_SOURCES } from './node.ts';

export interface CacheClientsOptions {
  /** Requests that fall due each second, whether or not earlier ones were answered. */
  readonly rate: Rate;
  /**
   * Connections in the pool, one request at a time on each: 1 to 9000. All are open when the load starts; one that was lost is opened again by the next request
   * that finds no other free, so a pool under little load stays smaller after a fault.
   */
  readonly connections: number;
  /** What is asked, in shares that add up to 100%; what is left out is 0%. */
  readonly mix: { readonly get?: Share; readonly set?: Share };
  /** Answers within this time, counted from due, are good; a request that has no connection by then is abandoned. */
  readonly deadline: Duration;
  /** The client gives up a request this long after it sent it, or began to connect for it. */
  readonly timeout: Duration;
  /** Then the connection is kept until the late answer comes (`fail`), or closed (`reconnect`). */
  readonly onTimeout: 'fail' | 'reconnect';
  /** Rest before connecting again after a failure: `first`, doubled with each further one up to `most`; with `jitter`, drawn evenly from zero to that. */
  readonly backoff?: { readonly first: Duration; readonly most: Duration; readonly jitter: boolean };
  /** Different keys, all stored before the load starts and asked for with the same chance: 1 to 1000000. Default 2000. */
  readonly keys?: number;
  /** Length of each value: 0 to 1000000. Default 100. */
  readonly valueBytes?: number;
  /** Who asks, for objectives that tell tenants apart. Default 'everyone'. */
  readonly tenant?: string;
  /** The client node that it runs in. Default 'client-1'. */
  readonly node?: string;
  /** Name of this load, unlike that of any other beside it; its keys begin with it. Default: the node's name. */
  readonly name?: string;
  /** The node that it talks to. Default 'edge'. */
  readonly entry?: string;
  /** memcached nodes behind it, mc-1 to mc-N. Default 4. */
  readonly backends?: number;
  /** Their names, in the proxies' order, where they are called otherwise. */
  readonly shards?: readonly string[];
}

const wholeNumber = (least: number, most: number) => {
  const error = (issue: { input?: unknown }) => `${String(issue.input)} is not allowed; write a whole number from ${least} to ${most}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(most, { error });
};

/** Text that `parse` accepts; its own words are the error. */
const parsed = (parse: (text: string) => number, example: string) =>
  z.string({ error: (issue) => `${issue.input === undefined ? 'missing' : String(issue.input)}; write ${example}` }).superRefine((text, context) => {
    try {
      parse(text);
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: messageOf(thrown).replace(/^[a-z]+: /, '') });
    }
  });

const positiveDuration = parsed((text) => {
  const ms = milliseconds(text);
  if (ms < 1) throw new InputError(`'${text}' is too short; write '1ms' or more`);
  return ms;
}, "a duration, such as '250ms'");

const nodeName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: (issue) => `'${String(issue.input)}' is not a name; write small letters, digits and '-', such as 'client-1'` });

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, { error: (issue) => `'${String(issue.input)}' is not allowed; write ${values.map((value) => `'${value}'`).join(' or ')}` });

/** An object of these keys and no others. */
const exactly = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key '${issue.keys?.[0]}'; known: ${Object.keys(shape).join(', ')}`
        : `${issue.input === undefined ? 'missing' : 'not an object'}; its keys are ${Object.keys(shape).join(', ')}`,
  });

/** What `cacheClients` accepts. */
export const cacheClientsSchema = exactly({
  rate: parsed(perSecond, "a rate, such as '2000/s'"),
  connections: wholeNumber(1, 9_000),
  mix: exactly({ get: parsed(share, "a share, such as '90%'").default('0%'), set: parsed(share, "a share, such as '10%'").default('0%') }).superRefine(
    ({ get, set }, context) => {
      const sum = shareOrNone(get) + shareOrNone(set);
      if (Math.abs(sum - 1) > 1e-9)
        context.addIssue({ code: 'custom', message: `get ${get} and set ${set} add up to ${Number((sum * 100).toFixed(6))}%, not to 100%` });
    },
  ),
  deadline: positiveDuration,
  timeout: positiveDuration,
  onTimeout: oneOf(['fail', 'reconnect']),
  backoff: exactly({ first: positiveDuration, most: positiveDuration, jitter: z.boolean({ error: 'write true or false' }) }).optional(),
  keys: wholeNumber(1, 1_000_000).default(2_000),
  valueBytes: wholeNumber(0, 1_000_000).default(100),
  tenant: nodeName.default('everyone'),
  node: nodeName.default('client-1'),
  name: nodeName.optional(),
  entry: nodeName.default('edge'),
  backends: wholeNumber(1, 150).default(4),
  shards: z.array(nodeName).min(1, { error: 'none are named; name one or more nodes' }).optional(),
});

/** Clients as a load of a scenario. Throws InputError with one line that names the option. */
export function cacheClients(options: CacheClientsOptions): LoadSpec {
  const result = cacheClientsSchema.safeParse(options);
  if (!result.success) throw new InputError(`cacheClients: ${oneLine(result.error, 'options')}`);
  const { rate, connections, mix, node, entry, backends, backoff, ...client } = result.data;
  const name = client.name ?? node;
  const shards = client.shards ?? Array.from({ length: backends }, (_, index) => `mc-${index + 1}`);
  const deadlineMs = milliseconds(client.deadline);
  const timeoutMs = milliseconds(client.timeout);
  const settings: ClientSettings = {
    entry: `\${link:${linkName(node, entry)}}`,
    name,
    tenant: client.tenant,
    ratePerSecond: perSecond(rate),
    connections,
    getShare: share(mix.get),
    keys: client.keys,
    valueBytes: client.valueBytes,
    deadlineMs,
    timeoutMs,
    onTimeout: client.onTimeout,
    ...(backoff ? { backoff: { firstMs: milliseconds(backoff.first), mostMs: milliseconds(backoff.most), jitter: backoff.jitter } } : {}),
    shards,
  };
  return {
    name,
    node,
    title: `${rate} over ${connections} connection${connections === 1 ? '' : 's'}, ${formatShare(settings.getShare)} get`,
    program: { node, program: 'containers/client/main.ts', settings },
    ratePerSecond: settings.ratePerSecond,
    connections,
    longestRequestMs: deadlineMs + timeoutMs,
    shards,
  };
}

/** The share, or nothing where its own error has been told. */
function shareOrNone(text: string): number {
  return /^\d+(\.\d+)?%$/.test(text) ? Number(text.slice(0, -1)) / 100 : 0;
}
