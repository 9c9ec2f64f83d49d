/**
 * Load that consists of connections rather than of requests, as a typed value: floods, herds, leaks, and clients that behave badly.
 *
 * ```ts
 * cacheConnections({ behaviour: { flood: 16000, rate: '4000/s' }, at: '10s', timeout: '1s' })
 * cacheConnections({ behaviour: { herd: 500, every: '5s', spread: '2s' }, timeout: '1s', node: 'client-2', tenant: 'b' })
 * ```
 * A connection counts only when its first request was answered. Each attempt is a request of the operation `connect`, on no shard, in the same
 * windows as other load: `refused`, `unconnected` (connecting took too long), `timeout` (connected and never answered), `closed` (before the answer), `server`, `garbled`.
 */
import type { z } from 'zod';
import { InputError } from '../../harness/core/errors.ts';
import { linkName } from '../../harness/core/names.ts';
import { type Duration, formatMs, milliseconds, perSecond, type Rate } from '../../harness/core/units.ts';
import { oneLine } from '../../harness/run/oneline.ts';
import type { LoadSpec } from '../../harness/run/types.ts';
import { SEVERAL } from '../../harness/timeline/types.ts';
import { OPERATIONS_OF } from '../memcached/operations.ts';
import type { BehaviourSettings, ConnectionSettings } from './connections-main.ts';
import { exactly, hasKey, inForm, nodeName, oneOf, parsed, positiveDuration, told, wholeNumber } from './fields.ts';
import { namesMiB } from './footprint.ts';
import { authField } from './options.ts';

/** At which pace so many connections are opened. */
export interface Pace {
  /** This many a second, whatever is answered. Without it, as fast as they are answered. */
  readonly rate?: Rate;
  /** Without a rate: attempts under way at once, 1 to 4096. Default 128, which no listen backlog on the way is too short for (twemproxy's is 512). */
  readonly openingAtOnce?: number;
}

export type ConnectionBehaviour =
  /** So many connections, 1 to 28000, held idle. */
  | ({ readonly flood: number } & Pace)
  /** Connect, ask once, close: so many times a second. */
  | { readonly churn: Rate }
  /**
   * So many clients with a connection each, 1 to 28000. Each `every`, all that are open close and connect again: in one moment, or within `spread`, where each
   * draws a moment every time (`jitter: 'full'`, the default) or has its place (`'even'`). Who loses its connection or fails comes back in the
   * same way, but not sooner than `rest` after it began the last time. Without `every`, only those. Default spread '0s', rest '1s'.
   */
  | { readonly herd: number; readonly every?: Duration; readonly spread?: Duration; readonly jitter?: 'full' | 'even'; readonly rest?: Duration }
  /** So many connections, 1 to 28000, whose FIN follows their first request at once. */
  | ({ readonly halfClosed: number } & Pace)
  /** So many connections, 1 to 28000, that ask for a value of `valueBytes` (1 to 1000000, the default) `asks` times (1 to 1000, default 16) and never read it. */
  | ({ readonly neverReading: number; readonly valueBytes?: number; readonly asks?: number } & Pace)
  /** So many connections, 1 to 28000, on which each request comes `bytes` at a time (1 to 1000, default 1), one time each `every`. */
  | ({ readonly slowSenders: number; readonly every: Duration; readonly bytes?: number } & Pace)
  /** So many connections a second that are never closed, `most` in all, 1 to 28000. Default 5000. */
  | { readonly leak: Rate; readonly most?: number };

