/**
 * loss: a share of the packets to a node, from it, or both, is gone.
 *
 * On the wire: nftables in the node's network namespace drops packets by chance, handshakes and datagrams alike: what comes to the node's port as it comes in, what leaves from it on its way to the
 * device, behind the socket. A TCP sender misses the acknowledgement and sends again, after 200 ms at the earliest where nothing else is under way: that, and not the loss, is what requests
 * feel. It does not touch what the node itself asks of others. Proof: of datagrams to (from) the same port, as many are missing as were asked for, and the rule has counted as many.
 */
import { z } from 'zod';
import { InvalidRunError } from '../../core/errors.ts';
import { formatShare, type Share, share } from '../../core/units.ts';
import type { FaultKind } from '../fault.ts';
import { nodeTarget, shareOf } from '../fields.ts';
import { onAll, proof, until } from '../probing.ts';
import { matchingNodes, namesOfMatching } from '../targets.ts';
import { datagramsFor, lostShare, type Place, placesOf, tolerance } from './dose.ts';
import { type InForce, putInForce } from './in-force.ts';
import type { Direction } from './nft.ts';

export interface Loss {
  readonly kind: 'loss';
  readonly node: string;
  readonly share: Share;
  /** As the node sees it. */
  readonly direction: 'in' | 'out' | 'both';
}

/** Loses `share` of the packets to the port that the nodes of `node` serve ('in', the default), from it ('out'), or both. */
export const loss = (node: string, share: Share, options: { readonly direction?: Loss['direction'] } = {}): Loss => ({
  kind: 'loss',
  node,
  share,
  direction: options.direction ?? 'in',
});

/** Less cannot be told from nothing by a proof of a second or two. */
const LEAST_SHARE = 0.005;
const BASELINE_DATAGRAMS = 1_000;

export const lossKind: FaultKind<Loss> = {
  kind: 'loss',
  summary: 'a share of the packets to or from a node is lost',
  schema: z.strictObject({ kind: z.literal('loss'), node: nodeTarget, share: shareOf(LEAST_SHARE), direction: z.enum(['in', 'out', 'both']) }),
  target: (fault) => ({ kind: 'node', pattern: fault.node }),
  describe: (fault) => `loss ${fault.share} ${fault.direction === 'both' ? 'in and out' : fault.direction} on ${fault.node}`,
  excludes: ['partition', 'reject', 'drop-new', 'pause', 'kill'],
  provingMs: (fault) => 700 + datagramsFor(share(fault.share)) / 20,
  affects: (fault, cluster) => namesOfMatching(fault.node, cluster),

  ready: async (fault, cluster) => {
    await placesOf(matchingNodes(fault.node, cluster.nodes));
  },

  async prepare(fault, cluster) {
    const asked = share(fault.share);
    const directions: Direction[] = fault.direction === 'both' ? ['in', 'out'] : [fault.direction];
    const places = await placesOf(matchingNodes(fault.node, cluster.nodes));
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
          places.map(({ node, hand }) => async () => {
            const one = await putInForce(
              node,
              hand,
              directions.map((direction) => ({ direction, port: node.port, verdict: 'drop', share: asked })),
            );
            rules.push(one);
            return one;
          }),
        );
        const bitten = async () => (await Promise.all(rules.map((one) => one.bitten()))).reduce((sum, count) => sum + count, 0);
        return {
          ...inForce,
          prove: () =>
            until(async () => {
              const count = datagramsFor(asked);
              const before = await bitten();
              const lost = await measured(count);
              const byRules = (await bitten()) - before;
              const holds = lost.every((one) => Math.abs(one - asked) <= tolerance(asked, count));
              return proof(
                holds,
                `${fault.share} of packets lost`,
                `${lost.map((one) => formatShare(one)).join(', ')} of ${count} datagrams lost, ${byRules} packets by the rule's counter`,
              );
            }),
          proveHealed: () =>
            until(async () => {
              const lost = await measured(BASELINE_DATAGRAMS);
              return proof(
                lost.every((one) => one === 0),
                'no packet lost',
                `${lost.map((one) => formatShare(one)).join(', ')} of ${BASELINE_DATAGRAMS} datagrams lost`,
              );
            }),
        };
      },
    };
  },
};
