/**
 * loss: a share of the packets to a node, from it, or both, is gone; or of those over a link.
 *
 * On the wire: nftables in the network namespace of the node (of Toxiproxy, for a link) drops packets by chance, handshakes and datagrams alike: what comes to its port as it comes in, what leaves
 * from it on its way to the device, behind the socket. A TCP sender misses the acknowledgement and sends again, after 200 ms at the earliest where nothing else is under way: that, and not the
 * loss, is what requests feel. With `peer`, only packets between the node and that one by its own address, and with `port`, only those of that port of the node's. What comes over links comes from
 * Toxiproxy's address: there one names the link. Its share can be changed while it lasts, in one transaction, without a packet that is under neither.
 *
 * It does not: touch what the node itself asks of others.
 *
 * Proof: of datagrams to (from) the same port, as many are missing as were asked for, within four standard deviations and so that half the share would be told from it, and the
 * rule has counted some. Of so many new connections that one in a thousand looks would see none, some are not made at once, and over a kept one an exchange has to be sent again. Where it is narrowed, none of 1,000 that it is not for (Toxiproxy's for a peer, those of the port that is served for another port) is missing.
 *
 * Needs: nftables in the kernel, with chance (nft_numgen) and at a device's egress (Linux 5.16), and a sidecar with the one capability NET_ADMIN in the network namespace of the node (of
 * Toxiproxy, for a link) and in the one from which it is looked at.
 */
import { z } from 'zod';
import type { Prober } from '../../cluster/types.ts';
import { InvalidRunError } from '../../core/errors.ts';
import { formatShare, type Share, share } from '../../core/units.ts';
import { shareOf } from '../fields.ts';
import { onAll, proof, until } from '../probing.ts';
import { type Aim, aimed, type Narrowed, type View } from './aims.ts';
import { datagramsFor, lostShare, tolerance } from './dose.ts';
import { bittenBy, type InForce, putInForce, refuseOther } from './in-force.ts';
import { packetFault } from './kind.ts';
import type { Direction, PacketRule } from './nft.ts';

export interface Loss extends Narrowed {
  readonly kind: 'loss';
  readonly on: string;
  readonly share: Share;
  /** As the node sees it, or the link's far end. */
  readonly direction: 'in' | 'out' | 'both';
}

/** Loses `share` of the packets to the port of the nodes or links of `on` ('in', the default), from it ('out'), or both. */
export const loss = (on: string, share: Share, { direction = 'in', ...narrowed }: { readonly direction?: Loss['direction'] } & Narrowed = {}): Loss => ({
  kind: 'loss',
  on,
  share,
  direction,
  ...narrowed,
});

/** Less cannot be told from nothing by a proof of a second or two. */
const LEAST_SHARE = 0.005;
const BASELINE_DATAGRAMS = 1_000;
/** Of so many over the share, one at least is lost but once in e^7 = 1,100 times: enough to see that connections meet it, too, whose share the datagrams tell. */
const TRIES_FOR_ONE = 7;
/** Datagrams over the share of which none is lost once in e^10.3 = 30,000 looks, while it is still there: there are some 30 looks before a proof gives up. */
const CLEAN_FOR_GONE = 10.3;
const CALLS_PER_SECOND = 2_000;
/** What was lost is sent again after 200 ms (of a handshake after 1 s); anything else takes a tenth of that, on a busy machine too. */
const SENT_AGAIN_MS = 150;
const CALL_PATIENCE_MS = 300;