export interface CacheConnectionsOptions {
  readonly behaviour: ConnectionBehaviour;
  /** When it begins, from the start of the load. Default '0s'. */
  readonly at?: Duration;
  /** An attempt whose first request is not answered so long after it began is given up; of slow senders, so long after the request was whole. */
  readonly timeout: Duration;
  /** Answers within this time, counted from due, are good. Default: all answers are. */
  readonly deadline?: Duration;
  /** The client closes each connection so long after its first answer. Default: held to the end of the load. Not for churn, herd and leak. */
  readonly hold?: Duration;
  /**
   * How the client closes. A connection that it has closed by `fin`, as clients do, keeps its local port for 60 s, of some 28,000; one that it has closed by `reset` does
   * not. Default 'fin'.
   */
  readonly closeBy?: 'fin' | 'reset';
  /** The request that proves a connection. Default 'get'; its keys need not be there, and a miss is an answer. */
  readonly ask?: 'get' | 'set' | 'version';
  /** Different keys that are asked for with the same chance: 1 to 1000000. Default 100. */
  readonly keys?: number;
  /** Default 'text'. */
  readonly protocol?: 'text' | 'meta' | 'binary';
  /** Each connection logs in first (SASL PLAIN). Only binary. */
  readonly auth?: { readonly user: string; readonly password: string };
  /** Who connects, for objectives that tell tenants apart. Default 'everyone'. */
  readonly tenant?: string;
  /** The client node that it runs in; two such loads in one node would mix up their gauges. Default 'client-1'. */
  readonly node?: string;
  /** Name of this load, unlike that of any other beside it. Default: the behaviour's. */
  readonly name?: string;
  /** The node that it talks to. Default 'edge'. */
  readonly entry?: string;
}

/** What `ask: 'set'` stores. */
const SET_BYTES = 100;

/** Local ports towards one address are 28,232, unless somebody has changed that. */
const MOST_CONNECTIONS = 28_000;

const connections = wholeNumber(1, MOST_CONNECTIONS);
const rate = parsed(perSecond, "a rate, such as '200/s'");
const duration = parsed(milliseconds, "a duration, such as '2s'");

const pace = { rate: rate.optional(), openingAtOnce: wholeNumber(1, 4_096).optional() };

/** A behaviour that opens a number of connections at a pace, and what else it has. */
const paced = <Key extends string, Shape extends z.ZodRawShape>(key: Key, shape: Shape) =>
  exactly({ [key]: connections, ...pace, ...shape }).superRefine((options, context) => {
    const { rate, openingAtOnce } = options as Pace;
    if (rate !== undefined && openingAtOnce !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['openingAtOnce'],
        message: `${openingAtOnce} is not allowed beside a rate, which waits for nothing; leave one of them out`,
      });
  }) as unknown as z.ZodType<Record<Key, number> & Pace & z.output<z.ZodObject<Shape>>>;

const paceOf = (count: number, { rate, openingAtOnce = 128 }: Pace) => ({
  count,
  openingAtOnce,
  ...(rate === undefined ? {} : { ratePerSecond: perSecond(rate) }),
});

const herdSchema = exactly({
  herd: connections,
  every: positiveDuration.optional(),
  spread: duration.default('0s'),
  jitter: oneOf(['full', 'even']).default('full'),
  rest: positiveDuration.default('1s'),
}).superRefine(({ every, spread }, context) => {
  if (every !== undefined && milliseconds(spread) > milliseconds(every))
    context.addIssue({ code: 'custom', path: ['spread'], message: `'${spread}' is longer than every, which is '${every}'; write that or less` });
});

const FORMS =
  "{ flood: 1000 }, { churn: '200/s' }, { herd: 500, every: '5s' }, { halfClosed: 100 }, { neverReading: 100 }, { slowSenders: 50, every: '100ms' } or { leak: '10/s' }";

/** `valueBytes`: of the values that are asked for, where they are stored first. */
type Behaviour = BehaviourSettings & { readonly valueBytes?: number };

