/** A million requests a second that are made up, for what has to record them, and for what does not. */
import { Recorder } from '../harness/load/recording/recorder.ts';

/** Log-uniform from 50 us to 50 ms, whole microseconds; the same in every run. */
export const VALUES = (() => {
  const values = new Float64Array(1 << 16);
  let state = 1;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    values[i] = Math.floor(50 * 1_000 ** (state / 0x7fffffff));
  }
  return values;
})();

/** What the recorder is to the load, and what stands in for it when nothing is recorded. */
interface Sink {
  due(dueMs: number, series: number, lookedAtMs: number): void;
  answered(dueMs: number, series: number, endedMs: number, miss: boolean): void;
  sent(atMs: number): void;
  report(nowMs: number): void;
}

export function seriesOf(count: number): (readonly [string, string, string])[] {
  return Array.from({ length: count }, (_, i) => ['get', `mc-${i}`, 'main'] as const);
}

export class Recording implements Sink {
  readonly recorder: Recorder;
  readonly #schedule: Recorder['schedule'];
  told = 0;

  constructor(series: number) {
    this.recorder = new Recorder({ series: seriesOf(series), deadlineMs: 20 });
    this.#schedule = this.recorder.schedule;
  }

  due(dueMs: number, series: number, lookedAtMs: number): void {
    this.recorder.due(dueMs, series, lookedAtMs);
  }

  answered(dueMs: number, series: number, endedMs: number, miss: boolean): void {
    this.recorder.answered(dueMs, series, endedMs, miss);
  }

  sent(atMs: number): void {
    this.#schedule.sent(atMs);
  }

  report(nowMs: number): void {
    this.told += this.recorder.take(nowMs, nowMs, nowMs, 50).windows.length + this.recorder.takeTally().due;
  }
}

export class NoRecording implements Sink {
  sum = 0;

  due(dueMs: number, series: number, lookedAtMs: number): void {
    this.sum += lookedAtMs - dueMs + series;
  }

  answered(dueMs: number, series: number, endedMs: number, miss: boolean): void {
    this.sum += endedMs - dueMs + series + (miss ? 1 : 0);
  }

  sent(atMs: number): void {
    this.sum += atMs;
  }

  report(nowMs: number): void {
    this.sum += nowMs;
  }
}

/** Two windows. */
const PERIOD_MS = 200;
export const PER_MS = 1_000;
export const REQUESTS = PERIOD_MS * PER_MS;

/** A million requests a second for a period, again and again; answers come in the order in which they end. */
export class Traffic {
  readonly #series = new Uint16Array(REQUESTS);
  /** Requests by when they end; those that end in the next period come first. */
  readonly #order: Uint32Array;
  #period = 0;

  constructor(series: number) {
    const endMs = new Float64Array(REQUESTS);
    for (let i = 0; i < REQUESTS; i++) {
      this.#series[i] = (Math.imul(i, 2_654_435_761) >>> 8) % series;
      endMs[i] = (i / PER_MS + (VALUES[(i * 7) & 0xffff] as number) / 1_000) % PERIOD_MS;
    }
    this.#order = Uint32Array.from({ length: REQUESTS }, (_, i) => i).sort((a, b) => (endMs[a] as number) - (endMs[b] as number));
  }

  /** In steps of a millisecond: what falls due, what has ended, and a report every 100 ms. */
  run(sink: Sink, periods: number): void {
    for (let turn = 0; turn < periods; turn++) {
      const fromMs = this.#period++ * PERIOD_MS;
      for (let i = 0, e = 0, ms = 1; ms <= PERIOD_MS; ms++) {
        for (; i < ms * PER_MS; i++) {
          const dueMs = fromMs + i / PER_MS;
          sink.due(dueMs, this.#series[i] as number, dueMs + 0.1);
          sink.sent(dueMs + 0.1);
        }
        for (; e < ms * PER_MS; e++) {
          const request = this.#order[e] as number;
          const endedMs = fromMs + e / PER_MS;
          const inThis = request / PER_MS <= e / PER_MS;
          const dueMs = (inThis ? fromMs : fromMs - PERIOD_MS) + request / PER_MS;
          if (dueMs >= 0) sink.answered(dueMs, this.#series[request] as number, endedMs, (e & 15) === 0);
        }
        if (ms % 100 === 0) sink.report(fromMs + ms);
      }
    }
  }
}
