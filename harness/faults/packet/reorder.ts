/**
 * reorder: a share of the packets to a node's port, from it, or both, is held back, so that those behind overtake them; or of those over a link.
 *
 * On the wire: packets are led through a wire (netem, or a program of ours on a tun device) that lets some of them go only `by` later. A TCP receiver acknowledges what it has so far again and again while the one in between is missing, and its sender may take that
 * for a loss and send it once more; the application gets everything in order, later.
 *
 * It does not: lose packets, nor touch what the node itself asks of others. A connection with one packet under way at a time has none that could overtake: it only feels the delay.
 *
 * Proof: of datagrams to (from) the same port, as many come after one that was sent later as were asked for, within four standard deviations and so that half the share would be told from it, and these `by` later than the others, within 2 ms or a tenth; none in
 * the other direction.
 *
 * Ends by itself: as packet-delay does.
 *
 * Needs: what packet-delay needs.
 */

import type { Landed } from '../../cluster/wire.ts';
import { type Duration, formatMs, formatShare, milliseconds, type Share, share } from '../../core/units.ts';
import { shareOf, wholeMs } from '../fields.ts';
import { datagramsFor, tolerance } from './dose.ts';
import { medianOf } from './wire/flown.ts';
import { FLIGHT_PER_SECOND, LEAST_FLIGHT_SHARE, type OnWire, type WireOptions, wiredFault, wireFields } from './wired.ts';

export interface Reorder extends OnWire {
  readonly kind: 'reorder';
  readonly share: Share;
  /** How much later they come. */
  readonly by: Duration;
}

/** Holds `share` of the packets to the port of the nodes or links of `on` ('in', the default), from it ('out'), or both, back for `by`, 20 ms when left out. */
export const reorder = (on: string, share: Share, { by = '20ms', ...options }: WireOptions & { readonly by?: Duration } = {}): Reorder => ({
  kind: 'reorder',
  on,
  share,
  by,
  ...wireFields(options),
});

const LEAST_BY_MS = 10;
const MOST_BY_MS = 1_000;
/** When all are held back, none is overtaken: of a half, each still has one behind it that is not. */
const MOST_SHARE = 0.5;

export const reorderKind = wiredFault<Reorder>({
  kind: 'reorder',
  summary: 'a share of the packets to or from a node, or over a link, is overtaken by others',
  example: reorder('mc-1', '10%'),
  fields: { share: shareOf(LEAST_FLIGHT_SHARE), by: wholeMs(LEAST_BY_MS, MOST_BY_MS) },
  refine: (fault, context) => {
    if (share(fault.share) > MOST_SHARE)
      context.addIssue({
        code: 'custom',
        path: ['share'],
        message: `'${fault.share}' is out of range; write ${formatShare(LEAST_FLIGHT_SHARE)} to ${formatShare(MOST_SHARE)}`,
      });
  },
  alters: ['timing'],
  phrase: (fault) => `reorder ${fault.share} by ${fault.by}`,
  effects: (fault) => ({ reorderShare: share(fault.share), reorderByMs: milliseconds(fault.by) }),
  flying: (fault) => {
    const asked = share(fault.share);
    const byMs = milliseconds(fault.by);
    const count = datagramsFor(asked);
    // Of the last ones nobody can tell: those that could overtake them have not been sent.
    const overtaken = ({ overtaken: numbers, overtakenMs }: Landed) => overtakenMs.filter((_, index) => (numbers[index] ?? count) < count);
    const laterMs = (landed: Landed) => medianOf(overtaken(landed)) - medianOf(landed.underWayMs);
    return {
      asked: `${fault.share} of packets overtaken, ${fault.by} later`,
      sent: { count: count + Math.ceil((1.5 * byMs * FLIGHT_PER_SECOND) / 1_000), perSecond: FLIGHT_PER_SECOND, lateMs: byMs },
      bites: (landed) =>
        Math.abs(overtaken(landed).length / count - asked) <= tolerance(asked, count) && Math.abs(laterMs(landed) - byMs) <= Math.max(2, byMs / 10),
      told: (landed) => `${formatShare(overtaken(landed).length / count)} of ${count} datagrams overtaken, ${formatMs(laterMs(landed))} later than the others`,
    };
  },
});