const behaviour = inForm<Behaviour>((input) => {
  if (hasKey(input, 'flood')) return paced('flood', {}).transform((is) => ({ kind: 'flood' as const, ...paceOf(is.flood, is) }));
  if (hasKey(input, 'halfClosed')) return paced('halfClosed', {}).transform((is) => ({ kind: 'half-closed' as const, ...paceOf(is.halfClosed, is) }));
  if (hasKey(input, 'neverReading'))
    return paced('neverReading', { valueBytes: wholeNumber(1, 1_000_000).default(1_000_000), asks: wholeNumber(1, 1_000).default(16) }).transform((is) => ({
      kind: 'never-reading' as const,
      asks: is.asks,
      valueBytes: is.valueBytes,
      ...paceOf(is.neverReading, is),
    }));
  if (hasKey(input, 'slowSenders'))
    return paced('slowSenders', { every: positiveDuration, bytes: wholeNumber(1, 1_000).default(1) }).transform((is) => ({
      kind: 'slow-senders' as const,
      bytes: is.bytes,
      everyMs: milliseconds(is.every),
      ...paceOf(is.slowSenders, is),
    }));
  if (hasKey(input, 'churn')) return exactly({ churn: rate }).transform((is) => ({ kind: 'churn' as const, ratePerSecond: perSecond(is.churn) }));
  if (hasKey(input, 'leak'))
    return exactly({ leak: rate, most: connections.default(5_000) }).transform(({ leak, most }) => ({
      kind: 'leak' as const,
      ratePerSecond: perSecond(leak),
      most,
    }));
  if (hasKey(input, 'herd'))
    return herdSchema.transform(({ herd, every, spread, jitter, rest }) => ({
      kind: 'herd' as const,
      members: herd,
      ...(every === undefined ? {} : { everyMs: milliseconds(every) }),
      spreadMs: milliseconds(spread),
      jitter,
      restMs: milliseconds(rest),
    }));
  return `${input === undefined ? 'missing' : `${told(input)} is not a behaviour`}; write ${FORMS}`;
});

/** Why a behaviour is not for `hold`. */
const CANNOT_HOLD: Readonly<Partial<Record<BehaviourSettings['kind'], string>>> = {
  churn: 'churn closes each connection when it was answered',
  herd: "a herd holds its connections until all come back, each 'every'",
  leak: 'a leak closes nothing',
};

/** What `cacheConnections` accepts. */
export const cacheConnectionsSchema = exactly({
  behaviour,
  at: duration.default('0s'),
  timeout: positiveDuration,
  deadline: positiveDuration.optional(),
  hold: positiveDuration.optional(),
  closeBy: oneOf(['fin', 'reset']).default('fin'),
  ask: oneOf(['get', 'set', 'version']).default('get'),
  keys: wholeNumber(1, 1_000_000).default(100),
  protocol: oneOf(['text', 'meta', 'binary']).default('text'),
  auth: authField.optional(),
  tenant: nodeName.default('everyone'),
  node: nodeName.default('client-1'),
  name: nodeName.optional(),
  entry: nodeName.default('edge'),
}).superRefine(({ behaviour: { kind }, hold, ask, protocol, auth }, context) => {
  const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (hold !== undefined && CANNOT_HOLD[kind] !== undefined) refuse('hold', `'${hold}' is not allowed: ${CANNOT_HOLD[kind]}; leave it out`);
  if (!OPERATIONS_OF[protocol].includes(ask)) refuse('ask', `the ${protocol} protocol has no '${ask}'; write 'get' or 'set'`);
  if (kind === 'never-reading' && ask !== 'get') refuse('ask', `'${ask}' is not allowed where large values are asked for and never read; leave it out`);
  if (auth && protocol !== 'binary') refuse('auth', `the ${protocol} protocol has no login here; write protocol: 'binary'`);
});

