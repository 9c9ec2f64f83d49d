/** Opens connections and counts how they end: what a limit on connections lets through. Nothing is said over them. */
import net from 'node:net';

export interface Calls {
  readonly count: number;
  readonly atOnce: number;
  readonly perSecond: number;
  readonly patienceMs: number;
  readonly held: boolean;
}

type End = 'made' | 'refused' | 'silent';

const EVERY_MS = 2;

const held = new Map<string, net.Socket[]>();

/** The first `atOnce` at once, the others at an even pace. Resolves when each has ended one way or the other; those that are held stay. */
export async function dial(to: string, keep: string, { count, atOnce, perSecond, patienceMs, held: hold }: Calls): Promise<Record<End, number>> {
  const colon = to.lastIndexOf(':');
  const address = { host: to.slice(0, colon), port: Number(to.slice(colon + 1)) };
  const ends: Promise<End>[] = [];
  const keeping = hold ? (held.get(keep) ?? []) : undefined;
  if (keeping) held.set(keep, keeping);
  const beganAt = performance.now();
  for (;;) {
    const due = Math.min(count, atOnce + Math.floor(((performance.now() - beganAt) * perSecond) / 1_000));
    while (ends.length < due) ends.push(one(address, patienceMs, keeping));
    if (ends.length >= count) break;
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  const tally: Record<End, number> = { made: 0, refused: 0, silent: 0 };
  for (const end of await Promise.all(ends)) tally[end]++;
  return tally;
}

/** Ends those that were held, by a reset: closed in order, each would hold its port for a minute. */
export function hangUp(keep: string): void {
  for (const socket of held.get(keep) ?? []) socket.resetAndDestroy();
  held.delete(keep);
}

function one(address: { host: string; port: number }, patienceMs: number, keeping: net.Socket[] | undefined): Promise<End> {
  return new Promise((resolve) => {
    const socket = net.connect({ ...address, noDelay: true });
    const timer = setTimeout(() => {
      socket.destroy();
      resolve('silent');
    }, patienceMs);
    socket.on('error', () => {
      clearTimeout(timer);
      resolve('refused');
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve('made');
      if (keeping) keeping.push(socket);
      else socket.resetAndDestroy();
    });
  });
}
