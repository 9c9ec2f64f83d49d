/**
 * loss: a share of the packets to a node, from it, or both, is gone; or of those over a link.
 *
 * On the wire: nftables in the network namespace of the node (of Toxiproxy, for a link) drops packets by chance, handshakes and datagrams alike: what comes to its port as it comes in, what leaves
 * from it on its way to the device, behind the socket. A TCP sender misses the acknowledgement and sends again, after 200 ms at the earliest where nothing else is under way: that, and not the
 * loss, is what requests feel.
 *
 * It does not: touch what the node itself asks of others.
 *
 * Proof: of datagrams to (from) the same port, as many are missing as were asked for, within four standard deviations and so that half the share would be told from it, and the rule has counted as many.
 */
import { z } from 'zod';
import { InvalidRunError } from '../../core/errors.ts';
import { formatShare, type Share, share } from '../../core/units.ts';
import { shareOf } from '../fields.ts';
import { onAll, proof, until } from '../probing.ts';
import { datagramsFor, lostShare, type Place, placesOf, tolerance } from './dose.ts';
import { bittenBy, type InForce, putInForce } from './in-force.ts';
import { packetFault } from './kind.ts';
import type { Direction } from './nft.ts';

export interface Loss {
  readonly kind: 'loss';
  readonly on: string;
  readonly share: Share;
  /** As the node sees it, or the link's far end. */
  readonly direction: 'in' | 'out' | 'both';
}

/** Loses `share` of the packets to the port of the nodes or links of `on` ('in', the default), from it ('out'), or both. */
export const loss = (on: string, share: Share, options: { readonly direction?: Loss['direction'] } = {}): Loss => ({
  kind: 'loss',
  on,
  share,
  direction: options.direction ?? 'in',
});

/** Less cannot be told from nothing by a proof of a second or two. */
const LEAST_SHARE = 0.005;
const BASELINE_DATAGRAMS = 1_000;

export const lossKind = packetFault<Loss>({
  kind: 'loss',
  summary: 'a share of the packets to or from a node, or over a link, is lost',
  example: loss('mc-1', '5%'),
  fields: { share: shareOf(LEAST_SHARE), direction: z.enum(['in', 'out', 'both']) },
  alters: ['timing'],
  needs: [],
  describe: (fault) => `loss ${fault.share} ${fault.direction === 'both' ? 'in and out' : fault.direction} on ${fault.on}`,
  provingMs: (fault) => 700 + datagramsFor(share(fault.share)) / 20,

  async prepare(fault, passages) {
    const asked = share(fault.share);
    const directions: Direction[] = fault.direction === 'both' ? ['in', 'out'] : [fault.direction];
    const places = await placesOf(passages);
    const measured = (count: number) => Promise.all(places.flatMap((place: Place) => directions.map((direction) => lostShare(place, direction, count))));
    const lostBefore = (await measured(BASELINE_DATAGRAMS)).find((lost) => lost > 0);
    if (lostBefore !== undefined)
      throw new InvalidRunError(
        `${formatShare(lostBefore)} of ${BASELINE_DATAGRAMS} datagrams were lost before the fault, so the fault could not be told from it`,
      );
    return {
      close: async () => undefined,
      async inject() {
        const rules: InForce[] = [];
        const inForce = await onAll(
          places.map(({ passage, hand }) => async () => {
            const one = await putInForce(
              passage,
              hand,
              directions.map((direction) => ({ direction, port: passage.port, verdict: 'drop', share: asked })),
            );
            rules.push(one);
            return one;
          }),
        );
        return {
          ...inForce,
          prove: (limitMs) =>
            until(async () => {
              const count = datagramsFor(asked);
              const before = await bittenBy(rules);
              const lost = await measured(count);
              const byRules = (await bittenBy(rules)) - before;
              const holds = lost.every((one) => Math.abs(one - asked) <= tolerance(asked, count));
              return proof(
                holds,
                `${fault.share} of packets lost`,
                `${lost.map((one) => formatShare(one)).join(', ')} of ${count} datagrams lost, ${byRules} packets by the rule's counter`,
              );
            }, limitMs),
          proveHealed: (limitMs) =>
            until(async () => {
              const lost = await measured(BASELINE_DATAGRAMS);
              return proof(
                lost.every((one) => one === 0),
                'no packet lost',
                `${lost.map((one) => formatShare(one)).join(', ')} of ${BASELINE_DATAGRAMS} datagrams lost`,
              );
            }, limitMs),
        };
      },
    };
  },
});
