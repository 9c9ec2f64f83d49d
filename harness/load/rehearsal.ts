/**
 * Before the load: so many requests that V8 has compiled what the load will run through.
 *
 * Without it, the first seconds of a load are late: at 5,000/s a request in a hundred was up to 3 ms late for the first 2.3 s, while V8's
 * optimizing compilers had the core, and 0.08 ms from then on; with both compilers switched off there was no such time, and a third more work. What
 * counts is how often code has run, not for how long, so the same requests are asked as fast as a few at a time are answered, and nothing of it is recorded.
 * A few at a time is a load that any system bears that is about to be tested.
 */
import { monotonicMs } from '../core/clock.ts';
import type { Carrier } from './carrier.ts';
import { Schedule } from './demand/demand.ts';
import { constantRate, type Pacer } from './demand/pacer.ts';
import { Engine } from './engine.ts';
import type { Waker } from './pacing/waker.ts';
import type { Workload } from './protocol.ts';

export interface RehearsalOptions {
  readonly carrier: Carrier;
  /** A new one each time, with draws of its own, so that the load asks for the same with and without a rehearsal. */
  readonly workload: () => Workload;
  readonly deadlineMs: number;
  readonly waker: Waker;
}

/** Of each round; the compilers come to rest after some 20,000 requests in all. A system that is slow to answer has its load late anyway. */
const REQUESTS = 15_000;
const LONGEST_MS = 600;
const AT_ONCE = 8;

/** The paced rounds: every 0.1 ms. */
const PACED_PER_SECOND = 10_000;

/** The paces of its rounds: the first asks as fast as it is answered; the others are paced, so that sleeping and waking are rehearsed, too. */
const ROUNDS_PER_SECOND = [1e9, PACED_PER_SECOND, PACED_PER_SECOND];

/** The longest that it lasts where requests end within `longestRequestMs` of being due: the last of each round may hang. */
export function rehearsalLimitMs(longestRequestMs: number): number {
  return ROUNDS_PER_SECOND.length * (LONGEST_MS + longestRequestMs);
}

/**
 * Rounds with an engine, a workload and a schedule of their own each: what was compiled for one object alone would have to be compiled again for the load's.
 */
export async function rehearse(options: RehearsalOptions): Promise<void> {
  for (const ratePerSecond of ROUNDS_PER_SECOND) await round(options, constantRate(ratePerSecond, 1e9));
}

/** Asks, and resolves when all is answered. What fails does not matter here. Nothing falls due before it is asked for, however late that is. */
async function round({ carrier, workload, deadlineMs, waker }: RehearsalOptions, pacer: Pacer): Promise<void> {
  const zeroMs = monotonicMs();
  await new Promise<void>((resolve) => {
    const engine = new Engine({
      carrier,
      workload: workload(),
      demand: new Schedule((hits) => (hits < REQUESTS ? Math.max(pacer(hits) ?? 0, monotonicMs() - zeroMs) : undefined)),
      deadlineMs,
      zeroMs,
      waker,
      mostUnderWay: AT_ONCE,
      onReport: ({ atMs }) => {
        if (atMs >= LONGEST_MS) engine.stop();
      },
      onDone: resolve,
      onShortOf: () => undefined,
    });
    engine.start();
  });
}
