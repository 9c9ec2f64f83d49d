/**
 * duplicate: a share of the packets to a node's port, from it, or both, comes twice; or of those over a link.
 *
 * On the wire: packets are led through a wire (netem, or a program of ours on a tun device) that sends some of them twice, one right behind the other. TCP knows a segment that it has already and answers it with an acknowledgement; only who talks in datagrams gets
 * two.
 *
 * It does not: delay anything, nor touch what the node itself asks of others.
 *
 * Proof: of datagrams to (from) the same port, as many come a second time as were asked for, within four standard deviations and so that half the share would be told from it; none in the other direction.
 *
 * Ends by itself: as packet-delay does.
 *
 * Needs: what packet-delay needs.
 */
import { formatShare, type Share, share } from '../../core/units.ts';
import { shareOf } from '../fields.ts';
import { datagramsFor, tolerance } from './dose.ts';
import { FLIGHT_PER_SECOND, LEAST_FLIGHT_SHARE, type OnWire, type WireOptions, wiredFault, wireFields } from './wired.ts';

export interface Duplicate extends OnWire {
  readonly kind: 'duplicate';
  readonly share: Share;
}

/** Sends `share` of the packets to the port of the nodes or links of `on` ('in', the default) twice, from it ('out'), or both. */
export const duplicate = (on: string, share: Share, options: WireOptions = {}): Duplicate => ({ kind: 'duplicate', on, share, ...wireFields(options) });

export const duplicateKind = wiredFault<Duplicate>({
  kind: 'duplicate',
  summary: 'a share of the packets to or from a node, or over a link, comes twice',
  example: duplicate('mc-1', '10%'),
  fields: { share: shareOf(LEAST_FLIGHT_SHARE) },
  alters: [],
  phrase: (fault) => `duplicate ${fault.share}`,
  effects: (fault) => ({ duplicateShare: share(fault.share) }),
  flying: (fault) => {
    const asked = share(fault.share);
    const count = datagramsFor(asked);
    const again = (landed: { count: number; distinct: number }) => (landed.count - landed.distinct) / count;
    return {
      asked: `${fault.share} of packets twice`,
      sent: { count, perSecond: FLIGHT_PER_SECOND, lateMs: 0 },
      bites: (landed) => Math.abs(again(landed) - asked) <= Math.max(tolerance(asked, count), 1 / count),
      told: (landed) => `${formatShare(again(landed))} of ${count} datagrams came again`,
    };
  },
});