export const lossKind = packetFault<Loss>({
  kind: 'loss',
  summary: 'a share of the packets to or from a node, or over a link, is lost',
  example: loss('mc-1', '5%'),
  fields: { share: shareOf(LEAST_SHARE), direction: z.enum(['in', 'out', 'both']) },
  alters: ['timing', 'connects', 'answers'],
  needs: [],
  ramps: true,
  phrase: (fault) => `loss ${fault.share} ${fault.direction === 'both' ? 'in and out' : fault.direction}`,
  provingMs: (fault) => 700 + datagramsFor(share(fault.share)) / 20 + CALL_PATIENCE_MS + (1_000 * triesFor(fault)) / CALLS_PER_SECOND,
  trial: (['in', 'out'] as const).map((direction) => ({ direction, peer: '192.0.2.1', share: 0.5, verdict: 'drop' })),

  async prepare(fault, aims) {
    const directions: Direction[] = fault.direction === 'both' ? ['in', 'out'] : [fault.direction];
    const met = aims.map(({ meets }) => meets);
    const spared = aims.flatMap((aim) => aim.spared);
    const measured = (views: readonly Aim['meets'][], count: number) =>
      Promise.all(views.flatMap(({ place }) => directions.map((direction) => lostShare(place, direction, count))));
    // One after the other: what leaves from one port can have one sender at a time.
    const measuredSpared = async () => {
      const lost: number[] = [];
      for (const view of spared) lost.push(...(await measured([view], BASELINE_DATAGRAMS)));
      return lost;
    };
    const lostBefore = [...(await measured(met, BASELINE_DATAGRAMS)), ...(await measuredSpared())].find((lost) => lost > 0);
    if (lostBefore !== undefined)
      throw new InvalidRunError(
        `${formatShare(lostBefore)} of ${BASELINE_DATAGRAMS} datagrams were lost before the fault, so the fault could not be told from it`,
      );
    return {
      async inject() {
        let now = fault;
        const rules: { aim: Aim; inForce: InForce }[] = [];
        const inForce = await onAll(
          aims.map((aim) => async () => {
            const one = await putInForce(aim, rulesOf(now, aim, directions));
            rules.push({ aim, inForce: one });
            return one;
          }),
        );
        const bitten = () => bittenBy(rules.map((one) => one.inForce));
        return {
          ...inForce,
          change: async (to) => {
            refuseOther(fault, to, 'share');
            await Promise.all(rules.map((one) => one.inForce.replace(rulesOf(to as Loss, one.aim, directions))));
            now = to as Loss;
          },
          prove: (limitMs) =>
            until(async () => {
              const asked = share(now.share);
              const count = datagramsFor(asked);
              const before = await bitten();
              const lost = await measured(met, count);
              const byRules = (await bitten()) - before;
              const bystanders = await measuredSpared();
              const connections = await Promise.all(met.map((view) => metByConnections(view, triesFor(now))));
              const holds =
                lost.every((one) => Math.abs(one - asked) <= tolerance(asked, count)) &&
                byRules > 0 &&
                bystanders.every((one) => one === 0) &&
                connections.every(({ silent, late }) => silent > 0 && late !== false);
              const others = spared.length === 0 ? '' : `; ${bystanders.map((one) => formatShare(one)).join(', ')} of what it is not for`;
              return proof(
                holds,
                `${now.share} of packets lost`,
                `${lost.map((one) => formatShare(one)).join(', ')} of ${count} datagrams lost, ${byRules} packets by the rule's counter; ${connections.map(toldOf).join('; ')}${others}`,
              );
            }, limitMs),
          proveHealed: (limitMs) =>
            until(async () => {
              const count = Math.max(BASELINE_DATAGRAMS, Math.ceil(CLEAN_FOR_GONE / share(now.share)));
              const lost = await measured(met, count);
              return proof(
                lost.every((one) => one === 0),
                'no packet lost',
                `${lost.map((one) => formatShare(one)).join(', ')} of ${count} datagrams lost`,
              );
            }, limitMs),
        };
      },
    };
  },
});

function triesFor(fault: Loss): number {
  return Math.max(20, Math.ceil(TRIES_FOR_ONE / share(fault.share)));
}

interface MetByConnections {
  readonly tries: number;
  /** Of so many new connections, those whose handshake was not over when it would have been. */
  readonly silent: number;
  /** Whether one of so many exchanges over a kept connection had to be sent again; undefined where nobody answers at that port. */
  readonly late: boolean | undefined;
}

async function metByConnections({ prober, speaks }: View, tries: number): Promise<MetByConnections> {
  const [{ silent }, late] = await Promise.all([
    prober.dial({ count: tries, atOnce: 10, perSecond: CALLS_PER_SECOND, patienceMs: CALL_PATIENCE_MS, held: false }),
    speaks ? isLateOnce(prober, tries) : undefined,
  ]);
  return { tries, silent, late };
}

/** Over a kept connection, one exchange after the other until one is. */
async function isLateOnce(prober: Prober, tries: number): Promise<boolean> {
  for (let asks = 0; asks < tries; asks++) {
    const { kind, ms } = await prober.ask('kept', SENT_AGAIN_MS);
    if (kind !== 'answered' || ms >= SENT_AGAIN_MS) return true;
  }
  return false;
}

function toldOf({ tries, silent, late }: MetByConnections): string {
  const kept = late === undefined ? '' : `, a kept one ${late ? 'had to send again' : 'never had to send again'}`;
  return `of ${tries} new connections ${silent} not made at once${kept}`;
}

function rulesOf(fault: Loss, aim: Aim, directions: readonly Direction[]): PacketRule[] {
  return directions.map((direction) => ({ direction, ...aimed(aim), verdict: 'drop', share: share(fault.share) }));
}