/** Connections as a load of a scenario. Throws InputError with one line that names the option. */
export function cacheConnections(options: CacheConnectionsOptions): LoadSpec {
  const result = cacheConnectionsSchema.safeParse(options);
  if (!result.success) throw new InputError(`cacheConnections: ${oneLine(result.error, 'options')}`);
  const { behaviour: wanted, at, timeout, deadline, hold, node, entry, name = wanted.kind, auth, keys, ...rest } = result.data;
  const { valueBytes = SET_BYTES, ...behaviour } = wanted;
  const timeoutMs = milliseconds(timeout);
  const longestRequestMs = timeoutMs + slownessMs(behaviour, name, rest.ask, timeoutMs);
  const settings: ConnectionSettings = {
    entry: `\${link:${linkName(node, entry)}}`,
    name,
    behaviour,
    atMs: milliseconds(at),
    timeoutMs,
    deadlineMs: deadline === undefined ? longestRequestMs : milliseconds(deadline),
    ...(hold === undefined ? {} : { holdMs: milliseconds(hold) }),
    ...rest,
    // One value of a megabyte does what many do.
    keys: behaviour.kind === 'never-reading' ? 1 : keys,
    valueBytes,
    ...(auth ? { auth } : {}),
  };
  return {
    name,
    node,
    title: `${titleOf(behaviour)}${settings.atMs > 0 ? `, from ${formatMs(settings.atMs)} on` : ''}`,
    program: { node, program: 'containers/client/connections-main.ts', settings },
    ...sumsOf(behaviour, timeoutMs),
    ...(behaviour.kind === 'never-reading' || rest.ask === 'set' ? { longestItemBytes: valueBytes + `${name}:${settings.keys}`.length } : {}),
    memoryMiB: namesMiB(settings.keys, `${name}:${settings.keys}`.length),
    longestRequestMs,
    shards: [SEVERAL],
  };
}

/** How much longer than the timeout a slow request can be under way: all of its bytes, and a timeout again from when it is whole. */
function slownessMs(behaviour: BehaviourSettings, name: string, ask: 'get' | 'set' | 'version', timeoutMs: number): number {
  if (behaviour.kind !== 'slow-senders') return 0;
  // A key is the name, ':' and seven digits at most; 64 bytes are more than any protocol puts around it.
  const longestBytes = 64 + name.length + 8 + (ask === 'set' ? SET_BYTES : 0);
  return Math.ceil(longestBytes / behaviour.bytes) * behaviour.everyMs + timeoutMs;
}

/** For the plan's budgets: attempts a second where they have a rate, how many in a minute where they end sooner, and the most connections at once. */
function sumsOf(behaviour: BehaviourSettings, timeoutMs: number): Pick<LoadSpec, 'ratePerSecond' | 'requestsPerMinute' | 'connections' | 'connectsPerSecond'> {
  switch (behaviour.kind) {
    case 'churn': {
      const { ratePerSecond } = behaviour;
      // Each lasts as long as the timeout at most.
      return { ratePerSecond, connectsPerSecond: ratePerSecond, connections: Math.ceil((ratePerSecond * timeoutMs) / 1_000) };
    }
    case 'leak':
      return { ratePerSecond: behaviour.ratePerSecond, connections: behaviour.most };
    case 'herd': {
      const { members, everyMs, spreadMs } = behaviour;
      const again = everyMs === undefined ? {} : { connectsPerSecond: (members * 1_000) / everyMs };
      const rounds = everyMs === undefined ? 1 : Math.ceil(60_000 / everyMs);
      return { ratePerSecond: (members * 1_000) / Math.max(1_000, spreadMs), requestsPerMinute: members * rounds, connections: members, ...again };
    }
    default:
      return { ratePerSecond: behaviour.ratePerSecond ?? 0, requestsPerMinute: behaviour.count, connections: behaviour.count };
  }
}

function titleOf(behaviour: BehaviourSettings): string {
  switch (behaviour.kind) {
    case 'churn':
      return `${behaviour.ratePerSecond} connects/s, each for one request`;
    case 'leak':
      return `${behaviour.ratePerSecond} connects/s, never closed, up to ${behaviour.most}`;
    case 'herd': {
      const { members, everyMs, spreadMs } = behaviour;
      const when = everyMs === undefined ? ' when they are lost' : ` each ${formatMs(everyMs)}`;
      return `herd of ${members}, back${when} ${spreadMs === 0 ? 'in one moment' : `within ${formatMs(spreadMs)}`}`;
    }
    default: {
      const { kind, count, ratePerSecond } = behaviour;
      const what = { flood: 'held', 'half-closed': 'half closed', 'never-reading': 'never read from', 'slow-senders': 'slow to send' }[kind];
      return `${count} connection${count === 1 ? '' : 's'} ${ratePerSecond === undefined ? 'as fast as answered' : `at ${ratePerSecond}/s`}, ${what}`;
    }
  }
}
