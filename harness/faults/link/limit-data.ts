/**
 * limit-data: each connection over a link is closed once so many bytes have come over it.
 *
 * On the wire: Toxiproxy counts the bytes from the far end, those of a connection that was there before from the fault on, and closes both ends (FIN) in the middle of whatever the last of them
 * belongs to.
 *
 * It does not: count what goes to the far end, nor keep anybody from connecting again.
 *
 * Proof: a connection that was there before and a new one are asked for more than that, and bring as many bytes as were asked for, to the byte, before they close.
 *
 * Needs: nothing but the Toxiproxy that each link goes through, and a far end that answers a probe.
 */
import type { Drawn, LinkProber } from '../../cluster/types.ts';
import { type Bytes, byteCount } from '../../core/units.ts';
import { bytesBetween } from '../fields.ts';
import { measuredLinkFault } from './kind.ts';

export interface LimitData {
  readonly kind: 'limit-data';
  readonly link: string;
  readonly bytes: Bytes;
}

/** Closes each connection over the links that `link` names ('edge -> proxy-1') once `bytes` ('64KB', of 1,000 bytes each) have come from the far end. */
export const limitData = (link: string, bytes: Bytes): LimitData => ({ kind: 'limit-data', link, bytes });

const PATIENCE_MS = 5_000;
/** So few unanswered that nothing of ours lies unread when the connection is closed: that would be a reset, and could cost the last bytes. */
const WINDOW = 16;

interface Drawings {
  /** Of one answer, bytes. */
  readonly length: number;
  readonly kept: Drawn;
  readonly fresh: Drawn;
}

const all = (seen: readonly Drawings[]) => seen.flatMap(({ kept, fresh }) => [kept, fresh]);
const counts = (seen: readonly Drawings[]) =>
  all(seen)
    .map(({ kind, bytes }) => `${bytes} (${kind})`)
    .join(', ');

async function look(prober: LinkProber, limit: number, before?: Drawings): Promise<Drawings> {
  const length = before?.length ?? (await prober.draw('new', { count: 1, patienceMs: PATIENCE_MS })).bytes;
  const row = { count: Math.ceil(limit / length) + 2, window: WINDOW, patienceMs: PATIENCE_MS };
  const [kept, fresh] = await Promise.all([prober.draw('kept', row), prober.draw('new', row)]);
  return { length, kept, fresh };
}

export const limitDataKind = measuredLinkFault<LimitData, Drawings>({
  kind: 'limit-data',
  summary: 'each connection over a link is closed after so many bytes',
  example: limitData('edge -> proxy-1', '64KB'),
  fields: { bytes: bytesBetween('1B', '1MB') },
  alters: ['answers', 'connects'],
  phrase: ({ bytes }) => `limit-data ${bytes}`,
  provingMs: () => 1_000,
  measured: ({ bytes }) => {
    const limit = byteCount(bytes);
    return {
      toxic: { type: 'limit_data', stream: 'downstream', attributes: { bytes: limit } },
      look: (prober, before) => look(prober, limit, before),
      asked: `closed after ${limit} bytes`,
      bites: ({ kept, fresh }) => [kept, fresh].every((one) => one.kind === 'closed' && one.bytes === limit),
      told: (seen, before) => `bytes: ${counts(seen)}; before: ${counts(before)}`,
      askedHealed: `more than ${limit} bytes`,
      heals: ({ kept, fresh }) => [kept, fresh].every((one) => one.kind === 'answered' && one.bytes > limit),
    };
  },
});
