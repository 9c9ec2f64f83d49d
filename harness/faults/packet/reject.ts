/**
 * reject: a port refuses, as a firewall in front of it would: by a TCP reset, or by word of ICMP.
 *
 * On the wire: with 'reset' (the default), whatever comes to the port is answered with a TCP reset, so that new connections are refused and kept ones are gone with the next byte. With
 * 'icmp-port-unreachable', 'icmp-host-unreachable' or 'icmp-admin-prohibited' packets are dropped and their sender is told by that ICMP message: a new connection then fails with ECONNREFUSED for
 * the first and EHOSTUNREACH for the others, and a kept one hears nothing of it, since TCP takes ICMP for a hint once it is connected. But a kernel sends one such message a second to each address,
 * after six at once (net.ipv4.icmp_ratelimit, for the kinds in icmp_ratemask): under load most refusals are silence, and whoever connects waits for his next try (1 s, 3 s, 7 s), which may be told.
 * With `peer`, only that node is refused, by its own address, and with `port`, only at that port of the node's. What comes over links comes from Toxiproxy's address: there one names the link.
 *
 * It does not: let the node itself notice anything before it writes, nor answer for datagrams with 'reset'.
 *
 * Proof: with 'reset', exchanges on 20 new connections are refused, and on a kept one closed. With ICMP, of 20 new connections none comes through, at least one fails with the error of that
 * message and no other, the rest is silent for 300 ms; and where the probe is, messages of that code have arrived from there and none of another. Where it is narrowed, others (Toxiproxy for a
 * peer, the port that is served for another port) are answered as before.
 *
 * Needs: nftables in the kernel, with its refusals (nft_reject_inet), and a sidecar with the one capability NET_ADMIN in the network namespace of the node (of Toxiproxy, for a link) and in
 * the one from which it is looked at.
 */
import { z } from 'zod';
import { count } from '../counting.ts';
import { PATIENCE_MS } from '../probing.ts';
import type { Narrowed } from './aims.ts';
import { type Met, prepareByProbes, type Witness } from './by-probes.ts';
import { packetFault } from './kind.ts';

const REFUSALS = ['reset', 'icmp-port-unreachable', 'icmp-host-unreachable', 'icmp-admin-prohibited'] as const;
type Refusal = (typeof REFUSALS)[number];
type Message = Exclude<Refusal, 'reset'>;

export interface Reject extends Narrowed {
  readonly kind: 'reject';
  readonly on: string;
  readonly with: Refusal;
}

/** Refuses what comes to the port of the nodes of `on`. */
export const reject = (on: string, { with: by = 'reset', ...narrowed }: { readonly with?: Refusal } & Narrowed = {}): Reject => ({
  kind: 'reject',
  on,
  with: by,
  ...narrowed,
});

/** What a connecting socket makes of each (tcp(7), icmp(7)), and its code as a destination that is unreachable (RFC 792, RFC 1812). */
const MESSAGES: Readonly<Record<Message, { error: string; code: number }>> = {
  'icmp-port-unreachable': { error: 'ECONNREFUSED', code: 3 },
  'icmp-host-unreachable': { error: 'EHOSTUNREACH', code: 1 },
  'icmp-admin-prohibited': { error: 'EHOSTUNREACH', code: 13 },
};

export const rejectKind = packetFault<Reject>({
  kind: 'reject',
  summary: "a node's port refuses, by TCP reset or by ICMP",
  example: reject('mc-1'),
  fields: {
    with: z
      .enum(REFUSALS, { error: (issue) => `'${String(issue.input)}' is not a way to refuse; write one of ${REFUSALS.map((one) => `'${one}'`).join(', ')}` })
      .default('reset'),
  },
  alters: ['answers', 'connects'],
  phrase: (fault) => (fault.with === 'reset' ? 'reject' : `reject with ${fault.with}`),
  provingMs: (fault) => (fault.with === 'reset' ? 2 * PATIENCE_MS : 1_000 + 2 * PATIENCE_MS),
  trial: REFUSALS.map((by) => ({ direction: 'in', peer: '192.0.2.1', ...refusing(by) })),
  prepare: (fault, aims) => {
    const { with: by } = fault;
    const rules = (narrowed: { port: number; peer?: string }) => [{ direction: 'in', ...narrowed, ...refusing(by) }] as const;
    if (by === 'reset')
      return prepareByProbes(aims, {
        rules,
        asked: 'new connections refused, kept ones closed',
        // A probe whose kept connection is gone dials anew the next time, and is refused as well.
        bites: ({ kept, fresh }) =>
          fresh.every(isRefused('ECONNREFUSED')) && kept.every((answer) => answer.kind === 'closed' || isRefused('ECONNREFUSED')(answer)),
      });
    const { error } = MESSAGES[by];
    return prepareByProbes(aims, {
      rules,
      asked: `some new connections refused by ${error}, all others silent, by ICMP messages of that code alone`,
      bites: ({ kept, fresh }) => [...kept, ...fresh].every((answer) => answer.kind === 'silent' || isRefused(error)(answer)) && fresh.some(isRefused(error)),
      witness: messagesOf(by),
    });
  },
});

function refusing(by: Refusal): { matching?: string; verdict: string } {
  return by === 'reset' ? { matching: 'meta l4proto tcp', verdict: 'reject with tcp reset' } : { verdict: `reject with icmpx ${by.replace('icmp-', '')}` };
}

function isRefused(error: string): (answer: Met['fresh'][number]) => boolean {
  return (answer) => answer.kind === 'refused' && answer.code === error;
}

/** A socket cannot tell an unreachable host from a prohibition: the messages themselves are counted where they arrive. */
function messagesOf(by: Message): Witness {
  const { code } = MESSAGES[by];
  return async ({ meets: { place } }) => {
    const from = `ip saddr ${place.passage.address} icmp type destination-unreachable`;
    const counted = [
      { counter: 'asked', matching: `${from} icmp code ${code}` },
      { counter: 'other', matching: `${from} icmp code != ${code}` },
    ];
    const counting = await count(place.peer.hand, counted);
    return async () => {
      try {
        const [asked = 0, other = 0] = await Promise.all(counted.map(({ counter }) => counting.read(counter)));
        return { holds: asked > 0 && other === 0, told: `${asked} ICMP messages of code ${code}, ${other} of others` };
      } finally {
        await counting.end();
      }
    };
  };
}
