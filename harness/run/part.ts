/** One load program under way in its client node: started, read until it has told everything. A load has one or more of them (see `loads.ts`). */
import type { Channel } from '../cluster/channel.ts';
import { monotonicMs } from '../core/clock.ts';
import { InvalidRunError } from '../core/errors.ts';
import type { Command, Frame } from '../load/frames.ts';
import type { RunLog } from './log.ts';
import type { Tick } from './observer.ts';
import type { LoadSpec } from './types.ts';

/** A program gives up by itself when it cannot connect and store its keys in that time, and says why; a bit later nothing will come any more. */
const PREPARE_MS = 10_000;
const PREPARE_GRACE_MS = 5_000;
/** After the last request could have ended, for frames under way. */
const GRACE_MS = 5_000;
/** A clock known less well than this would blur windows of 100 ms. */
const MOST_CLOCK_UNCERTAINTY_MS = 20;

/** What a part hands on while it runs. */
export interface Listener {
  readonly log: RunLog;
  tick(tick: Tick): void;
}

export class Part {
  /** The load's name, and for all but the first its number: what its windows are told apart by. */
  readonly name: string;
  readonly #spec: LoadSpec;
  readonly #prepared: Promise<void>;
  readonly #done: Promise<void>;
  readonly #send: (command: Command) => void;
  readonly #close: () => void;
  readonly #pongs = new Map<number, (clockMs: number) => void>();
  #offsetMs = 0;
  #zeroMs = 0;

  /** `isFirst`: its readings of the node that all parts share are the ones that count. */
  constructor(spec: LoadSpec, name: string, isFirst: boolean, channel: Channel, { log, tick }: Listener) {
    this.name = name;
    this.#spec = spec;
    this.#send = (command) => channel.send(command);
    this.#close = () => channel.close();
    const prepared = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    const fail = (why: string) => {
      const error = new InvalidRunError(`load '${name}' ${why}`);
      prepared.reject(error);
      done.reject(error);
    };
    channel.onMessage((message) => {
      const frame = message as unknown as Frame;
      switch (frame.frame) {
        case 'pong':
          this.#pongs.get(frame.id)?.(frame.clockMs);
          return;
        case 'prepared':
          prepared.resolve();
          return;
        case 'windows':
          log.windows(frame.windows);
          log.windows(frame.completions);
          log.windows(frame.generator.map((window) => ({ type: 'generator' as const, load: name, ...window })));
          return;
        case 'gauges':
          if (isFirst) log.gauges(spec.node, this.#zeroMs + frame.at, frame.gauges);
          return;
        case 'finding':
          log.finding(frame.severity, `load '${name}': ${frame.text}`);
          return;
        case 'progress': {
          const { frame: _, ...ended } = frame;
          tick(ended);
          return;
        }
        case 'done':
          done.resolve();
          return;
        case 'failed':
          fail(`failed: ${frame.why}`);
      }
    });
    void channel.ended.then(({ code, stderr }) => fail(`ended by itself (exit ${code})${wordOf(stderr)}`));
    this.#prepared = prepared.promise;
    this.#done = done.promise;
    // Whoever awaits them hears of a failure; until then it must not count as unheard.
    this.#prepared.catch(() => undefined);
    this.#done.catch(() => undefined);
  }

  /** Waits until the program has its connections and its keys, and aligns the clocks. */
  async prepare(log: RunLog): Promise<void> {
    await within(this.#prepared, (this.#spec.prepareMs ?? PREPARE_MS) + PREPARE_GRACE_MS, `load '${this.name}' was not prepared`);
    const { offsetMs, uncertaintyMs } = await this.#alignClock();
    this.#offsetMs = offsetMs;
    log.event('clock', { load: this.name, offsetMs, uncertaintyMs });
    if (uncertaintyMs > MOST_CLOCK_UNCERTAINTY_MS)
      log.finding(
        'invalid',
        `the clock of load '${this.name}' is known only to ${uncertaintyMs.toFixed(0)} ms; at most ${MOST_CLOCK_UNCERTAINTY_MS} ms would do`,
      );
  }

  /** Time zero is on this process's monotonic clock. */
  start(zeroMs: number, forMs: number): void {
    this.#zeroMs = zeroMs;
    this.#send({ do: 'start', atMs: zeroMs + this.#offsetMs, forMs });
  }

  /** Offers no further requests; `done` follows when those under way have ended. */
  stop(): void {
    this.#send({ do: 'stop' });
  }

  /** Waits for `done`, at most until everything that falls due by `endMs` (after time zero) could have ended. */
  async finish(endMs: number): Promise<void> {
    const leftMs = this.#zeroMs + endMs + this.#spec.longestRequestMs + GRACE_MS - monotonicMs();
    await within(this.#done, Math.max(leftMs, GRACE_MS), `load '${this.name}' did not finish`);
  }

  close(): void {
    this.#close();
  }

  /** Offset of the clock there against ours, from the quickest of ten exchanges. */
  async #alignClock(): Promise<{ offsetMs: number; uncertaintyMs: number }> {
    let best = { offsetMs: 0, uncertaintyMs: Number.POSITIVE_INFINITY };
    for (let id = 1; id <= 10; id++) {
      const sent = monotonicMs();
      const pong = new Promise<number>((resolve) => this.#pongs.set(id, resolve));
      this.#send({ do: 'ping', id });
      const clockMs = await within(pong, GRACE_MS, `load '${this.name}' did not answer a ping`);
      const halfTrip = (monotonicMs() - sent) / 2;
      if (halfTrip < best.uncertaintyMs) best = { offsetMs: clockMs - sent - halfTrip, uncertaintyMs: halfTrip };
    }
    return best;
  }
}

async function within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new InvalidRunError(`${what} within ${(limitMs / 1_000).toFixed(0)} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** The line of a crash that names the error, or the last one; nothing where nothing was said. */
function wordOf(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Node.js v'));
  // 'TypeError: x is not a function', an error that says no more than 'RangeError', and V8's own 'FATAL ERROR: ... heap out of memory'.
  const line = lines.find((text) => /^\s*(Uncaught )?\w*Error\b(.*:|$)/.test(text) || text.startsWith('FATAL ERROR:')) ?? lines.at(-1);
  return line === undefined ? '' : `: ${line.trim()}`;
}
