/**
 * corrupt: a share of the packets to a node's port, from it, or both, is damaged; or of those over a link.
 *
 * On the wire: packets are led through a wire (netem, or a program of ours on a tun device) that turns over one bit in some of them. The checksum does not fit any more, so whoever receives it throws it away and counts it (InCsumErrors of /proc/net/snmp). What the
 * application sees is a loss: TCP sends again, after 200 ms at the earliest where nothing else is under way.
 *
 * It does not: let wrong bytes through to the application, which no checksum of a packet would; nor touch what the node itself asks of others.
 *
 * Proof: of datagrams to (from) the same port, as many do not arrive as were asked for, within four standard deviations and so that half the share would be told from it, and the receiver's kernel has thrown most of these away for their checksum; none in the other direction.
 *
 * Ends by itself: as packet-delay does.
 *
 * Needs: what packet-delay needs.
 */
import { formatShare, type Share, share } from '../../core/units.ts';
import { shareOf } from '../fields.ts';
import { datagramsFor, tolerance } from './dose.ts';
import { FLIGHT_PER_SECOND, LEAST_FLIGHT_SHARE, type OnWire, type WireOptions, wiredFault, wireFields } from './wired.ts';

export interface Corrupt extends OnWire {
  readonly kind: 'corrupt';
  readonly share: Share;
}

/** Damages `share` of the packets to the port of the nodes or links of `on` ('in', the default), from it ('out'), or both. */
export const corrupt = (on: string, share: Share, options: WireOptions = {}): Corrupt => ({ kind: 'corrupt', on, share, ...wireFields(options) });

export const corruptKind = wiredFault<Corrupt>({
  kind: 'corrupt',
  summary: 'a share of the packets to or from a node, or over a link, is damaged and thrown away by its receiver',
  example: corrupt('mc-1', '5%'),
  fields: { share: shareOf(LEAST_FLIGHT_SHARE) },
  alters: ['timing', 'connects', 'answers'],
  phrase: (fault) => `corrupt ${fault.share}`,
  effects: (fault) => ({ corruptShare: share(fault.share) }),
  flying: (fault) => {
    const asked = share(fault.share);
    const count = datagramsFor(asked);
    const lost = ({ distinct }: { distinct: number }) => (count - distinct) / count;
    return {
      asked: `${fault.share} of packets damaged`,
      sent: { count, perSecond: FLIGHT_PER_SECOND, lateMs: 0 },
      // The bit may be one of the length's or, with netem, of a header that another checksum covers; netem's one in sixteen is of an address that nobody reads.
      bites: (landed) => Math.abs(lost(landed) - asked) <= Math.max(tolerance(asked, count), 1 / count) && landed.damaged >= (count * lost(landed)) / 2,
      told: (landed) => `${formatShare(lost(landed))} of ${count} datagrams did not come, ${landed.damaged} were damaged`,
    };
  },
});
