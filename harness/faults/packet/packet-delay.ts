/**
 * packet-delay: every packet to a node's port, from it, or both, comes later; or every packet over a link.
 *
 * On the wire: packets are led through a wire (netem, or a program of ours on a tun device) that lets each go when its time has come, handshakes and acknowledgements alike. An exchange over a kept connection takes the delay longer in
 * each direction that it is on, one over a new connection twice that, since the handshake waits too. With jitter each packet's delay is drawn evenly, and those that are close together overtake one another.
 *
 * It does not: lose packets, nor touch what the node itself asks of others. At its beginning and its end, packets that are under way and those that come later may change places.
 *
 * Proof: datagrams to (from) the same port take the delay longer at the median, within 2 ms or a tenth, and as before in the other direction; their spread fits the jitter; and exchanges on kept and on new connections take as much longer as the
 * delay and the handshake say.
 *
 * Ends by itself: packets are led there by rules that the kernel ends; the program ends with the sidecar's stdin, and what was held then goes on at once. When the program dies alone, packets are lost until its hand has taken the rules back,
 * some tenths of a second; when the hand dies with it, until the kernel has, nine seconds at most.
 *
 * Needs: nftables at a device's ingress and egress (Linux 5.16), and netem or a tun device. Where nftables has no 'fwd', as under Docker Desktop on Windows, a tun device, and only IPv4 is led through it.
 */
import { type Duration, formatMs, milliseconds } from '../../core/units.ts';
import { wholeMs } from '../fields.ts';
import { medianOf, quantileOf } from './wire/flown.ts';
import { type OnWire, type WireOptions, wiredFault, wireFields } from './wired.ts';

export interface PacketDelay extends OnWire {
  readonly kind: 'packet-delay';
  readonly delay: Duration;
  /** Each packet's delay lies between delay - jitter and delay + jitter. */
  readonly jitter?: Duration;
}

/** Delays every packet to the port of the nodes or links of `on` ('in', the default), from it ('out'), or both. */
export const packetDelay = (on: string, delay: Duration, { jitter, ...options }: WireOptions & { readonly jitter?: Duration } = {}): PacketDelay => ({
  kind: 'packet-delay',
  on,
  delay,
  ...(jitter === undefined ? {} : { jitter }),
  ...wireFields(options),
});

/** Half of it has to be told from it by more than the tolerance: 5 - 2.5 > 2. */
const LEAST_MS = 5;
/** Longer, and a kernel sends its packets again before it can have been answered for the first time. */
const MOST_MS = 3_000;
const toleranceMs = (ms: number) => Math.max(2, ms / 10);

/** A thousand a second for half a second. */
const DATAGRAMS = 500;
const PER_SECOND = 1_000;

export const packetDelayKind = wiredFault<PacketDelay>({
  kind: 'packet-delay',
  summary: 'every packet to or from a node, or over a link, comes later',
  example: packetDelay('mc-1', '50ms'),
  fields: { delay: wholeMs(LEAST_MS, MOST_MS), jitter: wholeMs(LEAST_MS, MOST_MS).optional() },
  refine: ({ delay, jitter }, context) => {
    if (jitter !== undefined && milliseconds(jitter) > milliseconds(delay))
      context.addIssue({ code: 'custom', path: ['jitter'], message: `'${jitter}' is more than the delay; write '${delay}' or less` });
  },
  alters: ['timing'],
  phrase: ({ delay, jitter }) => `packet delay ${delay}${jitter === undefined ? '' : ` ± ${jitter}`}`,
  effects: (fault) => ({ delayMs: milliseconds(fault.delay), jitterMs: jitterOf(fault) }),
  flying: (fault) => {
    const [delayMs, jitterMs] = [milliseconds(fault.delay), jitterOf(fault)];
    return {
      asked: `every packet ${fault.delay} later${jitterMs > 0 ? `, give or take ${fault.jitter}` : ''}`,
      sent: { count: DATAGRAMS, perSecond: PER_SECOND, lateMs: delayMs + jitterMs },
      bites: ({ distinct, underWayMs }, healthyMs) => {
        const laterMs = medianOf(underWayMs) - healthyMs;
        // The median of so many even draws lies within four standard deviations, 4 x jitter / sqrt(500), of the middle.
        const meets = Math.abs(laterMs - delayMs) <= toleranceMs(delayMs) + (4 * jitterMs) / Math.sqrt(DATAGRAMS);
        return distinct === DATAGRAMS && meets && (jitterMs === 0 || Math.abs(spreadMs(underWayMs) - 1.8 * jitterMs) <= 2 + 0.45 * jitterMs);
      },
      told: ({ underWayMs }, healthyMs) => {
        const spread = jitterMs > 0 ? `, nine tenths of them within ${formatMs(spreadMs(underWayMs))}` : '';
        return `${underWayMs.length} of ${DATAGRAMS} datagrams ${formatMs(medianOf(underWayMs) - healthyMs)} later${spread}`;
      },
    };
  },
  asking: (fault) => {
    const jitterMs = jitterOf(fault);
    const ways = fault.direction === 'both' ? 2 : 1;
    const roundTripMs = ways * milliseconds(fault.delay);
    return {
      asked: `an exchange ${formatMs(roundTripMs)} later over a kept connection and ${formatMs(2 * roundTripMs)} over a new one`,
      patienceMs: 1_000 + 2 * (roundTripMs + ways * jitterMs),
      bites: (kind, ms, { medianMs }) => {
        const trips = kind === 'kept' ? 1 : 2;
        // Two busy cores cost some milliseconds more, never less; without the handshake a new one would take half of it.
        return Math.abs(ms - medianMs - trips * roundTripMs) <= Math.max(8, (trips * roundTripMs) / 5) + trips * ways * jitterMs;
      },
    };
  },
});

function jitterOf({ jitter }: PacketDelay): number {
  return jitter === undefined ? 0 : milliseconds(jitter);
}

/** Within which the middle nine tenths lie: of even draws from -jitter to +jitter 1.8 x jitter, and half of that of half the jitter, which 2 ms + 0.45 x jitter tells apart from 5 ms on. */
function spreadMs(values: readonly number[]): number {
  return quantileOf(values, 0.95) - quantileOf(values, 0.05);
}
