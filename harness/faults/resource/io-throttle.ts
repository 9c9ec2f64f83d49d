/**
 * io-throttle: a node may write no more than so much a second to the disk that the engine keeps containers on.
 *
 * On the wire: whatever waits for a disk waits longer: a database at each commit, an append-only file at each sync. By a limit in the node's control group. With version 1 of control groups only
 * what a process itself brings to the disk is limited (a sync, a direct write), and what it leaves to the kernel to write later is not; with version 2 both are.
 *
 * It does not: slow reading, or anything of a node that writes to memory alone, which a cache does.
 *
 * Proof: a program within the node writes as much as half a second allows and waits until it is on the disk; the rate is the one that was asked for, within the middle to half and to double of it.
 * Healed: it is faster, and at least a quarter as fast as before. For that half second the node shares its limit with it.
 *
 * Ends by itself: a hand at the control groups, in a container without network and capabilities, takes the limit out when our words stop; the reaper removes the node. With all three dead it stays
 * until the next start removes it.
 *
 * Needs: a kernel that throttles block devices (blkio.throttle of version 1, or io.max of version 2 with the controller on), the engine's containers on one disk, and perl in the node's image.
 */
import { writesLackIn } from '../../cluster/write-limit.ts';
import { type ByteRate, bytesPerSecond, formatBytes } from '../../core/units.ts';
import { byteRate } from '../fields.ts';
import { isAbout, numberIn, resourceFault } from './kind.ts';

export interface IoThrottle {
  readonly kind: 'io-throttle';
  readonly node: string;
  readonly write: ByteRate;
}

/** Lets the nodes that `node` names ('mc-1') write no more than `write` ('1MB/s', of 1,000,000 bytes) to their disk. */
export const ioThrottle = (node: string, options: { readonly write: ByteRate }): IoThrottle => ({ kind: 'io-throttle', node, write: options.write });

/** The kernel counts by slices of 100 ms at the most, so that half a second is known to a fifth. */
const MEASURE_S = 0.5;
/** Where a container's own layer is. */
const LAYER = '/';
/** Whoever writes this much faster without the limit would notice it. */
const FASTER = 1.41;
/**
 * Of what it was before the fault, the rate has to be so much again. Half a second's bytes are on an unlimited disk within milliseconds, which others that use it make two or three times as many for one measurement; it is
 * repeated until one is as fast, so a limit is told from none where the disk was more than four times as fast as it.
 */
const AS_BEFORE = 0.25;

/** A disk is as fast as it is seen to be at its fastest: what others write in that moment makes it slower. */
const MOST_LOOKS_BEFORE = 4;

export const ioThrottleKind = resourceFault<IoThrottle>({
  kind: 'io-throttle',
  summary: 'a node may write no more than so much a second to its disk',
  example: ioThrottle('mc-1', { write: '1MB/s' }),
  fields: { write: byteRate('100KB/s', '100MB/s') },
  alters: ['disk', 'timing'],
  needs: ['disk'],
  phrase: ({ write }) => `io-throttle ${write}`,
  standsBy: 'writes',
  lacks: writesLackIn,
  provingMs: () => MEASURE_S * 1_000 + 700,
  asked: ({ write }) => ({ bites: `${write} written and no more`, gone: `more than ${write} written, about as before` }),
  taking: ({ write }, node) => {
    const asked = bytesPerSecond(write);
    let rateBefore = 0;
    const measured = async () => {
      const of = await node.measure('write', LAYER, String(Math.round(asked * MEASURE_S)));
      const rate = (numberIn(of, 'bytes') * 1e6) / numberIn(of, 'wallUs');
      return { rate, told: `${formatBytes(rate)} a second written` };
    };
    return {
      before: async () => {
        let fastest = await measured();
        for (let looks = 1; looks < MOST_LOOKS_BEFORE && fastest.rate < asked * FASTER; looks++) {
          const another = await measured();
          if (another.rate > fastest.rate) fastest = another;
        }
        rateBefore = fastest.rate;
        return rateBefore < asked * FASTER ? `has a disk that is no faster (${fastest.told}), so a limit of ${write} could not be told` : undefined;
      },
      disturb: () => node.limitWrites(asked),
      bites: async () => {
        const { rate, told } = await measured();
        return { holds: isAbout(rate, asked), told };
      },
      isGone: async () => {
        const { rate, told } = await measured();
        return { holds: rate > Math.max(asked * FASTER, rateBefore * AS_BEFORE), told: `${told}, ${formatBytes(rateBefore)} before` };
      },
    };
  },
});
