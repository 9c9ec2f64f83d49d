/**
 * limit-connections: a port takes so many new connections a second, or so many at once, and no more: a firewall's limit that was set for other times.
 *
 * On the wire: the first packet of each new connection (SYN) that is over the limit is dropped ('drop': whoever connects hears nothing and tries again after 1 s, 3 s, 7 s) or answered with a TCP
 * reset ('reset': refused at once). `rate` is a bucket of tokens that holds `burst` (5 when left out); `count` is of connections that are open at once, as the kernel's connection tracking has them,
 * of those that were made since: who was there before is not counted. With `per: 'source'` each address has a limit of its own; what comes over links has one address, Toxiproxy's.
 * With `peer`, only that node is limited, by its own address, and with `port`, only that port of the node's.
 *
 * It does not: touch connections that are made.
 *
 * Proof: 'rate': probes open connections 2.5 times as fast as allowed for 20 connections' worth of time (0.4 s to 5 s), and as many as allowed arrive behind the rule each second, within a quarter
 * below and 0.4 above. 'count': probes open and hold half as many again as allowed, and those that are made are, together with what others have made since, as many as allowed, within a fifth. They do
 * so from two addresses where there are two, so that one limit for all is told from one for each. The others are refused, or silent for 300 ms, as was asked. The burst is not measured. While it is
 * proven (about a second), the probes use up what is allowed, and the load gets what it can. Where it is narrowed to a peer or a port, others connect as before.
 *
 * Needs: limits of nftables and connection tracking (nft_limit, nft_connlimit, nf_conntrack) in the kernel.
 */
import { z } from 'zod';
import { perSecond, type Rate } from '../../core/units.ts';
import type { Narrowed } from './aims.ts';
import { packetFault } from './kind.ts';
import { prepareCount, prepareRate } from './limit-proofs.ts';
import { OPENING, type PacketRule } from './nft.ts';

export interface LimitConnections extends Narrowed {
  readonly kind: 'limit-connections';
  readonly on: string;
  readonly rate?: Rate;
  readonly burst?: number;
  readonly count?: number;
  readonly per: 'all' | 'source';
  readonly over: 'drop' | 'reset';
}

/** Either of both: so many a second, or so many at once. */
type Limit = { readonly rate: Rate; readonly burst?: number } | { readonly count: number };

/** Limits new connections to the nodes or links of `on`. */
export const limitConnections = (
  on: string,
  { over = 'drop', per = 'all', ...limit }: Limit & { readonly over?: LimitConnections['over']; readonly per?: LimitConnections['per'] } & Narrowed,
): LimitConnections => ({ kind: 'limit-connections', on, over, per, ...limit });

const DEFAULT_BURST = 5;
/** A probe has to open 2.5 times as many a second, and the fewer there are the longer it takes to count them. */
const LEAST_RATE = 2;
const MOST_RATE = 500;
const MOST_COUNT = 1_000;

const wholeTo = (most: number) =>
  z
    .number()
    .refine((value) => Number.isInteger(value) && value >= 1 && value <= most, {
      error: (issue) => `${String(issue.input)} is not allowed; write a whole number from 1 to ${most}`,
    })
    .optional();

export const limitConnectionsKind = packetFault<LimitConnections>({
  kind: 'limit-connections',
  summary: 'a port takes so many new connections a second, or at once, and no more',
  example: limitConnections('mc-1', { rate: '50/s', over: 'reset' }),
  fields: {
    rate: z
      .string()
      .refine((text) => /^\d+\/s$/.test(text) && Number.parseInt(text, 10) >= LEAST_RATE && Number.parseInt(text, 10) <= MOST_RATE, {
        error: (issue) => `'${String(issue.input)}' is not allowed; write a whole rate from ${LEAST_RATE}/s to ${MOST_RATE}/s, such as '50/s'`,
      })
      .optional(),
    burst: wholeTo(MOST_RATE),
    count: wholeTo(MOST_COUNT),
    per: z.enum(['all', 'source']),
    over: z.enum(['drop', 'reset']),
  },
  refine: (fault, context) => {
    const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    if ((fault.rate === undefined) === (fault.count === undefined)) refuse('rate', "write either rate, such as '50/s', or count, such as 100");
    if (fault.rate === undefined && fault.burst !== undefined) refuse('burst', 'goes with rate only');
    if (fault.per === 'source' && fault.on.includes('>')) refuse('per', "'source' goes with a node: over a link everything has one source");
  },
  alters: ['connects'],
  phrase: ({ rate, count, per, over }) =>
    `limit of ${rate === undefined ? `${count} connections` : `${rate} new connections`}${per === 'source' ? ' for each source' : ''} (${over})`,
  provingMs: (fault) => (fault.rate === undefined ? 1_500 : 1_000 + 2 * (20_000 / perSecond(fault.rate))),
  trial: [...rules({ over: 'drop', per: 'all', rate: '50/s' }), ...rules({ over: 'reset', per: 'all', count: 5 })],
  fromTwo: true,
  prepare: (fault, aims) => {
    const limited = (narrowed: { port: number; peer?: string }) => rules(fault).map((rule) => ({ ...rule, ...narrowed }));
    const limit = { aims, per: fault.per, over: fault.over, rules: limited };
    return fault.rate === undefined
      ? prepareCount({ ...limit, count: fault.count ?? 0 })
      : prepareRate({ ...limit, rate: perSecond(fault.rate), burst: fault.burst ?? DEFAULT_BURST });
  },
});

/** What is over the limit ends there; what is not is counted as passed. */
function rules({ rate, burst = DEFAULT_BURST, count, per, over }: Omit<LimitConnections, 'kind' | 'on'>): Omit<PacketRule, 'port'>[] {
  const limit = rate === undefined ? `ct count over ${count}` : `limit rate over ${perSecond(rate)}/second burst ${burst} packets`;
  return [
    { direction: 'in', matching: OPENING, limit, perSource: per === 'source', verdict: over === 'drop' ? 'drop' : 'reject with tcp reset' },
    { direction: 'in', matching: OPENING, counter: 'passed' },
  ];
}
