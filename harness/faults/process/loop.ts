/** A process that dies again whenever it has come up. The loop runs here, so nothing dies any more once this process is gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Disturbance, Node } from '../../cluster/types.ts';
import { messageOf } from '../../core/errors.ts';
import { formatMs } from '../../core/units.ts';
import { livesAt } from './lives.ts';

const LOOK_EVERY_MS = 50;
/** Beside two turns: what a start takes on a machine that is very busy. Who takes longer is not in a loop any more, but down, or spared. */
const SLACK_MS = 3_000;

export interface Loop extends Disturbance {
  /** Those that are proven: another process, by id and start time, has come since. */
  readonly deaths: number;
}

/** Kills it now, and then every so often; later where it is not up again by then. A whole node is started again after each death, a process under its first by whoever has started it before. */
export async function loopAt(node: Node, everyMs: number, process?: string): Promise<Loop> {
  const over = new AbortController();
  const which = process === undefined ? {} : { process };
  let deaths = 0;
  let provenAt = performance.now();
  let failed: unknown;

  const rest = (ms: number) => sleep(Math.max(0, ms), undefined, { signal: over.signal }).catch(() => undefined);
  /** The rest of a death: started again, and seen to be another. */
  const comeBack = async (death: Disturbance, before: readonly { readonly id: string }[]) => {
    await death.undo();
    for (;;) {
      const now = await livesAt(node, process);
      if (now.length >= before.length && now.every(({ id }) => before.every((one) => one.id !== id))) {
        deaths++;
        provenAt = performance.now();
        return;
      }
      // Healed in the middle of a death: that one counts if another process is there by now.
      if (over.signal.aborted) return;
      await rest(LOOK_EVERY_MS);
    }
  };
  const go = async (first: Disturbance, firstBefore: readonly { readonly id: string }[]) => {
    let dueAt = performance.now();
    await comeBack(first, firstBefore);
    for (;;) {
      dueAt += everyMs;
      await rest(dueAt - performance.now());
      if (over.signal.aborted) return;
      // What took longer than its turn is not made up for by deaths in a row.
      dueAt = Math.max(dueAt, performance.now());
      const before = await livesAt(node, process);
      await comeBack(await node.kill(which), before);
    }
  };

  const before = await livesAt(node, process);
  const going = go(await node.kill(which), before);
  going.catch((thrown: unknown) => {
    failed = thrown;
  });
  return {
    get deaths() {
      return deaths;
    },
    undo: async () => {
      over.abort();
      await going;
    },
    missing: async () => {
      if (failed !== undefined) return `${node.name} does not die again: ${messageOf(failed)}`;
      const sinceMs = performance.now() - provenAt;
      return sinceMs > 2 * everyMs + SLACK_MS ? `${node.name} has not died and come back for ${formatMs(sinceMs)}` : undefined;
    },
  };
}
