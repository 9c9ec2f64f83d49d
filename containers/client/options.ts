/** The options that all kinds of cache clients share, their schemas, and the way from them to settings. */
import { z } from 'zod';
import { linkName } from '../../harness/core/names.ts';
import { type Duration, milliseconds, type Share, share } from '../../harness/core/units.ts';
import type { ConnectionUse } from '../../harness/load/pool/pool-options.ts';
import type { Retry } from '../../harness/load/pool/retry.ts';
import { OPERATIONS_OF, type Operation, type ProtocolName } from '../memcached/protocol.ts';
import { type DemandOptions, demandFields, keyChoiceField, refuseMisfits } from './demand.ts';
import { exactly, hasKey, inForm, nodeName, oneOf, parsed, positiveDuration, told, wholeNumber } from './fields.ts';
import type { ClientSettings } from './settings.ts';
import { longestNameBytes, type TenantSettings } from './workload.ts';

/** Shares that add up to 100%; what is left out is 0%. */
export type MixOption = { readonly [operation in Operation]?: Share };

export interface ClientOptions {
  /**
   * What is asked. `multi-get` asks for several keys in one request, `cas` writes with the token that `gets` saw last. `incr` and `decr` count in values of 20 digits,
   * whatever `valueBytes` says.
   */
  readonly mix: MixOption;
  /** memcached's protocol. twemproxy speaks text alone. Default 'text'. */
  readonly protocol?: ProtocolName;
  /** Logs in with SASL PLAIN when a connection opens; binary protocol only. */
  readonly auth?: { readonly user: string; readonly password: string };
  /** Answers within this time, counted from due, are good; a request that has no connection by then is abandoned. */
  readonly deadline: Duration;
  /** The client gives up a request this long after it sent it, or began to connect for it. */
  readonly timeout: Duration;
  /** Then the connection is kept until the late answer comes (`fail`), or closed (`reconnect`). */
  readonly onTimeout: 'fail' | 'reconnect';
  /** How connections are used. Default 'pooled'. */
  readonly use?: UseOption;
  /** When a lost connection is opened again: by the next request that finds no other (`on demand`), or at once, after its backoff. Default 'on demand'. */
  readonly reconnect?: 'on demand' | 'at once';
  /**
   * Rest before connecting again after a failure: `first`, doubled with each further one up to `most`; with `jitter`, drawn evenly from zero to that. Without jitter,
   * connections that are lost together come back together: a herd.
   */
  readonly backoff?: { readonly first: Duration; readonly most: Duration; readonly jitter: boolean };
  /** Whether a failed request is tried again before its deadline. Default: it is not. */
  readonly retry?: RetryOption;
  /** Keys per multi-get, 1 to 1000. Default 10. */
  readonly multiGet?: number;
  /** All key names this long, 1 to 250 bytes. Default: as long as they come. */
  readonly keyBytes?: number;
  /** Who asks, for objectives that tell tenants apart. Default 'everyone'. */
  readonly tenant?: string;
  /** Several who share these connections, each with its share of the requests, and what it does otherwise than the rest. */
  readonly tenants?: readonly TenantOption[];
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

export interface TenantOption extends Pick<DemandOptions, 'keys' | 'keyChoice'> {
  readonly name: string;
  /** Of all requests; the shares of all tenants add up to 100%. */
  readonly share: Share;
  readonly mix?: MixOption;
}

/**
 * `pooled`: kept for ever. `per-request`: closed behind each answer. `{ for }`: replaced when it is so old (with `jitter`, between half and one and a half times
 * that). `{ leak }`: after this share of the answers the client forgets its connection without closing it.
 */
export type UseOption = 'pooled' | 'per-request' | { readonly for: Duration; readonly jitter?: boolean } | { readonly leak: Share };

export interface RetryOption {
  /** In all, the first included: 2 to 100. */
  readonly tries: number;
  /** Before each retry: nothing (`none`), always the same (`{ fixed }`), or drawn evenly from zero to `first`, doubled with each one up to `most` (`{ first, most }`: full jitter). */
  readonly wait: 'none' | { readonly fixed: Duration } | { readonly first: Duration; readonly most: Duration };
  /** Retries that each new request earns, so that they add no more than this to the load, however much fails; ten are saved up from the start. Default: without bound. */
  readonly budget?: Share;
}

const NAMES: readonly Operation[] = [...new Set(Object.values(OPERATIONS_OF).flat())];

const mixField = z
  .record(z.string(), z.unknown(), { error: "missing; write what is asked, such as { get: '90%', set: '10%' }" })
  .transform((mix, context): TenantSettings['mix'] => {
    const refuse = (message: string, path: string[] = []) => {
      context.addIssue({ code: 'custom', message, path });
      return z.NEVER;
    };
    const unknown = Object.keys(mix).find((name) => !NAMES.includes(name as Operation));
    if (unknown !== undefined) return refuse(`unknown key '${unknown}'; known: ${NAMES.join(', ')}`);
    const shares: Partial<Record<Operation, number>> = {};
    for (const [name, text] of Object.entries(mix)) {
      const parsedShare = shareField.safeParse(text);
      if (!parsedShare.success) return refuse(parsedShare.error.issues[0]?.message ?? '', [name]);
      shares[name as Operation] = share(parsedShare.data);
    }
    const sum = Object.values(shares).reduce((total, part) => total + part, 0);
    const told = Object.entries(mix).map(([name, text]) => `${name} ${String(text)}`);
    if (Math.abs(sum - 1) > 1e-9) return refuse(`${told.join(' and ') || 'nothing'} add up to ${Number((sum * 100).toFixed(6))}%, not to 100%`);
    return shares;
  });

const shareField = parsed(share, "a share, such as '90%'");
const someShare = shareField.refine((text) => share(text) > 0, { error: "'0%' is not allowed; write more than nothing, such as '10%'" });

const useField = inForm<ConnectionUse>((input) => {
  if (input === 'pooled' || input === 'per-request') return z.literal(input);
  if (hasKey(input, 'for'))
    return exactly({ for: positiveDuration, jitter: z.boolean({ error: 'write true or false' }).default(false) }).transform((life) => ({
      forMs: milliseconds(life.for),
      jitter: life.jitter,
    }));
  if (hasKey(input, 'leak')) return exactly({ leak: someShare }).transform(({ leak }) => ({ leakShare: share(leak) }));
  return `${told(input)} is not allowed; write 'pooled', 'per-request', { for: '5s' } or { leak: '1%' }`;
});

/** A wait that doubles from the first on up to the most. */
const growing = { first: positiveDuration, most: positiveDuration };

function refuseShrinking({ first, most }: { readonly first: string; readonly most: string }, context: z.RefinementCtx): void {
  if (milliseconds(first) > milliseconds(most))
    context.addIssue({ code: 'custom', path: ['first'], message: `'${first}' is longer than most, which is '${most}'; write that or less` });
}

const waitField = inForm<Pick<Retry, 'wait' | 'firstMs' | 'mostMs'>>((input) => {
  if (input === 'none') return z.literal('none').transform((wait) => ({ wait, firstMs: 0, mostMs: 0 }));
  if (hasKey(input, 'fixed'))
    return exactly({ fixed: positiveDuration }).transform(({ fixed }) => ({
      wait: 'fixed' as const,
      firstMs: milliseconds(fixed),
      mostMs: milliseconds(fixed),
    }));
  if (hasKey(input, 'first'))
    return exactly(growing)
      .superRefine(refuseShrinking)
      .transform(({ first, most }) => ({
        wait: 'full-jitter' as const,
        firstMs: milliseconds(first),
        mostMs: milliseconds(most),
      }));
  return `${told(input)} is not allowed; write 'none', { fixed: '50ms' } or { first: '50ms', most: '1s' }`;
});

const retryField = exactly({ tries: wholeNumber(2, 100), wait: waitField, budget: someShare.optional() }).transform(
  ({ tries, wait, budget }): Retry => ({ tries, ...wait, ...(budget === undefined ? {} : { budgetShare: share(budget) }) }),
);

const tenantField = exactly({
  name: nodeName,
  share: someShare,
  mix: mixField.optional(),
  keys: wholeNumber(1, 1_000_000).optional(),
  keyChoice: keyChoiceField.optional(),
});
export type TenantFields = z.output<typeof tenantField>;

const word = (what: string) =>
  z
    .string({ error: `missing; write ${what}` })
    .min(1, { error: `'' is not allowed; write ${what}` })
    .max(255, { error: `longer than 255 characters; write ${what}` });

/** A login by SASL PLAIN. */
export const authField = exactly({ user: word('a name'), password: word('a password') });

const clientFields = {
  mix: mixField,
  protocol: oneOf(['text', 'meta', 'binary']).default('text'),
  auth: authField.optional(),
  deadline: positiveDuration,
  timeout: positiveDuration,
  onTimeout: oneOf(['fail', 'reconnect']),
  use: useField.optional(),
  reconnect: oneOf(['on demand', 'at once']).optional(),
  backoff: exactly({ ...growing, jitter: z.boolean({ error: 'write true or false' }) })
    .superRefine(refuseShrinking)
    .optional(),
  retry: retryField.optional(),
  multiGet: wholeNumber(1, 1_000).optional(),
  keyBytes: wholeNumber(1, 250).optional(),
  tenant: nodeName.optional(),
  tenants: z.array(tenantField).min(1, { error: 'none are named; name one or more' }).max(100, { error: 'more than 100' }).optional(),
  processes: wholeNumber(1, 16).default(1),
  node: nodeName.default('client-1'),
  name: nodeName.optional(),
  entry: nodeName.default('edge'),
  backends: wholeNumber(1, 150).default(4),
  shards: z.array(nodeName).min(1, { error: 'none are named; name one or more nodes' }).optional(),
};

const { keys, keyChoice, valueBytes } = demandFields;

/** What `cacheClients` accepts. */
export const cacheClientsSchema = exactly({
  ...demandFields,
  ...clientFields,
  connections: wholeNumber(1, 9_000),
  pipeline: wholeNumber(1, 1_000).default(1),
  pacing: oneOf(['economical', 'exact']).optional(),
})
  .superRefine(refuseMisfits)
  .superRefine(refuseClientMisfits);

/** What `cacheWorkers` accepts. */
export const cacheWorkersSchema = exactly({
  keys,
  keyChoice,
  valueBytes,
  ...clientFields,
  workers: wholeNumber(1, 9_000),
  thinks: parsed((text) => milliseconds(text), "a duration, such as '1s', or '0ms'"),
  jitter: z.boolean({ error: 'write true or false' }).default(false),
  batch: wholeNumber(1, 1_000).default(1),
})
  .superRefine((client, context) => refuseMisfits({ ...client, rate: { segments: [] } }, context))
  .superRefine(refuseClientMisfits);

export type ClientFields = Omit<z.output<typeof cacheWorkersSchema>, 'workers' | 'thinks' | 'jitter' | 'batch' | 'processes'>;

/** What no option shows alone. */
function refuseClientMisfits(client: ClientFields & { readonly pipeline?: number; readonly batch?: number }, context: z.RefinementCtx): void {
  const cold = tenantsOf(client).find(({ keyChoice: choice, keys: count }) => choice.kind === 'hot' && choice.hot >= count);
  const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  const tenants = tenantsOf(client);
  const asked = tenants.flatMap(({ mix }) => Object.keys(mix).filter((name) => (mix[name as Operation] ?? 0) > 0)) as Operation[];
  const unspoken = asked.find((name) => !OPERATIONS_OF[client.protocol].includes(name));
  if (unspoken) refuse('mix', `the ${client.protocol} protocol has no '${unspoken}' here; it has ${OPERATIONS_OF[client.protocol].join(', ')}`);
  if (client.auth && client.protocol !== 'binary') refuse('auth', `the ${client.protocol} protocol has no login here; write protocol: 'binary'`);
  if (client.tenant !== undefined && client.tenants) refuse('tenant', `'${client.tenant}' and tenants are not allowed beside each other; write one of them`);
  const sum = tenants.reduce((total, { share: part }) => total + part, 0);
  if (Math.abs(sum - 1) > 1e-9)
    refuse('tenants', `shares ${tenants.map(({ name, share: part }) => `${name} ${Number((part * 100).toFixed(6))}%`).join(', ')} do not add up to 100%`);
  const twin = tenants.find(({ name }, index) => tenants.findIndex((other) => other.name === name) !== index);
  if (twin) refuse('tenants', `two are called '${twin.name}'; give each a name of its own`);
  const total = tenants.reduce((count, tenant) => count + tenant.keys, 0);
  if (total > 1_000_000) refuse('tenants', `their keys add up to ${total}; 1000000 at most`);
  if (cold && client.tenants)
    refuse('tenants', `${cold.name} has ${cold.keys} keys, of which fewer can be hot than there are; write a smaller keyChoice.hot or more keys`);
  if (client.reconnect === 'at once' && !client.backoff)
    refuse(
      'reconnect',
      "'at once' needs a backoff, or it would be tried thousands of times a second while nobody is there; write backoff: { first: '100ms', most: '5s', jitter: true }",
    );
  const again = client.shards?.find((shard, index, all) => all.indexOf(shard) !== index);
  if (again !== undefined) refuse('shards', `'${again}' is named twice; name each node once`);
  if (client.use !== undefined && client.use !== 'pooled' && ((client.pipeline ?? 1) > 1 || (client.batch ?? 1) > 1))
    refuse('use', 'a connection that carries several requests at a time is never free to be closed, replaced or forgotten; leave pipeline or batch out');
  const mixed = tenants.find(({ mix }) => (mix.incr || mix.decr) && (mix.append || mix.prepend));
  if (mixed) refuse('mix', 'append and prepend would spoil the numbers that incr and decr count; give them to tenants of their own');
  const longest = longestNameBytes(client.name ?? client.node, tenants);
  if (client.keyBytes !== undefined && client.keyBytes < longest)
    refuse('keyBytes', `${client.keyBytes} is too short for names such as these; write ${longest} to 250`);
  if (client.multiGet !== undefined && !asked.includes('multi-get'))
    refuse('multiGet', `${client.multiGet} is not allowed where nobody asks 'multi-get'; leave it out`);
  else if (client.multiGet !== undefined && client.multiGet > total)
    refuse('multiGet', `${client.multiGet} of ${total} keys is not allowed; ask for fewer at once`);
}

function tenantsOf({ tenants, tenant = 'everyone', mix, keys: count, keyChoice: choice }: ClientFields): TenantSettings[] {
  if (!tenants) return [{ name: tenant, share: 1, mix, keys: count, keyChoice: choice }];
  return tenants.map((each) => ({
    name: each.name,
    share: share(each.share),
    mix: each.mix ?? mix,
    keys: each.keys ?? count,
    keyChoice: each.keyChoice ?? choice,
  }));
}

/** Settings, but for who asks and how many at a time. */
export function settingsOf(client: ClientFields, connections: number): Omit<ClientSettings, 'asking' | 'depth'> {
  const { node, entry, backoff, use, reconnect, retry, keyBytes, multiGet, auth, protocol, onTimeout, valueBytes: values } = client;
  return {
    entry: `\${link:${linkName(node, entry)}}`,
    name: client.name ?? node,
    protocol,
    tenants: tenantsOf(client),
    values,
    connections,
    deadlineMs: milliseconds(client.deadline),
    timeoutMs: milliseconds(client.timeout),
    onTimeout,
    shards: client.shards ?? Array.from({ length: client.backends }, (_, index) => `mc-${index + 1}`),
    ...(backoff ? { backoff: { firstMs: milliseconds(backoff.first), mostMs: milliseconds(backoff.most), jitter: backoff.jitter } } : {}),
    ...(use === undefined ? {} : { use }),
    ...(reconnect === undefined ? {} : { reconnect }),
    ...(retry === undefined ? {} : { retry }),
    ...(keyBytes === undefined ? {} : { keyBytes }),
    ...(multiGet === undefined ? {} : { multiGet }),
    ...(auth === undefined ? {} : { auth }),
  };
}
